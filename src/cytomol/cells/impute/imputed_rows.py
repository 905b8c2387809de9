"""Rows of molecules answered with expected profiles: chunks in, chunks out, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.impute.imputer import ImputedProfiles, Imputer
from cytomol.chem.featurize import featurize
from cytomol.errors import InputError
from cytomol.nn.allocator import give_back_memory
from cytomol.tables.columns import find_column, free_name
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.read import format_of
from cytomol.tables.write_chunks import Layout, open_chunks

__all__ = ["RowCounts", "impute_rows", "imputed_layout"]

OnError = Literal["keep", "raise", "drop"]
CHUNK = 4096
_NAMED = 3  # columns that one message names


@dataclass(frozen=True)
class RowCounts:
    """How many rows there were.

    Attributes
    ----------
    rows, invalid
        Of the input, and of those that are no valid molecules.
    reason
        Why the first invalid molecule is invalid; "" if none is.
    error
        Name of the column with the reasons.
    """

    rows: int
    invalid: int
    reason: str
    error: str


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


def impute_rows(
    imputer: Imputer,
    table: MoleculeTable,
    out: str | Path,
    *,
    keep: Sequence[str] | None = None,
    on_error: OnError | None = None,
    force: bool = False,
    chunk: int = CHUNK,
    batch_size: int = 256,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RowCounts:
    """Write the expected profiles of every row of a table, in order, whole or not at all.

    Parameters
    ----------
    imputer
        What answers.
    table
        The molecules.
    out
        A ``.csv``, ``.tsv``, ``.parquet`` or ``.h5ad`` file.
    keep
        Columns of the input that the output holds, after the SMILES; None for all of them, as they stand.
    on_error
        What an invalid molecule does: "keep" (empty values, reason in ``error``), "raise", "drop"; None
        keeps it, but an input without any valid molecule is an error.
    force
        Replace an existing file.
    chunk, batch_size
        Molecules that are in memory as features, and that the encoder sees, at once.
    workers
        Processes that featurize; None chooses.
    progress
        Called with (molecules done, molecules in all).

    Raises
    ------
    InputError
        If the input has columns that are called as the answers are, an invalid molecule is to stop it, or
        there is no valid one.
    """
    annotated = format_of(Path(out)) == "h5ad"
    layout, kept = imputed_layout(imputer), _kept(table, keep)
    if annotated:
        layout = _by_feature(imputer, layout)
    else:
        _refuse_shared(layout, kept, table.where)
    error = free_name("error", [str(name) for name in kept.columns], "error_of_molecule")
    smiles, invalid, reason = table.smiles, 0, ""
    with open_chunks(out, force=force, layout=layout) as writer:
        for start in range(0, len(smiles), chunk):
            part = smiles[start : start + chunk]
            store = featurize(part, imputer.backbone.feature_options, workers=workers, cache=None)
            reasons = [table.errors.get(start + row, why) for row, why in enumerate(store.errors)]
            bad = np.array([bool(why) for why in reasons])
            if bad.any():
                row = int(np.argmax(bad))
                reason = reason or f"row {start + row + 1}: {reasons[row]}"
                _stop(on_error, part[row], reasons[row], f"{table.where}, row {start + row + 1}")
            imputed = imputer.impute(store, beside=annotated, batch_size=batch_size)
            frame = kept.iloc[start : start + chunk].assign(**{error: reasons})
            matrices = _matrices(imputed)
            if on_error == "drop":
                frame, matrices = frame[~bad], {name: matrix[~bad] for name, matrix in matrices.items()}
            writer.write(frame, matrices)
            invalid += int(bad.sum())
            give_back_memory()
            if progress is not None:
                progress(start + len(part), len(smiles))
        if invalid == len(smiles) and on_error != "keep":
            raise InputError(
                f"none of its {len(smiles):,} rows holds a molecule that can be read; {reason}",
                where=table.where,
                hint="is this the file, and its column of SMILES? --on-error keep answers them",
            )
    return RowCounts(len(smiles), invalid, reason, error)


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


def _kept(table: MoleculeTable, keep: Sequence[str] | None) -> pd.DataFrame:
    """Return the columns of the input that the output begins with, unaltered."""
    if keep is None:
        return table.frame
    names = [find_column(table.frame, name, where=table.where, option="--keep") for name in keep]
    return table.frame[list(dict.fromkeys([table.smiles_col, *names]))]


def _refuse_shared(layout: Layout, kept: pd.DataFrame, where: str) -> None:
    answers = {name for names in layout.columns.values() for name in names}
    if shared := [str(name) for name in kept.columns if str(name) in answers]:
        raise InputError(
            f"has {len(shared)} columns that are called as the answers are: {', '.join(shared[:_NAMED])}",
            where=where,
            hint="choose the columns that stay with --keep",
        )


def _stop(on_error: OnError | None, smiles: str, reason: str, where: str) -> None:
    if on_error == "raise":
        raise InputError(
            f"invalid molecule {smiles!r}: {reason}",
            where=where,
            hint="--on-error keep answers such rows with an empty value and the reason",
        )
