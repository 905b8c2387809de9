"""Molecules with measured profiles, one a connectivity."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cytomol.cells.unseen import MeasuredMolecules
from cytomol.corpus.planted import generate_planted
from cytomol.evaluate.imputation.beside import halves_by_scaffold


def test_one_row_a_connectivity_and_no_row_that_is_no_molecule() -> None:
    smiles = generate_planted(200).corpus.smiles
    values = np.arange(2.0 * len(smiles), dtype=np.float32).reshape(-1, 2)
    found = MeasuredMolecules.of_rows(
        [*smiles, "no molecule", *smiles[:5]], np.concatenate([values, values[:6]])
    )
    assert len(set(found.blocks)) == len(found)
    assert found.left_out == 6 + len(smiles) - len(found)
    for place, text in enumerate(found.smiles):
        row = values[smiles.index(text)]
        assert found.values[place].tolist() == row.tolist()  # noqa: PD011 - no table of pandas
    half = halves_by_scaffold(found)
    scaffolds = pd.Series(found.scaffolds)
    rings = scaffolds != ""
    assert not set(scaffolds[half & rings]) & set(scaffolds[~half & rings])
    assert abs(half.mean() - 0.5) < 0.1


def test_the_first_profile_or_the_mean_of_all() -> None:
    smiles = ["CCO", "OCC", "CC", "C"]
    values = np.array([[1.0, np.nan], [3.0, np.nan], [7.0, 1.0], [np.nan, np.nan]], np.float32)
    first = MeasuredMolecules.of_rows(smiles, values)
    averaged = MeasuredMolecules.of_rows(smiles, values, averaged=True)
    assert first.smiles == averaged.smiles == ["CCO", "CC"]  # nothing was measured of the last one
    np.testing.assert_array_equal(first.values, values[[0, 2]])
    np.testing.assert_array_equal(averaged.values, [[2.0, np.nan], [7.0, 1.0]])


def test_among_and_beyond_divide_the_molecules() -> None:
    smiles, values = ["CCO", "CC", "CCC"], np.ones((3, 1), np.float32)
    block = MeasuredMolecules.of_rows(smiles, values).blocks[1]
    assert MeasuredMolecules.of_rows(smiles, values, among={block}).smiles == ["CC"]
    assert MeasuredMolecules.of_rows(smiles, values, beyond={block}).smiles == ["CCO", "CCC"]
    assert MeasuredMolecules.of_rows(smiles, values).take(np.array([False, False, True])).smiles == ["CCC"]
