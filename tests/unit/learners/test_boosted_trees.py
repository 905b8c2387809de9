from __future__ import annotations

import contextlib
from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cytomol.errors import ModelDirectoryError
from cytomol.learners.boosted_trees import BoostedTrees
from cytomol.learners.boosting_text import BoostedText

EDGES = [0.0, -0.0, 1e-35, -1e-35, 1.0000001e-35, 9e-36, 1e-40, np.nan, np.inf, -np.inf, 3e38, -3e38, 1.0]


@cache
def trained(objective: str, missing: str) -> Any:
    """Return a booster of LightGBM's, whose trees treat missing values in one of its three ways."""
    rng = np.random.default_rng(3)
    X = np.where(rng.random((400, 6)) < 0.4, 0, rng.normal(size=(400, 6))).astype(np.float32)
    if missing == "nan":
        X[rng.random(X.shape) < 0.2] = np.nan
    y = np.nan_to_num(X[:, 0]) + np.isnan(X[:, 1]) + np.nan_to_num(X[:, 2]) ** 2
    options = {
        "objective": objective,
        "verbose": -1,
        "min_data_in_leaf": 3,
        "zero_as_missing": missing == "zero",
        "use_missing": missing != "none",
        "num_threads": 1,
    }
    return lightgbm.train(options, lightgbm.Dataset(X, y > y.mean() if objective == "binary" else y), 40)


def trees_of(*boosters: Any) -> BoostedTrees:
    texts = [None if one is None else one.model_to_string() for one in boosters]
    return BoostedTrees.of_texts(texts, probability=BoostedText.read(next(filter(None, texts))).probability)


@pytest.mark.parametrize("objective", ["binary", "l1"])
@pytest.mark.parametrize("missing", ["none", "zero", "nan"])
@settings(max_examples=40, deadline=None)
@given(
    X=npst.arrays(
        np.float32,
        st.tuples(st.integers(1, 30), st.just(6)),
        elements=st.one_of(st.sampled_from(EDGES).map(np.float32), st.floats(-4, 4, width=32)),
    )
)
def test_answers_as_lightgbm_to_the_last_bit(objective: str, missing: str, X: Any) -> None:
    booster = trained(objective, missing)
    np.testing.assert_array_equal(trees_of(booster).predict(X)[:, 0], booster.predict(X, num_threads=1))


def test_a_task_without_trees_is_unanswered() -> None:
    booster = trained("binary", "nan")
    X = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    found = trees_of(None, booster, None).predict(X)
    assert np.isnan(found[:, [0, 2]]).all()
    np.testing.assert_array_equal(found[:, 1], booster.predict(X))
    nothing = BoostedTrees.of_texts([None], probability=True)
    assert np.isnan(BoostedTrees.from_arrays(nothing.arrays(), probability=True).predict(X)).all()


def test_a_tree_that_is_one_leaf() -> None:
    booster = lightgbm.train(
        {"objective": "l1", "verbose": -1}, lightgbm.Dataset(np.zeros((50, 2)), np.full(50, 2.5)), 3
    )
    X = np.ones((4, 2), np.float32)
    np.testing.assert_array_equal(trees_of(booster).predict(X)[:, 0], booster.predict(X))


def test_arrays_make_the_same_trees() -> None:
    trees = trees_of(trained("l1", "zero"), trained("l1", "none"))
    again = BoostedTrees.from_arrays(trees.arrays(), probability=False)
    X = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    np.testing.assert_array_equal(again.predict(X), trees.predict(X))


def test_a_matrix_that_is_too_narrow_is_refused() -> None:
    with pytest.raises(ModelDirectoryError, match="column 5 of a matrix of 2"):
        trees_of(trained("binary", "none")).predict(np.zeros((1, 2), np.float32))


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(["feature", "threshold", "decision", "left", "right", "value", "roots", "tasks"]),
    place=st.integers(0, 2**20),
    new=st.one_of(
        st.integers(-(2**63), 2**63 - 1), st.sampled_from([np.nan, np.inf, -1, 0, 1, 2, 10**6, -(2**63)])
    ),
)
@example(name="roots", place=-1, new=-(2**63))  # less the root before it is a large positive number
def test_altered_trees_are_refused_or_end(name: str, place: int, new: Any) -> None:
    """Whatever one number is changed to, a walk ends inside the arrays."""
    arrays = trees_of(trained("binary", "nan")).arrays()
    table = arrays[f"boosted.{name}"] = arrays[f"boosted.{name}"].copy()
    with np.errstate(invalid="ignore"):
        table[place % len(table)] = np.array(new).astype(table.dtype)
    with contextlib.suppress(ModelDirectoryError):
        found = BoostedTrees.from_arrays(arrays, probability=True)
        assert found.predict(np.zeros((2, 6), np.float32)).shape == (2, 1)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("num_leaves=", "num_leaves=9", "numbers where|too large"),
        ("num_cat=0", "num_cat=1", "categories"),
        ("left_child=", "left_child=0 ", "numbers where"),
        ("threshold=", "threshold=x", "no number"),
        ("leaf_value=", "leaf_value=1e999", "not finite|no number|one that is too long"),
        ("objective=binary sigmoid:1", "objective=poisson", "objective is 'poisson'"),
        ("end of trees", "end", "cut short"),
        ("num_class=1", "num_class=3", "several classes"),
        ("split_feature=", "split_feature=-", "cannot be|no number"),
    ],
)
def test_an_altered_text_is_refused(old: str, new: str, why: str) -> None:
    text = trained("binary", "nan").model_to_string()
    assert old in text
    with pytest.raises(ModelDirectoryError, match=why):
        BoostedText.read(text.replace(old, new, 1))


def test_a_circle_in_a_text_is_refused() -> None:
    text = trained("binary", "nan").model_to_string()
    line = next(line for line in text.split("\n") if line.startswith("left_child="))
    with pytest.raises(ModelDirectoryError, match="before the node"):
        BoostedText.read(text.replace(line, "left_child=0 " + line.split(" ", 1)[1], 1))
