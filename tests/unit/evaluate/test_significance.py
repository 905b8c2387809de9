"""Paired comparisons against SciPy and against what is computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, ttest_rel, wilcoxon

from cytomol.evaluate.significance import bootstrap_interval, compare, holm, significance


def test_many_tasks_are_paired_by_wilcoxon() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0.02, 0.05, (12, 5)), random.normal(0, 0.05, (12, 5))
    paired = compare(a - b)
    assert paired.test == "wilcoxon over tasks"
    assert paired.p == pytest.approx(wilcoxon(a.mean(axis=1), b.mean(axis=1)).pvalue)
    assert paired.difference == pytest.approx((a - b).mean())
    assert paired.wins == int(((a - b).mean(axis=1) > 0).sum())
    assert (paired.tasks, paired.seeds) == (12, 5)
    assert paired.low < paired.difference < paired.high


def test_few_tasks_are_paired_by_seed() -> None:
    random = np.random.default_rng(1)
    a, b = random.normal(0.02, 0.05, (2, 6)), random.normal(0, 0.05, (2, 6))
    paired = compare(a - b)
    assert paired.test == "t over seeds"
    assert paired.p == pytest.approx(ttest_rel(a.mean(axis=0), b.mean(axis=0)).pvalue)


def test_more_seeds_of_the_same_task_are_no_more_tasks() -> None:
    differences = np.linspace(-0.01, 0.05, 8)[:, None]
    assert compare(differences).p == compare(np.repeat(differences, 50, axis=1)).p


def test_seeds_that_do_not_vary_say_nothing() -> None:
    paired = compare(np.full((1, 5), 0.03))
    assert paired.test == "none"
    assert np.isnan(paired.p)
    assert compare(np.zeros((1, 5))).p == 1.0
    assert compare(np.zeros((9, 5))).p == 1.0
    assert np.isnan(compare(np.array([[0.1]])).p)


def test_missing_scores_are_left_out() -> None:
    random = np.random.default_rng(2)
    full = random.normal(0.1, 0.1, (8, 3))
    holed = np.vstack([full, np.full((2, 3), np.nan)])
    assert compare(holed) == compare(full)
    empty = compare(np.full((3, 3), np.nan))
    assert (empty.test, empty.tasks) == ("none", 0)


def test_bootstrap_of_tasks_alone_agrees_with_its_known_spread() -> None:
    random = np.random.default_rng(3)
    differences = random.normal(0.05, 0.1, (400, 1))
    low, high = bootstrap_interval(differences)
    error = 1.96 * differences.std() / np.sqrt(400)
    assert low == pytest.approx(differences.mean() - error, abs=error * 0.1)
    assert high == pytest.approx(differences.mean() + error, abs=error * 0.1)


def test_bootstrap_sees_the_spread_of_seeds() -> None:
    by_seed = np.tile(np.array([-0.1, 0.0, 0.1, 0.2]), (300, 1))
    low, high = bootstrap_interval(by_seed)
    assert high - low > 0.15
    assert bootstrap_interval(by_seed) == (low, high)


def test_tasks_and_seeds_are_drawn_independently() -> None:
    """Of the effects of tasks and of seeds, equally large, the spreads add up as those of two chances do."""
    effect = np.random.default_rng(7).normal(0, 0.1, 30)
    of_tasks, of_seeds = np.tile(effect[:, None], (1, 30)), np.tile(effect, (30, 1))
    width, alone = (high - low for low, high in map(bootstrap_interval, (of_tasks + of_seeds, of_tasks)))
    # twice the width if the same draws served both, none for their difference
    assert width == pytest.approx(2**0.5 * alone, rel=0.1)
    low, high = bootstrap_interval(of_tasks - of_seeds)
    assert high - low == pytest.approx(2**0.5 * alone, rel=0.1)


def test_the_seed_of_the_draws_decides() -> None:
    differences = np.random.default_rng(6).normal(0.05, 0.1, (30, 3))
    assert bootstrap_interval(differences, seed=1) == bootstrap_interval(differences, seed=1)
    assert bootstrap_interval(differences, seed=1) != bootstrap_interval(differences, seed=2)


def test_bootstrap_with_holes() -> None:
    differences = np.full((40, 4), 0.25)
    differences[::2, 1:] = np.nan
    assert bootstrap_interval(differences) == pytest.approx((0.25, 0.25))


def test_no_interval_of_few_tasks_and_few_seeds() -> None:
    assert np.isnan(bootstrap_interval(np.array([[0.3]]))).all()
    assert np.isnan(bootstrap_interval(np.full((4, 4), 0.3))).all()
    assert bootstrap_interval(np.full((1, 5), 0.3)) == pytest.approx((0.3, 0.3))
    assert bootstrap_interval(np.full((5, 1), 0.3)) == pytest.approx((0.3, 0.3))


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.5, np.nan, 0.9]), [1.0, np.nan, 1.0])
    assert holm([]).tolist() == []


def test_holm_is_stricter_than_control_of_false_discoveries() -> None:
    p = np.random.default_rng(4).uniform(0, 0.2, 20)
    corrected = holm(p)
    assert (corrected >= false_discovery_control(p) - 1e-12).all()
    assert (corrected <= np.minimum(p * 20, 1) + 1e-12).all()


def _scores(metric: str, means: dict[str, float]) -> pd.DataFrame:
    random = np.random.default_rng(5)
    return pd.DataFrame(
        [
            {
                "set": "toy",
                "model": model,
                "seed": seed,
                "task": f"t{task}",
                "metric": metric,
                "score": mean + task / 50 + random.normal(0, 0.005),
            }
            for model, mean in means.items()
            for seed in range(3)
            for task in range(10)
        ]
    )


@pytest.mark.parametrize(("metric", "best"), [("roc_auc", "high"), ("mae", "low")])
def test_all_pairs_and_their_direction(metric: str, best: str) -> None:
    table = significance(_scores(metric, {"low": 0.6, "middle": 0.65, "high": 0.7}))
    assert len(table) == 3
    assert (table["difference"] > 0).all()
    assert (table["wins"] == 10).all()
    assert sorted(table["better"]).count(best) == 2
    np.testing.assert_allclose(table["p_holm"], holm(table["p"].tolist()))


def test_one_model_has_no_pair() -> None:
    table = significance(_scores("mae", {"only": 1.0}))
    assert len(table) == 0
    assert "p_holm" in table.columns
