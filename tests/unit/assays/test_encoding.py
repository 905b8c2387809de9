"""Tasks as columns and back: units, classes, bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Labels, Task

TASKS = (
    Task("active", "binary", ("no", "yes")),
    Task("colour", "multiclass", ("red", "green", "blue")),
    Task("pic50", "regression"),
)
MATRIX = np.array([[0.0, 2.0, 5.0], [1.0, np.nan, 7.0], [np.nan, 0.0, np.nan], [1.0, 1.0, 6.0]])
LABELS = Labels(TASKS, MATRIX, bounds=np.array([[0, 0, -1], [0, 0, 0], [0, 0, 0], [0, 0, 1]], dtype=np.int8))
ALL = np.ones(4, dtype=bool)


def test_classes_of_three_are_columns_of_their_own() -> None:
    encoding = Encoding.fit(LABELS, ALL)
    assert encoding.columns == ("active", "colour=red", "colour=green", "colour=blue", "pic50")
    assert encoding.kinds.tolist() == ["classification"] * 4 + ["regression"]
    columns, bounds = encoding.encode(LABELS)
    np.testing.assert_array_equal(columns[:, 1:4], [[0, 0, 1], [np.nan] * 3, [1, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(columns[:, 4], [-np.sqrt(1.5), np.sqrt(1.5), np.nan, 0], atol=1e-12)
    assert bounds is not None
    assert bounds[:, 4].tolist() == [-1, 0, 0, 1]
    np.testing.assert_allclose(encoding.task_values(encoding.decode(columns)), MATRIX)


def test_probabilities_of_classes_sum_to_one() -> None:
    encoding = Encoding.fit(LABELS, ALL)
    answers = np.array([[0.5, 0.2, 0.2, 0.1, 0.0], [0.1, 0.9, 0.9, 0.0, 1.0]])
    decoded = encoding.decode(answers)
    np.testing.assert_allclose(decoded[:, 1:4].sum(axis=1), 1)
    np.testing.assert_allclose(decoded[1, 1:4], [0.5, 0.5, 0.0])
    assert decoded[:, 4].tolist() == [6.0, 6.0 + np.std([5, 7, 6])]


def test_units_are_those_of_the_training_rows() -> None:
    labels = Labels((Task("y", "regression"),), np.array([[1.0], [3.0], [1e9]]))
    encoding = Encoding.fit(labels, np.array([True, True, False]))
    assert (encoding.center.tolist(), encoding.scale.tolist()) == ([2.0], [1.0])


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([1e-300, 1e-14, 1e-6, 1.0, 1e6, 1e30, 1e300]),
    st.sampled_from([0.0, 1.0, -250_000.0]),
    st.lists(st.integers(-100, 100), min_size=2, max_size=20, unique=True),
)
def test_every_scale_is_learnt_alike(scale: float, offset: float, values: list[int]) -> None:
    y = (np.array(values, dtype=float) + offset) * scale
    encoding = Encoding.fit(Labels((Task("y", "regression"),), y[:, None]), np.ones(len(y), dtype=bool))
    columns, _ = encoding.encode(Labels((Task("y", "regression"),), y[:, None]))
    expected = (np.array(values) - np.mean(values)) / np.std(values)
    np.testing.assert_allclose(columns[:, 0], expected, rtol=1e-6, atol=1e-6)
    # a value that is 0 comes back as a rounding error of what it was shifted by
    np.testing.assert_allclose(encoding.decode(columns)[:, 0], y, rtol=1e-9, atol=1e-9 * np.ptp(y))


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [3.0], [3.0, 3.0], [0.1 + 0.2, 0.3], [0.0, 0.0]])
def test_what_does_not_vary_keeps_its_unit(values: list[float]) -> None:
    labels = Labels((Task("y", "regression"),), np.array(values, dtype=float).reshape(-1, 1))
    assert Encoding.fit(labels, np.ones(len(values), dtype=bool)).scale.tolist() == [1.0]


def test_state_restores() -> None:
    encoding = Encoding.fit(LABELS, ALL)
    again = Encoding.restore(*encoding.state())
    assert again.tasks == TASKS
    np.testing.assert_array_equal(again.scale, encoding.scale)
