from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble

from cytomol.errors import ModelDirectoryError
from cytomol.learners.trees import FlatTrees, _rounded_down, check_trees

rng = np.random.default_rng(0)
# values that recur, so that thresholds fall between equal neighbours, beside continuous ones
X = np.concatenate([rng.integers(0, 3, (120, 4)), rng.normal(size=(120, 4))], axis=1).astype(np.float32)
VALUE = X[:, 0] - X[:, 4] + rng.normal(scale=0.1, size=120)
NEW = np.concatenate([X, rng.normal(scale=3, size=(200, 8)).astype(np.float32)])


def forest(kind: str, seed: int = 0) -> Any:
    made = getattr(ensemble, kind)(12, random_state=seed, n_jobs=1)
    return made.fit(X, VALUE > 0 if kind.endswith("Classifier") else VALUE)


def expected(model: Any) -> np.ndarray:
    return model.predict_proba(NEW)[:, 1] if hasattr(model, "predict_proba") else model.predict(NEW)


@pytest.mark.parametrize("growth", ["RandomForest", "ExtraTrees"])
@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_predicts_as_scikit_learn(growth: str, kind: str) -> None:
    forests = [forest(growth + kind, seed) for seed in range(2)]
    found = FlatTrees.of_forests(forests).predict(NEW)
    assert found.shape == (len(NEW), 2)
    np.testing.assert_allclose(found, np.stack([expected(f) for f in forests], axis=1), rtol=1e-6, atol=1e-6)


def test_a_task_without_forest_is_unanswered() -> None:
    made = forest("ExtraTreesRegressor")
    found = FlatTrees.of_forests([None, made, None]).predict(NEW)
    assert np.isnan(found[:, [0, 2]]).all()
    np.testing.assert_allclose(found[:, 1], expected(made), rtol=1e-6, atol=1e-6)
    nothing = FlatTrees.of_forests([None])
    assert np.isnan(nothing.predict(NEW)).all()
    assert nothing.predict(NEW[:0]).shape == (0, 1)


def test_a_tree_that_is_one_leaf() -> None:
    made = ensemble.RandomForestRegressor(3, random_state=0).fit(X[:5], np.full(5, 2.5))
    np.testing.assert_array_equal(FlatTrees.of_forests([made]).predict(NEW), 2.5)


def test_arrays_make_the_same_trees() -> None:
    trees = FlatTrees.of_forests([forest("RandomForestClassifier"), None])
    again = FlatTrees.from_arrays({**trees.arrays(), "other": np.zeros(3)})
    np.testing.assert_array_equal(again.predict(NEW), trees.predict(NEW))
    assert all(array.dtype != object for array in trees.arrays().values())


def test_other_layouts_of_the_matrix_change_nothing() -> None:
    trees = FlatTrees.of_forests([forest("RandomForestRegressor")])
    np.testing.assert_array_equal(trees.predict(np.asfortranarray(NEW)), trees.predict(NEW))
    np.testing.assert_array_equal(trees.predict(NEW[::-1])[::-1], trees.predict(NEW))


@settings(max_examples=300, deadline=None)
@given(
    x=st.floats(width=32, allow_nan=False),
    threshold=st.floats(allow_nan=False, min_value=-3e38, max_value=3e38),
)
def test_rounding_a_threshold_never_changes_a_comparison(x: float, threshold: float) -> None:
    rounded = _rounded_down(np.array([threshold]))[0]
    assert rounded.dtype == np.float32
    assert (np.float32(x) <= rounded) == (float(np.float32(x)) <= threshold)


@settings(max_examples=300, deadline=None)
@given(a=st.floats(width=32, min_value=-(2.0**100), max_value=2.0**100), steps=st.integers(-2, 2))
def test_thresholds_right_beside_a_value(a: float, steps: int) -> None:
    threshold = float(np.float32(a))
    for _ in range(abs(steps)):
        threshold = float(np.nextafter(threshold, np.inf * np.sign(steps)))
    rounded = _rounded_down(np.array([threshold]))[0]
    for x in (np.float32(a), np.nextafter(np.float32(a), np.float32(np.inf))):
        assert (x <= rounded) == (float(x) <= threshold)


WHOLE = st.integers(-2, 6) | st.sampled_from([-(2**63), 2**63 - 1]) | st.integers(-(2**63), 2**63 - 1)


@given(roots=st.lists(WHOLE, max_size=5), tasks=st.lists(WHOLE, min_size=1, max_size=5))
def test_trees_stand_one_after_the_other_as_whole_numbers_without_end_say(
    roots: list[int], tasks: list[int]
) -> None:
    """Numbers of 64 bits wrap around; Python's do not."""
    nodes = 6
    stand = roots == sorted(set(roots)) and roots[:1] == [0] and roots[-1] < nodes
    stand &= tasks == sorted(tasks) and tasks[0] == 0 and tasks[-1] == len(roots)
    leaves = np.full(nodes, -1, np.int32)
    asked = (leaves, leaves, leaves, np.array(roots, np.int64), np.array(tasks, np.int64))
    if stand:
        check_trees(*asked, part="trees")
    else:
        with pytest.raises(ModelDirectoryError, match="one after the other"):
            check_trees(*asked, part="trees")
