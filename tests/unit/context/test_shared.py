"""Profiles with gaps against a slow comparison of every pair, and tables in different units."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.chem.similarity import SimilaritySearch
from cytomol.context import shared
from cytomol.context.cosine import comparable_values
from cytomol.context.shared import PartialProfiles
from cytomol.context.similar import Profiles, similar_pairs
from cytomol.context.threshold import similarity_grid

ALL = similarity_grid(0.2, 0.99)


def slowly(values: np.ndarray) -> dict[tuple[int, int], float]:
    """The correlation of every pair over what both have, one pair at a time."""
    found = {}
    least = max(3, int(np.ceil(0.1 * values.shape[1])))
    for i in range(len(values)):
        for j in range(i + 1, len(values)):
            both = np.isfinite(values[i]) & np.isfinite(values[j])
            a, b = values[i, both].astype(np.float64), values[j, both].astype(np.float64)
            if both.sum() < least or (a == a[0]).all() or (b == b[0]).all():
                continue
            a, b = a - a.mean(), b - b.mean()
            found[i, j] = float(a @ b / np.sqrt((a @ a) * (b @ b)))
    return found


def with_gaps(n: int, width: int, share: float, seed: int = 0) -> np.ndarray:
    """Profiles in families, with empty, nearly empty and constant rows and an empty column among them."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(max(1, n // 4), width))[rng.integers(0, max(1, n // 4), n)]
    values = values + 0.3 * rng.normal(size=(n, width))
    values[rng.random(values.shape) < share] = np.nan
    if n > 6:
        values[2], values[4, 1:], values[5] = np.nan, np.nan, 1.5
    values[:, -1] = np.nan
    return values.astype(np.float32)


@given(n=st.integers(0, 24), width=st.integers(1, 9), seed=st.integers(0, 2**16))
@settings(max_examples=30, deadline=None)
def test_rows_scaled_at_a_time_change_no_bit(n: int, width: int, seed: int) -> None:
    values = with_gaps(n, width, 0.2, seed)
    whole = PartialProfiles.of(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "_SCALED", 5)
        parts = PartialProfiles.of(values)
    assert parts.rows.tobytes() == whole.rows.tobytes()
    assert parts.measured.tobytes() == whole.measured.tobytes()
    order = np.arange(n)[::-1]
    assert whole.take(order).rows.tobytes() == whole.rows[order].tobytes()


