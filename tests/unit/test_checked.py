from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError

ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(value=ANYTHING)
def test_what_comes_out_is_what_was_asked_for(value: Any) -> None:
    saved = Checked({"a": value}, {}, "part")
    asked: list[tuple[Any, Any]] = [
        (lambda: saved.whole("a", -5, 5), lambda x: type(x) is int and -5 <= x <= 5),
        (lambda: saved.real("a", 0, 1), lambda x: type(x) is float and 0 <= x <= 1),
        (lambda: saved.flag("a"), lambda x: x is True or x is False),
        (lambda: saved.word("a"), lambda x: isinstance(x, str)),
        (lambda: saved.words("a"), lambda x: all(isinstance(one, str) for one in x)),
        (lambda: saved.mapping("a"), lambda x: isinstance(x, dict)),
    ]
    for ask, good in asked:
        try:
            found = ask()
        except ModelDirectoryError as error:
            message = str(error)
        else:
            assert good(found)
            continue
        assert message.startswith("part: a is ")
        assert len(message) < 300


def test_a_size_is_the_same_wherever_it_stands() -> None:
    arrays = {"x": np.zeros((3, 2)), "y": np.zeros(4), "z": np.zeros(5)}
    saved = Checked({}, arrays)
    saved.array("x", np.float64, "rows tasks")
    saved.array("y", np.float64, "rows+1")
    with pytest.raises(ModelDirectoryError, match=r"\(5,\), which should be of shape \(rows\) with rows = 3"):
        saved.array("z", np.float64, "rows")


@pytest.mark.parametrize(
    ("array", "wanted", "why"),
    [
        (np.zeros(3, np.float32), {}, "of float64"),
        (np.array([0.0, np.nan]), {"finite": True}, "NaN or an infinite"),
        (np.array([0.0, np.nan]), {"missing": False}, "holds NaN"),
        (np.array([0.0, -1.0]), {"low": 0}, "below 0"),
        (np.array([0.0, 2.0]), {"low": 0, "high": 1}, "below 0 and above 1"),
        (np.zeros((2, 2)), {}, "of shape"),
    ],
)
def test_arrays_that_are_not_so_are_refused(array: Any, wanted: dict[str, Any], why: str) -> None:
    with pytest.raises(ModelDirectoryError, match=why):
        Checked({}, {"x": array}).array("x", np.float64, "n", **wanted)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ModelDirectoryError, match="the array x is missing"):
        Checked({}).array("x", np.float64, "n")
    with pytest.raises(ModelDirectoryError, match="k is missing"):
        Checked({}).whole("k")
