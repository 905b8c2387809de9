"""Bootstrap intervals against SciPy's, paired differences, pooled folds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from cytomol.errors import InputError
from cytomol.evaluate.matching.figures import rank_queries
from cytomol.evaluate.matching.query_intervals import difference, estimate, pooled, statistic_of


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_intervals_are_those_of_scipy(statistic: str) -> None:
    values = np.random.default_rng(0).exponential(size=200)
    found = estimate(values, statistic, draws=4000)  # type: ignore[arg-type]
    expected = bootstrap(
        (values,), getattr(np, statistic), n_resamples=4000, method="percentile", rng=1
    ).confidence_interval
    assert found.value == getattr(np, statistic)(values)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=0.03)


def test_a_paired_difference_is_surer_than_two_figures() -> None:
    rng = np.random.default_rng(1)
    hard = rng.normal(size=300)
    first, second = hard + 0.1 + rng.normal(0, 0.1, 300), hard + rng.normal(0, 0.1, 300)
    apart = difference(first, second)
    assert apart.value == pytest.approx((first - second).mean())
    assert 0 < apart.low < apart.value < apart.high
    assert apart.high - apart.low < estimate(first).high - estimate(first).low


def test_a_model_does_not_differ_from_itself() -> None:
    values = np.random.default_rng(2).normal(size=50)
    for statistic in ("mean", "median"):
        found = difference(values, values, statistic)  # type: ignore[arg-type]
        assert (found.value, found.low, found.high) == (0, 0, 0)


def test_queries_without_a_value_are_left_out_of_both() -> None:
    first, second = np.array([np.nan, 1, 2, 3, 4, 5.0, 6]), np.array([9, 0, 1, 2, 3, 4.0, np.nan])
    assert difference(first, second).value == 1
    assert estimate(first).value == 3.5


def test_few_queries_have_no_interval_and_none_no_value() -> None:
    few = estimate(np.arange(4.0))
    assert few.value == 1.5
    assert np.isnan([few.low, few.high]).all()
    assert np.isnan(estimate(np.zeros(0)).value)


def test_other_queries_cannot_be_paired() -> None:
    with pytest.raises(InputError, match="5 and 6 queries"):
        difference(np.zeros(5), np.zeros(6))


def test_the_seed_determines_the_interval() -> None:
    values = np.random.default_rng(3).normal(size=40)
    assert estimate(values, seed=1) == estimate(values, seed=1) != estimate(values, seed=2)


def test_pooled_folds_keep_their_own_chance() -> None:
    small, large = rank_queries(np.eye(5), np.eye(5)), rank_queries(np.eye(20), np.eye(20))
    both = pooled([small, large])
    assert len(both) == 25
    assert both.chance["recall at 1"].tolist() == [0.2] * 5 + [0.05] * 20


def test_ranks_are_summed_up_by_their_median() -> None:
    assert statistic_of("median rank") == "median"
    assert statistic_of("MRR") == "mean"
