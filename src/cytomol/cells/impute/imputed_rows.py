"""Rows of molecules answered with expected profiles: chunks in, chunks out, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.impute.imputer import ImputedProfiles, Imputer
from cytomol.chem.featurize import featurize
from cytomol.counted import agreeing
from cytomol.errors import InputError
from cytomol.nn.allocator import give_back_memory
from cytomol.tables.columns import free_name
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.read import format_of
from cytomol.tables.row_answer import Answer
from cytomol.tables.row_errors import OnError, RowErrors
from cytomol.tables.write_chunks import Layout, open_chunks

__all__ = ["ImputedRows", "impute_rows", "imputed_layout"]

CHUNK = 4096
_NAMED = 3  # columns that one message names


def imputed_layout(imputer: Imputer) -> Layout:
    """Return how expected profiles are written.

    Text and Parquet: ``MODALITY:feature`` and ``MODALITY:feature:half_width``. AnnData: ``X`` and the layer
    ``half_width`` are the first modality, by the names of its features; the others lie in ``obsm`` as
    ``imputed_MODALITY`` and ``half_width_MODALITY``, beside ``X_cytomol`` (the embedding) and ``codes``.
    """
    columns: dict[str, Sequence[str]] = {}
    for one in imputer.modalities:
        columns[f"imputed_{one.name}"] = [f"{one.name}:{feature}" for feature in one.columns]
        columns[f"half_width_{one.name}"] = [f"{one.name}:{feature}:half_width" for feature in one.columns]
    first = imputer.modalities[0].name
    return Layout(
        columns=columns,
        x=f"imputed_{first}",
        layers={f"half_width_{first}": "half_width"},
        omit=("X_cytomol", "codes"),
        notes={"imputation": {one.name: _said(imputer, one.name) for one in imputer.modalities}},
    )


@dataclass(frozen=True)
class ImputedRows:
    """Answers rows of molecules with expected profiles.

    Attributes
    ----------
    imputer
        What answers.
    annotated
        Answers are for an AnnData file: features are called as in the corpus, embeddings and codes beside.
    keep
        Columns of the input that the output holds, after the SMILES; None for all of them, as they stand.
    on_error
        What an invalid molecule does (see :class:`~cytomol.tables.row_errors.RowErrors`).
    chunk, batch_size
        Molecules that are in memory as features, and that the encoder sees, at once.
    workers
        Processes that featurize; None chooses.
    """

    imputer: Imputer
    annotated: bool = False
    keep: Sequence[str] | None = None
    on_error: OnError | None = None
    chunk: int = CHUNK
    batch_size: int = 256
    workers: int | None = None

    @property
    def layout(self) -> Layout:
        """How the answers are written."""
        layout = imputed_layout(self.imputer)
        return _by_feature(self.imputer, layout) if self.annotated else layout

    def error_column(self, table: MoleculeTable) -> str:
        """Return what the column with the reasons is called.

        Raises
        ------
        InputError
            If the input lacks a column that is to be kept, or has one that is called as an answer is.
        """
        kept = table.kept(self.keep)
        if not self.annotated:
            _refuse_shared(self.layout, kept, table.where)
        return free_name("error", [str(name) for name in kept.columns], "error_of_molecule")

    def pieces(
        self, table: MoleculeTable, errors: RowErrors, progress: Callable[[int, int], None] | None = None
    ) -> Iterator[tuple[pd.DataFrame, dict[str, NDArray[Any]]]]:
        """Yield the columns and matrices of all rows, some rows at a time, and count them in ``errors``."""
        kept, error, smiles = table.kept(self.keep), self.error_column(table), table.smiles
        for start in range(0, len(smiles), self.chunk):
            part = slice(start, start + self.chunk)
            options = self.imputer.backbone.feature_options
            store = featurize(smiles[part], options, workers=self.workers, cache=None)
            reasons = errors.add(store.errors)
            imputed = self.imputer.impute(store, beside=self.annotated, batch_size=self.batch_size)
            matrices = _matrices(imputed)
            frame = kept.iloc[part].assign(**{error: reasons})
            if self.on_error == "drop":
                good = np.array([not reason for reason in reasons], dtype=bool)
                frame, matrices = frame[good], {name: matrix[good] for name, matrix in matrices.items()}
            yield frame, matrices
            give_back_memory()
            if progress is not None:
                progress(errors.rows, len(smiles))

    def part(self, table: MoleculeTable, first: int = 0) -> Answer:
        """Answer a part of an input, whose first row is row ``first`` of it, from 0."""
        errors, error = RowErrors(table, self.on_error, first), self.error_column(table)
        frames, matrices = zip(*self.pieces(table, errors), strict=True)
        arrays = {name: np.concatenate([one[name] for one in matrices]) for name in matrices[0]}
        renamed = {"error": error} if error != "error" else {}
        return Answer(pd.concat(frames, ignore_index=True), arrays, errors, renamed)


def impute_rows(
    imputer: Imputer,
    table: MoleculeTable,
    out: str | Path,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **asked: Any,
) -> tuple[RowErrors, dict[str, str]]:
    """Write the expected profiles of every row of a table, in order, whole or not at all.

    Parameters
    ----------
    imputer
        What answers.
    table
        The molecules.
    out
        A ``.csv``, ``.tsv``, ``.parquet`` or ``.h5ad`` file.
    force
        Replace an existing file.
    progress
        Called with (molecules done, molecules in all).
    **asked
        ``keep``, ``on_error``, ``chunk``, ``batch_size``, ``workers``: see :class:`ImputedRows`.

    Returns
    -------
    How many rows there were and how many are invalid; and the answers that have another name, since the input
    has a column of that name.

    Raises
    ------
    InputError
        If the input has columns that are called as the answers are, an invalid molecule is to stop it, or
        there is no valid one.
    """
    rows = ImputedRows(imputer, format_of(Path(out)) == "h5ad", **asked)
    error, errors = rows.error_column(table), RowErrors(table, rows.on_error)
    with open_chunks(out, force=force, layout=rows.layout) as writer:
        for frame, matrices in rows.pieces(table, errors, progress):
            writer.write(frame, matrices)
        errors.require_some()
    return errors, {"error": error} if error != "error" else {}


def _matrices(imputed: ImputedProfiles) -> dict[str, NDArray[Any]]:
    matrices: dict[str, NDArray[Any]] = {}
    for name, expected in imputed.expected.items():
        matrices |= {f"imputed_{name}": expected, f"half_width_{name}": imputed.half_width[name]}
    if imputed.embedding is not None:
        matrices["X_cytomol"] = imputed.embedding
    if imputed.codes is not None:
        matrices["codes"] = imputed.codes
    return matrices


def _by_feature(imputer: Imputer, layout: Layout) -> Layout:
    """Return the layout with features called as in the corpus: each modality has a matrix of its own."""
    columns = {
        f"{what}_{one.name}": one.columns for one in imputer.modalities for what in ("imputed", "half_width")
    }
    return Layout(columns=columns, x=layout.x, layers=layout.layers, notes=layout.notes)


def _said(imputer: Imputer, name: str) -> dict[str, Any]:
    calibration = imputer.calibrations[name]
    return {
        "coverage": calibration.coverage,
        "calibration_molecules": calibration.molecules,
        "calibration_scaffolds": calibration.scaffolds,
        "slope": calibration.slope,
        "mean": calibration.typical.mean,
        "sources": ["decoder", "structure"][: len(calibration.slope)],
    }


def _refuse_shared(layout: Layout, kept: pd.DataFrame, where: str) -> None:
    answers = {name for names in layout.columns.values() for name in names}
    if shared := [str(name) for name in kept.columns if str(name) in answers]:
        are = agreeing(len(shared), "column that", "is", "are", plural="columns that", comma=False)
        raise InputError(
            f"has {are} called as the answers are: {', '.join(shared[:_NAMED])}",
            where=where,
            hint="choose the columns that stay with --keep",
        )