@given(n=st.integers(0, 24), width=st.integers(1, 30), share=st.floats(0, 0.95), seed=st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_pairs_are_those_of_the_slow_way(n: int, width: int, share: float, seed: int) -> None:
    values = with_gaps(n, width, share, seed)
    wanted = slowly(values)
    table = PartialProfiles.of(values)
    groups = np.zeros(n, np.int64)
    i, j, similarity = table.pairs(-1.5, groups)
    got = dict(zip(zip(i.tolist(), j.tolist(), strict=True), similarity.tolist(), strict=True))
    assert set(got) == set(wanted)
    for pair, value in wanted.items():
        assert got[pair] == pytest.approx(value, abs=1e-5)
    counts, candidates = table.histogram(np.array([-1.5, 0.5], np.float32), groups)
    assert candidates == len(wanted) == counts.sum()
    assert counts[1] == (similarity >= 0.5).sum()


@pytest.mark.parametrize("block", [5, 512])
def test_blocks_and_groups(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_BLOCK", block)
    values = with_gaps(40, 30, 0.2)
    values[::3] = np.nan_to_num(values[::3])  # complete rows between those with gaps
    values[:, -1] = np.random.default_rng(1).normal(size=40)
    groups = np.random.default_rng(2).integers(-1, 2, 40)
    wanted = {
        pair: value for pair, value in slowly(values).items() if groups[pair[0]] == groups[pair[1]] >= 0
    }
    table = PartialProfiles.of(values)
    table.pairs(-1.5, np.zeros(40, np.int64))  # what is kept of other groups is not taken for that of these
    i, j, similarity = table.pairs(-1.5, groups)
    got = dict(zip(zip(i.tolist(), j.tolist(), strict=True), similarity.tolist(), strict=True))
    assert set(got) == set(wanted)
    assert all(got[pair] == pytest.approx(value, abs=1e-5) for pair, value in wanted.items())
    rows = np.array([0, 7, 39])
    near = [value for pair, value in slowly(values).items() for row in rows if row in pair and value >= 0.2]
    assert PartialProfiles.of(values).row_histogram(rows, np.array([0.2], np.float32)).tolist() == [len(near)]


def test_index_proposes_and_what_is_shared_decides() -> None:
    values = with_gaps(120, 40, 0.15)
    table = PartialProfiles.of(values)
    wanted = {pair: value for pair, value in slowly(values).items() if value >= 0.5}
    i, j, similarity = table.indexed_pairs(0.5)
    got = dict(zip(zip(i.tolist(), j.tolist(), strict=True), similarity.tolist(), strict=True))
    assert len(set(got) & set(wanted)) >= 0.95 * len(wanted) > 100
    assert set(got) <= set(wanted)
    assert all(got[pair] == pytest.approx(wanted[pair], abs=1e-5) for pair in got)


def test_a_complete_table_is_compared_as_before() -> None:
    values = np.random.default_rng(0).normal(size=(30, 12)).astype(np.float32)
    assert isinstance(Profiles.of(values), Profiles)
    complete = Profiles.of(values).pairs(0.3, np.zeros(30, np.int64))
    gaps = PartialProfiles.of(values).pairs(0.3, np.zeros(30, np.int64))
    assert set(zip(*map(np.ndarray.tolist, complete[:2]), strict=True)) == set(
        zip(*map(np.ndarray.tolist, gaps[:2]), strict=True)
    )


@pytest.mark.parametrize("spoil", ["empty rows", "one value each", "half of the features"])
def test_rows_without_values_take_no_edges_from_the_others(spoil: str) -> None:
    rng = np.random.default_rng(3)
    values = with_gaps(100, 60, 0)[:, :-1]
    values[[2, 4, 5]] = rng.normal(size=(3, 59))
    real = similar_pairs(Profiles.of(values), ALL, 0.5, SimilaritySearch("exact"))
    more = np.full((20, 59), np.nan, np.float32)
    if spoil == "one value each":
        more[np.arange(20), np.arange(20)] = 1
    if spoil == "half of the features":
        more[:, ::2] = rng.normal(size=(20, 30))
    found = similar_pairs(Profiles.of(np.concatenate([values, more])), ALL, 0.5, SimilaritySearch("exact"))
    pairs = set(zip(found.i.tolist(), found.j.tolist(), strict=True))
    wanted = set(zip(real.i.tolist(), real.j.tolist(), strict=True))
    assert len(wanted) > 100
    if spoil == "half of the features":  # further candidates move the threshold, not the real pairs away
        assert len(pairs & wanted) > 0.9 * len(wanted)
    else:
        assert pairs == wanted


def test_a_feature_in_large_units_does_not_decide_alone() -> None:
    rng = np.random.default_rng(0)
    values = (0.2 + 0.01 * rng.normal(size=(60, 20))).astype(np.float32)
    values[1] = values[0]
    pixels = values.copy()
    pixels[:, 3] = 5000 + 900 * rng.normal(size=60)
    pixels[1, 3] = pixels[0, 3] + 400
    stored = similar_pairs(Profiles.of(pixels), ALL, 0.9, SimilaritySearch("exact"))
    assert len(stored.i) == 60 * 59 // 2  # all are alike, as no other feature has a say
    for how in ("auto", "scaled"):
        scaled = comparable_values(pixels, how)
        found = similar_pairs(Profiles.of(scaled), ALL, 0.995, SimilaritySearch("exact"))
        assert (0, 1) in set(zip(found.i.tolist(), found.j.tolist(), strict=True))
        assert len(found.i) < 20
    assert comparable_values(pixels, "stored") is pixels
    pixels[0, 0] = np.nan
    filled = comparable_values(pixels, "filled")
    assert filled[0, 0] == pytest.approx(np.nanmean(pixels[:, 0]))
    assert isinstance(Profiles.of(filled), Profiles)


@pytest.mark.parametrize("normal", ["z-scores", "one column", "constant", "nothing"])
def test_normalised_tables_stay_as_they_are(normal: str) -> None:
    values = np.random.default_rng(0).normal(size=(40, 9)).astype(np.float32)
    if normal == "one column":
        values = values[:, :1] * 1e6
    if normal == "constant":
        values[:] = 7
    if normal == "nothing":
        values[:] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert comparable_values(values, "auto") is values
        scaled = comparable_values(values, "scaled")
    assert scaled.shape == values.shape
    assert (np.isnan(scaled) == np.isnan(values)).all()


def test_scaling_keeps_gaps_and_centres() -> None:
    values = with_gaps(50, 12, 0.2)
    values[:, :3] *= 1e5
    scaled = comparable_values(values, "auto")
    assert (np.isnan(scaled) == np.isnan(values)).all()
    np.testing.assert_allclose(np.nanmedian(scaled[:, :-1], axis=0), 0, atol=1e-5)
