"""Profiles as input: who has which, and what validation molecules may not tell."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from cytomol.corpus.scaling import FeatureScaler
from cytomol.methods.chmr import CHMR
from cytomol.methods.config import CHMRConfig
from cytomol.methods.needs import Filling
from cytomol.training.dataset.profile_inputs import ProfileInput, RowTable, input_scaler, profile_input

N, WIDTH = 12, 4


def _filling(**options: Any) -> Filling:
    """Return how CHMR with these options has missing profiles filled."""
    profiles = CHMR.needs(CHMRConfig.build(options)).profiles
    assert profiles is not None
    assert profiles.filling is not None
    return profiles.filling


def _input(seed: int, **options: Any) -> tuple[ProfileInput, NDArray[np.int64], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    W = sparse.csr_matrix(rng.random((N, N)) * (rng.random((N, N)) < 0.3))
    W = sparse.csr_matrix(W / np.maximum(np.asarray(W.sum(axis=1)), 1e-9)).astype(np.float32)
    rows = np.array([1, 3, 4, 8])
    values = rng.random((4, WIDTH)).astype(np.float32)
    values[0, 2] = np.nan
    held = np.zeros(N, np.bool_)
    held[[4, 5]] = True
    return profile_input(rows, values, held, W, _filling(**options), seed=0), rows, values


@given(st.lists(st.integers(0, 9), max_size=15))
def test_gather_equals_a_loop(rows: list[int]) -> None:
    values = np.random.default_rng(0).random((3, WIDTH)).astype(np.float32)
    table = RowTable.of(np.array([2, 5, 7]), values, 10)
    otherwise = np.full(WIDTH, 9, np.float32)
    found, present = table.gather(np.array(rows, np.int64), otherwise)
    where = {2: 0, 5: 1, 7: 2}
    assert present.tolist() == [row in where for row in rows]
    for row, got in zip(rows, found, strict=True):
        assert np.array_equal(got, values[where[row]] if row in where else otherwise)


def test_the_placeholder_is_the_mean_of_training_profiles() -> None:
    profile, _, values = _input(0)
    train = values[[0, 1, 3]]
    np.testing.assert_allclose(profile.placeholder, np.nanmean(train, axis=0), rtol=1e-6)
    measured, observed = profile.measured.gather(np.arange(N), profile.placeholder)
    assert np.flatnonzero(observed).tolist() == [1, 3, 4, 8]
    assert measured[1, 2] == profile.placeholder[2]
    np.testing.assert_array_equal(measured[4], values[2])


def test_what_a_validation_molecule_shows_reaches_nobody() -> None:
    profile, rows, values = _input(1)
    rng = np.random.default_rng(1)
    W = sparse.csr_matrix(rng.random((N, N)) * (rng.random((N, N)) < 0.3))
    W = sparse.csr_matrix(W / np.maximum(np.asarray(W.sum(axis=1)), 1e-9)).astype(np.float32)
    changed = values.copy()
    changed[2] = 0.123
    held = np.zeros(N, np.bool_)
    held[[4, 5]] = True
    other = profile_input(rows, changed, held, W, Filling(), seed=0)
    for name in ("augmented", "held_out"):
        np.testing.assert_array_equal(getattr(profile, name).values, getattr(other, name).values)
    np.testing.assert_array_equal(profile.placeholder, other.placeholder)


def test_a_measured_profile_is_not_kept_twice_unless_overwritten() -> None:
    restored, rows, _ = _input(2)
    assert not (restored.augmented.position[rows] >= 0).any()
    overwritten, rows, _ = _input(2, restore_observed=False)
    assert (overwritten.augmented.position[rows] >= 0).any()


def test_held_out_rows_are_measured_rows() -> None:
    profile, rows, _ = _input(3)
    assert set(np.flatnonzero(profile.held_out.position >= 0)) <= set(rows.tolist())
    paper, _, _ = _input(3, alignment="paper")
    assert not (paper.held_out.position >= 0).any()


def test_a_modality_that_no_molecule_has() -> None:
    held = np.zeros(N, np.bool_)
    empty = profile_input(
        np.empty(0, np.int64),
        np.empty((0, WIDTH), np.float32),
        held,
        sparse.eye_array(N).tocsr(),
        Filling(),
        seed=0,
    )
    assert empty.placeholder.tolist() == [0.5] * WIDTH
    values, observed = empty.measured.gather(np.arange(3), empty.placeholder)
    assert not observed.any()
    assert (values == 0.5).all()


@pytest.mark.parametrize("steps", [0, 1, 2, 4])
def test_profiles_spread_as_many_steps_as_asked_for(steps: int) -> None:
    """On a chain, in which molecule i has the one neighbour i - 1, each step reaches one further."""
    chain = sparse.csr_matrix(np.eye(N, k=-1, dtype=np.float32))
    rows, values = np.array([0, 3]), np.array([[0.2] * WIDTH, [0.9] * WIDTH], np.float32)
    options = _filling(propagation_steps=steps)
    profile = profile_input(rows, values, np.zeros(N, np.bool_), chain, options, seed=0)
    told = [row for row in range(1, N) if row != 3 and row - (0 if row < 3 else 3) <= steps]
    assert np.flatnonzero(profile.augmented.position >= 0).tolist() == told
    found, _ = profile.augmented.gather(np.array(told, np.int64), profile.placeholder)
    np.testing.assert_allclose(found[:, 0], [0.2 if row < 3 else 0.9 for row in told], rtol=1e-6)
    # of the two measured ones only the later has a neighbour, three steps before it
    held_out = np.flatnonzero(profile.held_out.position >= 0).tolist()
    assert held_out == ([3] if steps >= 3 else [])
    if held_out:
        np.testing.assert_allclose(profile.held_out.values, values[:1], rtol=1e-6)


def test_published_propagation_by_hand() -> None:
    """Without restoring, and with the column mean for a missing neighbour, as the authors' code has it."""
    W = np.zeros((N, N), np.float32)
    W[0, [1, 2]], W[1, [0, 2]], W[2, [0, 3]] = (0.25, 0.75), (0.5, 0.5), (0.6, 0.4)
    values = np.array([[0.1], [0.9]], np.float32)
    state = np.full(N, 0.5)  # the mean of the two
    state[[0, 1]] = 0.1, 0.9
    for _ in range(3):
        state = np.where(W.any(axis=1), W @ state, state)
    options = _filling(
        restore_observed=False, propagation_fill="mean", propagation_steps=3, alignment="paper"
    )
    profile = profile_input(
        np.array([0, 1]), values, np.zeros(N, np.bool_), sparse.csr_matrix(W), options, seed=0
    )
    found, present = profile.augmented.gather(np.arange(3), profile.placeholder)
    assert present.all()
    np.testing.assert_allclose(found[:, 0], state[:3], rtol=1e-5)


@pytest.mark.parametrize("kind", ["minmax", "zscore", "raw"])
def test_profiles_that_are_absent_or_empty_are_scaled_all_the_same(
    kind: Literal["minmax", "zscore", "raw"],
) -> None:
    """No profile at all, or a column that nobody measured: it is neither an error nor NaN."""
    gaps = np.array([[np.nan, 1.0], [np.nan, 3.0]], np.float32)
    for values in (gaps, gaps[:0]):
        scaler = input_scaler(kind, FeatureScaler.fit(values), values)
        scaled = scaler.transform(np.ones((1, 2), np.float32))
        assert np.isfinite(scaled).all()
        if kind == "zscore" and len(values):
            assert scaler.transform(gaps)[:, 1].tolist() == [-1.0, 1.0]
