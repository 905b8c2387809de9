"""Tables that the user brings to the page: what they hold, and their predictions."""

from __future__ import annotations

import re
import secrets
import tempfile
import threading
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from cytomol.assays.triage import triage
from cytomol.assays.triage_lines import column_values, molecule_lines, replicate_lines
from cytomol.errors import CytomolError, InputError, InputNote
from cytomol.predict.answered_rows import predict_rows
from cytomol.predict.predictions import Predictions
from cytomol.serve.explorer.background import in_background
from cytomol.serve.explorer.explored_model import ExploredModel
from cytomol.tables.molecules import MoleculeTable, read_molecules

__all__ = ["UploadedTables"]

_KEPT = 4  # tables in memory
_SUFFIXES = (".csv", ".tsv", ".txt", ".smi", ".sdf", ".parquet", ".xlsx")
_CHUNK = 128  # molecules between two words on how far it is
MOST_ROWS = 50_000


@dataclass
class _Upload:
    """One table, and how far its predictions are."""

    table: MoleculeTable
    state: str = "read"
    done: int = 0
    error: str = ""
    frame: pd.DataFrame | None = field(default=None, repr=False)


class _Asked:
    """A predictor that is asked through the page's queue."""

    def __init__(self, model: ExploredModel, table: str) -> None:
        self._model, self._table = model, table

    def predict(self, molecules: Sequence[str], /, **_: Any) -> Predictions:
        """Predict molecules, with what the model knows of its certainty."""
        return self._model.predictions(molecules, self._table)


class UploadedTables:
    r"""The last few tables that were brought to the page, in memory alone.

    Parameters
    ----------
    model
        What predicts.

    Examples
    --------
    >>> with ExploredModel.open("model") as model:
    ...     found = UploadedTables(model).add("mine.csv", b"smiles,activity\nCCO,1.5\nCCN,2.5\n")
    >>> found["rows"], [column["is"] for column in found["columns"]]
    (2, ['smiles', 'number'])
    """

    def __init__(self, model: ExploredModel) -> None:
        self._model = model
        self._uploads: OrderedDict[str, _Upload] = OrderedDict()
        self._closing = False
        self._lock = threading.Lock()

    def add(self, name: str, data: bytes, *, smiles_col: str | None = None) -> dict[str, Any]:
        """Read a table and say what it holds, as ``cytomol check`` does.

        Parameters
        ----------
        name
            What its file is called; only its ending is used.
        data
            The file.
        smiles_col
            Column with the SMILES; by default "smiles" or a synonym.

        Raises
        ------
        InputError
            If it is no table of molecules.
        """
        shown = _shown_name(name)
        table = _read(shown, data, smiles_col)
        if len(table) > MOST_ROWS:
            raise InputError(
                f"holds {len(table):,} rows, and the page answers {MOST_ROWS:,}",
                where=shown,
                hint="ask for more with cytomol predict",
            )
        key = secrets.token_urlsafe(9)
        with self._lock:
            self._uploads[key] = _Upload(table)
            while len(self._uploads) > _KEPT:
                self._uploads.popitem(last=False)
        return {"table": key, "name": shown, **_triage(table)}

    def start(self, key: str) -> dict[str, Any]:
        """Begin to predict a table."""
        upload = self._of(key)
        if self._model.served.predictor is None:
            raise InputError("the model is a backbone, which predicts no task")
        with self._lock:
            waiting = upload.state == "read"
            upload.state = "predicting" if waiting else upload.state
        if waiting:

            def failed(why: str) -> None:
                upload.state, upload.error = "failed", why

            in_background(lambda: self._predict(key, upload), failed, name="cytomol-table")
        return self.status(key)

    def status(self, key: str) -> dict[str, Any]:
        """Say how far a table's predictions are."""
        upload = self._of(key)
        return {
            "state": upload.state,
            "done": upload.done,
            "rows": len(upload.table),
            "error": upload.error,
        }

    def predictions(self, key: str) -> str:
        """Return a table's predictions as CSV.

        Raises
        ------
        InputError
            If they are not there yet.
        """
        frame = self._of(key).frame
        if frame is None:
            raise InputError("the predictions are not there yet")
        return frame.to_csv(index=False, lineterminator="\n")

    def close(self) -> None:
        """Give up the tables that are being predicted."""
        self._closing = True

    def _of(self, key: str) -> _Upload:
        with self._lock:
            if key not in self._uploads:
                raise InputError("the table is no longer in memory", hint="choose the file again")
            return self._uploads[key]

    def _predict(self, key: str, upload: _Upload) -> None:
        def advance(done: int, _: int) -> None:
            if self._closing:
                raise InputError("the explorer was stopped")
            upload.done = done

        parts = predict_rows(_Asked(self._model, key), upload.table, chunk=_CHUNK, progress=advance)
        upload.frame, upload.done, upload.state = parts.frame, len(upload.table), "ready"


def _shown_name(name: str) -> str:
    """Return the last part of a file's name in letters that are harmless everywhere."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return re.sub(r"[^\w. -]+", "_", last)[-80:] or "table.csv"


def _read(name: str, data: bytes, smiles_col: str | None) -> MoleculeTable:
    """Read a table from its bytes; what is wrong with it is said of its own name."""
    suffix = "".join(PurePosixPath(name.lower()).suffixes[-2:])
    ending = next((one for one in _SUFFIXES if suffix.endswith((one, f"{one}.gz"))), None)
    if ending is None:
        raise InputError(
            "is not a file of molecules by its name", where=name, hint=f"give one of {', '.join(_SUFFIXES)}"
        )
    with tempfile.TemporaryDirectory(prefix="cytomol-") as folder:
        place = Path(folder) / f"table{ending}{'.gz' if suffix.endswith('.gz') else ''}"
        place.write_bytes(data)
        try:
            table = read_molecules(place, smiles_col=smiles_col or None)
        except CytomolError as error:
            where = (error.where or name).replace(str(place), name)
            hint = None if error.hint is None else error.hint.replace(str(place), name)
            raise InputError(error.what.replace(str(place), name), where=where, hint=hint) from None
    return replace(table, where=name)


def _triage(table: MoleculeTable) -> dict[str, Any]:
    """Return what ``cytomol check`` says of a table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputNote)
        found = triage(table.frame, table.smiles, smiles_col=table.smiles_col, table=table.where)
    return {
        "rows": len(table),
        "columns": [
            {
                "name": column.name or "(no name)",
                "is": column.role,
                "measured": column.measured,
                "values": column_values(column),
                "learnt": column.name in found.choice.tasks,
            }
            for column in found.columns
        ],
        "molecules": molecule_lines(found.molecules),
        "replicates": [
            line
            for task in found.replicates
            if task.molecules
            for line in replicate_lines(task, found.columns)
        ],
        "notes": list(found.warnings),
        "problems": [f"column {c.name!r}: {c.problem} ({c.remedy})" for c in found.problems],
        "command": found.command,
    }
