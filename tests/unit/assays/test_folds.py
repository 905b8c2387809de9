from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cytomol.assays.dates import read_dates
from cytomol.assays.folds import valid_folds
from cytomol.errors import InputNote

SMILES = ["CCO", "bad", "OCC", "CCN", "CCC", "CCCC", "c1ccccc1"]
VALID = np.array([text != "bad" for text in SMILES])
OPTIONS = SimpleNamespace(split_type="random", split_fractions=(0.5, 0.25, 0.25), split_seed=1)


def test_invalid_molecules_are_in_no_fold_and_repeats_in_one() -> None:
    folds = valid_folds(SMILES, VALID, None, OPTIONS)
    assert folds[1] == ""
    assert folds[0] == folds[2]
    assert (folds[VALID] != "").all()


def test_given_folds_stay_and_divided_molecules_are_said() -> None:
    given = np.array(["train", "train", "test", "train", "valid", "test", "train"])
    with pytest.warns(InputNote, match=r"split given: 1 molecule\(s\) stand in two folds"):
        folds = valid_folds(SMILES, VALID, given, OPTIONS)
    assert folds.tolist() == ["train", "", "test", "train", "valid", "test", "train"]


def test_molecules_of_no_fold_are_said() -> None:
    given = np.array(["train", "", "test", "", "valid", "", "train"])
    with pytest.warns(InputNote) as told:
        valid_folds(SMILES, VALID, given, OPTIONS)
    assert "split given: 2 molecules are in no fold: neither learnt from nor scored" in map(
        str, (each.message for each in told)
    )


def test_folds_by_dates_leave_invalid_and_undated_rows_out() -> None:
    cells = pd.Series(
        ["2020-01-01", "2020-01-01", "2024-01-01", "2021-01-01", "", "2022-01-01", "2023-01-01"], name="d"
    )
    options = SimpleNamespace(split_type="time", split_fractions=(0.5, 0.25, 0.25), split_seed=0)
    with pytest.warns(InputNote, match="1 of 6 rows has no date"):
        folds = valid_folds(SMILES, VALID, None, options, dates=read_dates(cells, where="t.csv"))
    # a molecule of two dates has the earlier one
    assert folds.tolist() == ["train", "", "train", "valid", "", "valid", "test"]
