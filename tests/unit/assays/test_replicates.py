from __future__ import annotations

import math

import numpy as np
import pytest

from cytomol.assays.labels import Labels, Task
from cytomol.assays.metrics import mean_absolute_error, r2, roc_auc
from cytomol.assays.replicates import aggregate, replicates_of
from cytomol.errors import ConfigError

NAN = math.nan


def of(kind: str, values: list[float], bounds: list[int] | None = None) -> Labels:
    classes = {"binary": ("0", "1"), "multiclass": ("a", "b", "c"), "regression": ()}[kind]
    sides = None if bounds is None else np.array(bounds, np.int8)[:, None]
    return Labels((Task("y", kind, classes),), np.array(values, float)[:, None], bounds=sides)  # type: ignore[arg-type]


def test_noise_is_the_pooled_spread_of_repeats() -> None:
    groups = np.array([0, 0, 1, 1, 1, 2, 3, 3, -1, -1])
    (found,) = replicates_of(of("regression", [1, 3, 5, 5, 5, 9, 2, NAN, 4, 40]), groups)
    assert (found.molecules, found.labels, found.same, found.contradictory) == (2, 5, 1, 0)
    assert found.noise == pytest.approx(math.sqrt(2 / 3))  # squares 1 + 1 over (2 - 1) + (3 - 1)


def test_bounds_are_no_repeats() -> None:
    (found,) = replicates_of(of("regression", [1, 3, 5], [0, 1, 0]), np.array([0, 0, 0]))
    assert found.noise == pytest.approx(math.sqrt(8))
    (found,) = replicates_of(of("regression", [1, 3], [0, 1]), np.array([0, 0]))
    assert (found.molecules, found.noise, found.best) == (0, None, {})


@pytest.mark.parametrize("scale", [1e-14, 1.0, 1e30])
def test_the_best_scores_are_those_of_a_perfect_model(scale: float) -> None:
    generator = np.random.default_rng(0)
    truth = np.repeat(generator.normal(0, 2, 4000), 2) * scale
    measured = truth + generator.normal(0, 1, len(truth)) * scale
    (found,) = replicates_of(of("regression", measured.tolist()), np.repeat(np.arange(4000), 2))
    assert found.noise == pytest.approx(scale, rel=0.05)
    assert found.best["mae"] == pytest.approx(mean_absolute_error(measured, truth), rel=0.05)
    assert found.best["r2"] == pytest.approx(r2(measured / scale, truth / scale), abs=0.02)


def test_the_best_auc_is_that_of_the_true_classes() -> None:
    generator = np.random.default_rng(0)
    truth = np.repeat(generator.random(20_000) < 0.2, 2)
    measured = np.where(generator.random(len(truth)) < 0.1, ~truth, truth).astype(float)
    (found,) = replicates_of(of("binary", measured.tolist()), np.repeat(np.arange(20_000), 2))
    assert found.noise == pytest.approx(0.18, abs=0.01)
    assert found.contradictory == found.molecules - found.same
    assert found.best["roc_auc"] == pytest.approx(roc_auc(measured, truth.astype(float)), abs=0.01)


def test_classes_that_contradict_each_other_always_allow_nothing() -> None:
    (found,) = replicates_of(of("binary", [0, 1, 1, 0]), np.array([0, 0, 1, 1]))
    assert (found.contradictory, found.noise) == (2, 1.0)
    assert found.best == {"roc_auc": 0.5}


def test_one_row_a_molecule_in_the_order_of_the_table() -> None:
    labels = of("regression", [1, 5, 2, 9, NAN, 3])
    done = aggregate(labels, np.array([1, 0, 1, -1, 0, 1]), "mean")
    assert done.rows.tolist() == [0, 1, 3]
    np.testing.assert_array_equal(done.labels.matrix[:, 0], [2, 5, 9])
    done = aggregate(of("regression", [1, 2, 9]), np.array([0, 0, 0]), "median")
    assert done.labels.matrix.tolist() == [[2.0]]
    assert labels.matrix[0, 0] == 1  # the given ones stay


def test_two_rows_without_a_molecule_stay_two() -> None:
    done = aggregate(of("regression", [1, 5]), np.array([-1, -1]), "mean")
    assert done.rows.tolist() == [0, 1]


def test_classes_are_decided_by_the_most() -> None:
    done = aggregate(of("multiclass", [2, 1, 2, 0, 1]), np.array([0, 0, 0, 1, 1]), "mean")
    assert done.labels.matrix[0, 0] == 2
    assert np.isnan(done.labels.matrix[1, 0])
    assert done.undecided == 1


@pytest.mark.parametrize(
    ("values", "sides", "value", "side"),
    [
        ([10, 20], [1, 1], 20, 1),
        ([0.5, 0.2], [-1, -1], 0.2, -1),
        ([10, 7, 9], [1, 0, 0], 8, 0),
        ([10, 7], [1, -1], NAN, 0),
    ],
)
def test_bounds_of_one_molecule(values: list[float], sides: list[int], value: float, side: int) -> None:
    done = aggregate(of("regression", values, sides), np.zeros(len(values), np.int64), "mean")
    np.testing.assert_array_equal(done.labels.matrix, [[value]])
    assert done.labels.bounds is not None
    assert done.labels.bounds.tolist() == [[side]]


def test_kept_rows_are_as_they_were() -> None:
    labels = of("regression", [1, 5])
    assert aggregate(labels, np.array([0, 0]), "keep").labels is labels
    with pytest.raises(ConfigError, match="keep, mean, median"):
        aggregate(labels, np.array([0, 0]), "max")
