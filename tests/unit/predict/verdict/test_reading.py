from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytomol.assays.labels import Task
from cytomol.errors import InputError
from cytomol.predict.verdict.reading import read_measured

VALUE = Task("pIC50", "regression")
ACTIVE = Task("active", "binary", ("inactive", "active"))
COUNT = Task("count", "binary", ("1", "2"))
LEVEL = Task("level", "multiclass", ("low", "middle", "high"))


def test_classes_are_read_by_their_names_in_training() -> None:
    frame = pd.DataFrame(
        {
            "active": ["active", " Active", "", None],  # one class only, and it is place 1
            "count": ["2", "1.0", "NA", "2"],
            "level": ["high", "low", "middle", "HIGH"],
        }
    )
    found = read_measured(frame, [ACTIVE, COUNT, LEVEL])
    nan = np.nan
    expected = np.array([[1, 1, 2], [1, 0, 0], [nan, nan, 1], [nan, 1, 2]])
    np.testing.assert_array_equal(found.matrix, expected)
    assert found.tasks == (ACTIVE, COUNT, LEVEL)
    assert found.bounds is None


def test_zeros_and_ones_in_any_spelling() -> None:
    task = Task("hit", "binary", ("0", "1"))
    for cells in ([1, 0, 1], [1.0, 0.0, 1.0], [True, False, True], ["1", "0.0", "true"]):
        np.testing.assert_array_equal(
            read_measured(pd.DataFrame({"hit": cells}), [task]).matrix[:, 0], [1, 0, 1]
        )


def test_long_codes_are_told_apart() -> None:
    task = Task("batch", "binary", ("1000001", "1000002"))
    found = read_measured(pd.DataFrame({"batch": ["1000002", "1000001"]}), [task])
    np.testing.assert_array_equal(found.matrix[:, 0], [1, 0])


def test_values_are_numbers_even_if_they_look_like_classes() -> None:
    frame = pd.DataFrame({"pIC50": ["0", "1", "", "1"]})
    np.testing.assert_array_equal(read_measured(frame, [VALUE]).matrix[:, 0], [0, 1, np.nan, 1])


def test_a_class_that_the_model_does_not_know_is_refused() -> None:
    frame = pd.DataFrame({"active": ["active", "perhaps"]})
    with pytest.raises(
        InputError, match=r"t\.csv, row 2, column 'active'.*'perhaps' is none of .*inactive, active"
    ):
        read_measured(frame, [ACTIVE], where="t.csv")


def test_nothing_measured_is_refused() -> None:
    with pytest.raises(InputError, match="no label is measured"):
        read_measured(pd.DataFrame({"active": ["", "NA"]}), [ACTIVE])


def test_a_task_of_which_nothing_is_measured_is_left_out() -> None:
    frame = pd.DataFrame({"active": ["", "NA"], "pIC50": ["1.5", "-999"]})
    found = read_measured(frame, [ACTIVE, VALUE], missing_codes=["-999"])
    assert found.tasks == (VALUE,)
    np.testing.assert_array_equal(found.matrix[:, 0], [1.5, np.nan])


def test_codes_stand_for_nothing_measured_in_classes_too() -> None:
    frame = pd.DataFrame({"active": ["active", "n.d.", "-1", "inactive"]})
    found = read_measured(frame, [ACTIVE], missing_codes=["N.D.", "-1"])
    np.testing.assert_array_equal(found.matrix[:, 0], [1, np.nan, np.nan, 0])


def test_an_absent_column_is_refused() -> None:
    with pytest.raises(InputError, match="active"):
        read_measured(pd.DataFrame({"other": ["1"]}), [ACTIVE])
