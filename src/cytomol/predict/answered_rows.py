"""Rows of an input answered in order: chunks in, a table with one row for each molecule out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.errors import ConfigError
from cytomol.predict.predictions import Predictions
from cytomol.predict.predictor import Predictor
from cytomol.tables.columns import free_name
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_answer import Answer
from cytomol.tables.row_errors import OnError, RowErrors

if TYPE_CHECKING:
    from cytomol.artifact.backbone import Backbone

__all__ = ["embed_rows", "predict_rows"]

Progress = Callable[[int, int], None]
# Large enough that starting the processes that featurize costs little, small enough for any memory.
CHUNK = 16384


class Predicts(Protocol):
    """What predicts molecules as a predictor does: itself, or what passes the question on."""

    def predict(self, molecules: Sequence[str], /, **asked: Any) -> Predictions:
        """Predict molecules; row i of the answer belongs to molecule i."""


def predict_rows(
    predictor: Predictor | Predicts,
    table: MoleculeTable,
    *,
    keep: Sequence[str] | None = None,
    on_error: OnError | None = None,
    first: int = 0,
    batch_size: int = 256,
    chunk: int = CHUNK,
    workers: int | None = None,
    progress: Progress | None = None,
    uncertainty: bool = False,
    coverage: float = 0.9,
    evidence: bool = False,
) -> Answer:
    """Predict every row of a table, in order.

    Parameters
    ----------
    predictor
        What answers.
    table
        The molecules.
    keep
        Columns of the input that the output holds, after the SMILES; None for all of them, as they stand.
        An answer that has the name of one of them gets another name.
    on_error
        What an invalid molecule does: "keep" (empty values, reason in ``error``), "raise", "drop".
    first
        Row of the first one in the whole input, where the table is a part of it.
    batch_size, chunk
        Molecules that the encoder sees at once, and that are in memory as features at once.
    workers
        Processes that featurize; None chooses.
    progress
        Called with (molecules done, molecules in all).
    uncertainty, coverage
        Say too how certain the answers are, for this coverage .
    """
    kept, rows = table.kept(keep), RowErrors(table, on_error, first)
    asked: dict[str, Any] = {"uncertainty": True, "coverage": coverage} if uncertainty else {}
    asked |= {"evidence": True} if evidence else {}
    parts: list[Predictions] = []
    errors: list[str] = []
    for smiles, report in _chunks(table, chunk, progress):
        answer = predictor.predict(smiles, batch_size=batch_size, workers=workers, progress=report, **asked)
        parts.append(answer)
        errors += rows.add(answer.errors)
    answers = Predictions.join(parts).frame()
    return _finish(rows, kept, answers, {}, errors)


def embed_rows(
    backbone: Backbone,
    table: MoleculeTable,
    *,
    keep: Sequence[str] | None = None,
    on_error: OnError | None = None,
    first: int = 0,
    batch_size: int = 256,
    chunk: int = CHUNK,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Embed every row of a table, in order; parameters as :func:`predict_rows`."""
    from cytomol.chem.featurize import featurize

    kept, rows = table.kept(keep), RowErrors(table, on_error, first)
    parts: list[NDArray[np.float32]] = []
    errors: list[str] = []
    for smiles, report in _chunks(table, chunk, progress):
        store = featurize(smiles, backbone.feature_options, workers=workers, cache=None, progress=report)
        parts.append(backbone.embed(store, batch_size=batch_size)[0])
        errors += rows.add(store.errors)
    arrays = {"embedding": np.concatenate(parts)}
    return _finish(rows, kept, pd.DataFrame(), arrays, errors)


def _chunks(
    table: MoleculeTable, size: int, progress: Progress | None
) -> Sequence[tuple[list[str], Progress | None]]:
    """Return (SMILES, progress of this chunk) for every chunk; an empty table is one chunk."""
    if size < 1:
        raise ConfigError(f"cannot answer in chunks of {size} molecules", hint="use 1 or more")
    smiles = table.smiles

    def report(start: int) -> Progress | None:
        return None if progress is None else (lambda done, _: progress(start + done, len(smiles)))

    return [(smiles[i : i + size], report(i)) for i in range(0, max(1, len(smiles)), size)]


def _finish(
    rows: RowErrors,
    kept: pd.DataFrame,
    answers: pd.DataFrame,
    arrays: dict[str, NDArray[Any]],
    errors: list[str],
) -> Answer:
    last = pd.DataFrame({"error": pd.Series(errors, dtype=object)})
    answers = pd.concat([answers, last], axis=1)
    renamed = _other_names([*answers.columns, *arrays], [str(name) for name in kept.columns], arrays)
    answers = answers.rename(columns=renamed)
    arrays = {renamed.get(name, name): array for name, array in arrays.items()}
    frame = pd.concat([kept.reset_index(drop=True), answers], axis=1)
    if len(frame) != len(rows.table) or len(errors) != len(rows.table):
        raise AssertionError(f"{len(rows.table)} rows in, {len(frame)} out")  # never: answered in order
    if rows.on_error == "drop":
        invalid = np.array([bool(error) for error in errors], dtype=bool)
        frame = frame[~invalid].reset_index(drop=True)
        arrays = {name: array[~invalid] for name, array in arrays.items()}
    return Answer(frame, arrays, rows, renamed)


def _other_names(names: list[str], kept: list[str], arrays: dict[str, NDArray[Any]]) -> dict[str, str]:
    """Return new names for answers that share theirs with a column of the input, which stays as it is."""
    taken, renamed = {*kept, *names}, {}
    for name in names:
        columns = {f"{name}_{i}" for i in range(arrays[name].shape[1])} if name in arrays else set()
        if name in kept or columns & set(kept):
            other = "error_of_molecule" if name == "error" else f"{name}_predicted"
            renamed[name] = free_name(name, taken, other)
            taken.add(renamed[name])
    return renamed
