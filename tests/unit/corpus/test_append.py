"""Further rows of a modality."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.corpus.append import stack_profiles
from cytomol.corpus.problems import Problems
from cytomol.corpus.schema import Modality
from cytomol.errors import InputError


def modality(rows: list[int], columns: str, values: list[list[float]], kind: str = "morphology") -> Modality:
    return Modality("cp", kind, "molecule", np.array(rows), np.array(values, np.float32), tuple(columns))


OLD = modality([0, 1], "ab", [[1, 2], [3, np.nan]])


def test_union_of_features() -> None:
    problems = Problems()
    stacked = stack_profiles(OLD, modality([2, 0], "cb", [[5, 6], [7, 8]]), problems)
    assert stacked.columns == ("a", "b", "c")
    assert stacked.rows.tolist() == [0, 1, 2, 0]
    nan = np.nan
    expected = np.array([[1, 2, nan], [3, nan, nan], [nan, 6, 5], [nan, 8, 7]], np.float32)
    np.testing.assert_array_equal(stacked.values, expected)
    assert problems.notes == [
        "modality cp: 1 feature is empty in the new profiles: a",
        "modality cp: 1 feature is empty in the old profiles: c",
        "modality cp: 1 new profile is of a molecule that had one before; both are kept",
    ]


def test_the_same_profile_stays_once() -> None:
    problems = Problems()
    again = stack_profiles(OLD, modality([1, 1], "ba", [[np.nan, 3], [2, 3]]), problems)
    assert again.rows.tolist() == [0, 1, 1]
    assert "1 profile was there already" in problems.notes[0]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (modality([0], "ab", [[1, 2]], "expression"), "is of kind morphology of molecules"),
        (
            Modality("cp", "morphology", "gene", np.array([0]), np.ones((1, 2), np.float32), ("a", "b")),
            "of genes",
        ),
        (modality([0], "xy", [[1, 2]]), "shares no feature"),
    ],
)
def test_what_does_not_belong_together(other: Modality, message: str) -> None:
    with pytest.raises(InputError, match=message):
        stack_profiles(OLD, other, Problems())
