"""Imputation of held-out molecules scored, each half with what was learnt on the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.impute.feature_calibration import standardised
from cytomol.cells.modality import TrainedModality
from cytomol.cells.unseen import MeasuredMolecules
from cytomol.corpus.structures import BLOCK, block_of
from cytomol.errors import InputError, note
from cytomol.evaluate.imputation.beside import ExpectedBy, expected_by_source, halves_by_scaffold
from cytomol.evaluate.imputation.left_out import left_out_molecules
from cytomol.evaluate.imputation.scored_rows import score_rows
from cytomol.tables import read_table

__all__ = ["imputation_rows", "read_strata"]


def imputation_rows(
    model: str | Path,
    modalities: Sequence[TrainedModality],
    corpus: str | Path,
    held_out: str | Path,
    *,
    strata: str | Path | None = None,
    coverage: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Return scores of every source, modality, stratum and metric.

    Parameters
    ----------
    model
        The model directory.
    modalities
        Its modalities that are to be scored; one with too few held-out molecules is told of and left out.
    corpus
        Corpus with the measured profiles.
    held_out
        File of the molecules to score.
    strata
        Table of groups; see :func:`read_strata`.
    coverage
        Of intervals.
    seed
        Of the bootstrap.

    Raises
    ------
    InputError
        If no modality has enough held-out molecules.
    """
    if not Path(corpus).is_dir():
        raise InputError(
            "is no corpus", where=str(corpus), hint="its other molecules teach what the model is held against"
        )
    unseen = left_out_molecules(model, modalities, corpus, held_out)
    groups = {} if strata is None else read_strata(strata)
    parts, problem = [], None
    for one in modalities:
        if one.name not in unseen.molecules:
            continue
        molecules = unseen.molecules[one.name]
        try:
            by = _crossed(one, molecules, unseen.others[one.name], coverage)
        except InputError as error:
            problem = error
            note(f"{one.name} is not scored: {error}", where=str(held_out))
            continue
        chosen = {"all": np.ones(len(molecules), np.bool_)} | {
            name: np.array([block in blocks for block in molecules.blocks]) for name, blocks in groups.items()
        }
        rows = score_rows(standardised(molecules.values, one.typical), by, chosen, seed=seed)
        rows.insert(0, "modality", one.name)
        parts.append(rows)
    if not parts:
        raise problem or InputError("no modality can be scored", where=str(corpus))
    return pd.concat(parts, ignore_index=True)


def read_strata(path: str | Path) -> dict[str, set[str]]:
    """Return the first InChIKey blocks of the members of each group of a table.

    Groups are the columns that hold only 0 and 1 (or are empty); a molecule is named by its InChIKey in the
    column ``inchikey``, else by its SMILES in ``smiles``.

    Raises
    ------
    InputError
        If the table names no molecules or no groups.
    """
    table = read_table(path, text=True).fillna("")
    if "inchikey" in table:
        blocks = [key[:BLOCK] for key in table["inchikey"]]
    elif "smiles" in table:
        blocks = [block_of(smiles) for smiles in table["smiles"]]
    else:
        raise InputError("names no molecules", where=str(path), hint="add a column inchikey or smiles")
    flags = {"0", "1", "0.0", "1.0", "True", "False", ""}
    groups = {
        str(name): {
            block for block, cell in zip(blocks, table[name], strict=True) if cell in {"1", "1.0", "True"}
        }
        for name in table.columns
        if set(table[name]) <= flags and set(table[name]) - {""}
    }
    if not groups:
        raise InputError("has no column of 0 and 1", where=str(path), hint="add one for each group")
    return groups


def _crossed(
    modality: TrainedModality, molecules: MeasuredMolecules, others: MeasuredMolecules, coverage: float
) -> ExpectedBy:
    """Return what is expected of each half by sources calibrated on the other."""
    half = halves_by_scaffold(molecules)
    expected: dict[str, NDArray[np.float64]] = {}
    inside: dict[str, NDArray[np.float64]] = {}
    alone: dict[str, list[int]] = {}
    for asked in (half, ~half):
        by = expected_by_source(
            modality, molecules.take(~asked), molecules.take(asked), others, coverage=coverage
        )
        for whole, part in ((expected, by.expected), (inside, by.coverage)):
            for name, rows in part.items():
                whole.setdefault(name, np.full((len(molecules), rows.shape[1]), np.nan))[asked] = rows
        for name, number in by.mean_alone.items():
            alone.setdefault(name, []).append(number)
    return ExpectedBy(expected, inside, {name: round(float(np.mean(two))) for name, two in alone.items()})
