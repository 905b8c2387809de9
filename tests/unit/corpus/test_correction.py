"""Corrections by plate: what they reach, what they leave alone, and that they are undone exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytomol.corpus.correction import FEWEST, GroupCorrection
from cytomol.errors import ConfigError, InputError

WAYS = st.sampled_from(["center", "standardise"])
VALUES = arrays(np.float32, (40, 3), elements=st.floats(-100, 100, width=16))
GROUPS = st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=40, max_size=40)


def _groups(names: list[str]) -> np.ndarray:
    return np.array(names, dtype=object)


@settings(max_examples=60, deadline=None)
@given(VALUES, GROUPS, WAYS)
def test_mean_and_spread_of_a_group_become_those_of_all(
    values: np.ndarray, names: list[str], way: str
) -> None:
    groups = _groups(names)
    correction = GroupCorrection.fit(values, groups, way, by="Metadata_Plate")  # type: ignore[arg-type]
    corrected = correction.apply(values, groups).astype(np.float64)
    overall = values.astype(np.float64)
    for name in correction.groups:
        rows = groups == name
        if rows.sum() < FEWEST:
            np.testing.assert_array_equal(corrected[rows], overall[rows])
            continue
        np.testing.assert_allclose(corrected[rows].mean(axis=0), overall.mean(axis=0), atol=1e-3)
        varies = (overall[rows].std(axis=0) > 1e-2) & (overall.std(axis=0) > 0)
        if way == "standardise":
            np.testing.assert_allclose(
                corrected[rows].std(axis=0)[varies], overall.std(axis=0)[varies], rtol=1e-3, atol=1e-3
            )


@settings(max_examples=60, deadline=None)
@given(VALUES, GROUPS, WAYS)
def test_the_order_of_profiles_does_not_count(values: np.ndarray, names: list[str], way: str) -> None:
    groups = _groups(names)
    correction = GroupCorrection.fit(values, groups, way, by="Metadata_Plate")  # type: ignore[arg-type]
    corrected = correction.apply(values, groups)
    order = np.random.default_rng(0).permutation(len(values))
    np.testing.assert_array_equal(correction.apply(values[order], groups[order]), corrected[order])
    again = GroupCorrection.fit(values[order], groups[order], way, by="Metadata_Plate")  # type: ignore[arg-type]
    np.testing.assert_allclose(again.shift, correction.shift, rtol=1e-9, atol=1e-6)


def test_each_feature_is_that_of_pandas() -> None:
    import pandas as pd

    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 4)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    groups = np.repeat(np.array(["x", "y", "z"], dtype=object), 20)
    correction = GroupCorrection.fit(values, groups, "standardise", by="Metadata_Plate")
    frame = pd.DataFrame(values.astype(np.float64))
    own = frame.groupby(groups)
    wanted = (frame - own.transform("mean")) / own.transform("std", ddof=0) * frame.std(ddof=0) + frame.mean()
    np.testing.assert_allclose(correction.apply(values, groups), wanted.to_numpy(), rtol=1e-4, atol=1e-5)


def test_unknown_small_and_nameless_groups_stay_as_they_are() -> None:
    values = np.arange(20, dtype=np.float32)[:, None]
    groups = _groups(["a"] * 10 + ["b"] * (FEWEST - 1) + [""] * (10 - FEWEST + 1))
    correction = GroupCorrection.fit(values, groups, "center", by="Metadata_Plate")
    new = np.array([[3.0], [4.0], [5.0]], np.float32)
    assert correction.apply(new, ["b", "never seen", ""]).tolist() == new.tolist()
    assert correction.apply(new[:1], ["a"])[0, 0] == pytest.approx(3 - 4.5 + 9.5)


def test_a_constant_feature_is_centred_alone_and_nan_stays() -> None:
    values = np.array([[1.0]] * 10 + [[3.0]] * 10, np.float32)
    groups = _groups(["a"] * 10 + ["b"] * 10)
    correction = GroupCorrection.fit(values, groups, "standardise", by="Metadata_Plate")
    corrected = correction.apply(np.array([[1.0], [3.0], [np.nan]], np.float32), ["a", "b", "a"])
    np.testing.assert_array_equal(corrected, np.array([[2.0], [2.0], [np.nan]], np.float32))


def test_saved_and_read_again() -> None:
    values = np.random.default_rng(1).normal(size=(30, 2)).astype(np.float32)
    groups = _groups(["Plattenbau-Ä", "b", ""] * 10)
    correction = GroupCorrection.fit(values, groups, "standardise", by="Metadata_Batch")
    again = GroupCorrection.from_arrays(correction.arrays())
    assert (again.way, again.by, again.groups) == (correction.way, correction.by, correction.groups)
    np.testing.assert_array_equal(again.apply(values, groups), correction.apply(values, groups))


def test_what_does_not_fit_is_refused() -> None:
    values = np.zeros((10, 2), np.float32)
    groups = _groups(["a"] * 10)
    with pytest.raises(ConfigError, match="unknown correction 'whiten'"):
        GroupCorrection.fit(values, groups, "whiten", by="Metadata_Plate")  # type: ignore[arg-type]
    correction = GroupCorrection.fit(values, groups, "center", by="Metadata_Plate")
    with pytest.raises(InputError, match="fitted on 2 features"):
        correction.apply(np.zeros((1, 3), np.float32), ["a"])
    with pytest.raises(InputError, match="with 2 groups"):
        correction.apply(values[:1], ["a", "b"])
    broken = correction.arrays() | {"names": np.frombuffer(b"{}", np.uint8)}
    with pytest.raises(InputError, match="cannot be read"):
        GroupCorrection.from_arrays(broken)
    with pytest.raises(InputError, match="does not fit its groups"):
        GroupCorrection.from_arrays(correction.arrays() | {"shift": np.zeros((2, 2))})
