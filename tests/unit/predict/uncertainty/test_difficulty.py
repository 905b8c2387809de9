"""Difficulty: what widths follow, and that no row's scale was fitted on its own error."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.predict.uncertainty import PredictionIntervals
from cytomol.predict.uncertainty.difficulty import Clues, choose_difficulty, difficulties
from cytomol.predict.uncertainty.difficulty.choose import interval_score
from cytomol.predict.uncertainty.difficulty.rising import fit_rising
from cytomol.predict.uncertainty.held_folds import folds_of


def simulate(n: int, seed: int, *, distance: float = 0.0, spread: float = 0.0) -> tuple[np.ndarray, Clues]:
    """Return errors that grow with distance and spread at these rates, and the clues."""
    rng = np.random.default_rng(seed)
    clues = Clues(rng.gamma(2.0, 0.5, n), rng.beta(3, 3, n))
    scale = np.exp(distance * (1 - clues.similarity)) * clues.spread**spread
    return np.abs(rng.normal(size=n)) * scale, clues


def test_rates_are_found() -> None:
    errors, clues = simulate(20_000, 0, distance=2.0, spread=0.7)
    x = np.column_stack([np.log(clues.spread), 1 - clues.similarity])
    found = fit_rising(errors, x)
    assert found is not None
    np.testing.assert_allclose(found, [np.log(np.sqrt(2 / np.pi)), 0.7, 2.0], atol=0.06)


def test_the_unit_of_the_errors_does_not_matter() -> None:
    errors, clues = simulate(500, 0, distance=2.0)
    for unit in (1e-14, 1e30):
        for name in difficulties:
            a, b = (
                difficulties[name].fit(errors, clues),
                difficulties[name].fit(errors * unit, Clues(clues.spread * unit, clues.similarity)),
            )
            ratio = b.scale(Clues(clues.spread * unit, clues.similarity)) / a.scale(clues)
            np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3, err_msg=name)


def test_errors_that_fall_with_distance_do_not_narrow_intervals_far_away() -> None:
    errors, clues = simulate(2000, 0, distance=-2.0)
    found = difficulties["distance"].fit(errors, clues)
    scale = found.scale(Clues(clues.spread[:2], np.array([0.1, 0.9])))
    assert scale[0] == pytest.approx(scale[1])


@pytest.mark.parametrize(
    ("distance", "spread", "expected"),
    [(2.0, 0.0, "distance"), (0.0, 0.0, "distance"), (2.0, 1.0, "spread-distance")],
)
def test_the_choice_with_similarities(distance: float, spread: float, expected: str) -> None:
    errors, clues = simulate(1500, 1, distance=distance, spread=spread)
    assert choose_difficulty(errors, clues, folds_of(1500))[0].name == expected


@pytest.mark.parametrize(("spread", "expected"), [(0.0, "constant"), (1.0, "spread")])
def test_the_choice_without(spread: float, expected: str) -> None:
    errors, clues = simulate(1500, 1, spread=spread)
    unknown = Clues(clues.spread, np.full(1500, np.nan))
    assert choose_difficulty(errors, unknown, folds_of(1500))[0].name == expected


def test_few_rows_or_no_clues_have_a_constant_width() -> None:
    errors, clues = simulate(49, 0, distance=3.0)
    chosen, scores = choose_difficulty(errors, clues, folds_of(49))
    assert chosen.name == "constant"
    np.testing.assert_array_equal(scores, errors)
    errors, clues = simulate(200, 0)
    alike = Clues(np.full(200, np.nan), np.full(200, 0.5))
    assert choose_difficulty(errors, alike, folds_of(200))[0].name == "constant"
    assert choose_difficulty(np.zeros(200), clues, folds_of(200))[0].name == "constant"


def test_the_scale_of_a_row_never_saw_its_fold() -> None:
    errors, clues = simulate(300, 0, distance=2.0)
    clues = Clues(np.full(300, np.nan), clues.similarity)
    groups = np.arange(300) // 3
    folds = folds_of(300, groups)
    _, scores = choose_difficulty(errors, clues, folds)
    for fold in range(5):
        out = folds == fold
        fitted = difficulties["distance"].fit(errors[~out], clues.of(~out))
        np.testing.assert_allclose(scores[out], errors[out] / fitted.scale(clues.of(out)))
        changed = np.where(out, errors * 100, errors)
        _, others = choose_difficulty(changed, clues, folds)
        np.testing.assert_allclose(others[out], 100 * scores[out])


def test_the_interval_score_is_that_of_brute_force() -> None:
    errors, _ = simulate(100, 3)
    folds, scale = np.arange(100) % 5, np.random.default_rng(0).uniform(1, 2, 100)
    total = 0.0
    for row in range(100):
        rest = np.sort((errors / scale)[folds != folds[row]])
        half = rest[int(np.ceil(0.9 * 81)) - 1] * scale[row]
        total += 2 * half + (20 * (errors[row] - half) if errors[row] > half else 0)
    assert interval_score(errors, scale, folds) == pytest.approx(total / 100)


def test_intervals_widen_with_distance_and_cover_near_and_far() -> None:
    rng = np.random.default_rng(0)
    near = rng.beta(3, 3, 6000)
    predicted = rng.normal(size=(6000, 1))
    labels = predicted + (rng.normal(size=6000) * np.exp(2.5 * (1 - near)))[:, None]
    spread = np.full((6000, 1), np.nan)
    half = slice(3000)
    fitted = PredictionIntervals.fit(predicted[half], spread[half], labels[half], similarity=near[half])
    rest = slice(3000, None)
    low, high = fitted.bounds(predicted[rest], spread[rest], 0.9, similarity=near[rest])
    width, covered = (high - low)[:, 0], ((low <= labels[rest]) & (labels[rest] <= high))[:, 0]
    assert (np.diff(width[np.argsort(near[rest])]) <= 1e-9).all()
    for part in (near[rest] < 0.4, near[rest] > 0.6):
        assert 0.87 <= covered[part].mean() <= 0.93
