from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.assays.metrics import metrics
from cytomol.predict.verdict.weighted import WEIGHTED


def test_every_metric_has_its_weighted_form() -> None:
    assert set(WEIGHTED) == set(metrics)


@pytest.mark.parametrize("name", list(metrics))
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000), n=st.integers(1, 15), ties=st.booleans())
def test_counts_score_as_rows_that_are_repeated(name: str, seed: int, n: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    kind = metrics[name].kind
    decimals = 1 if ties else 12
    if kind == "multiclass":
        observed = random.integers(0, 3, n).astype(float)
        predicted = random.dirichlet(np.ones(3), n).round(decimals)
    else:
        observed = random.normal(size=n).round(decimals)
        observed = (observed > 0).astype(float) if kind == "classification" else observed
        predicted = random.random(n).round(decimals)
    counts = random.integers(0, 4, size=(n, 6))
    counts[:, 0] = 1
    counts[:, 1] = 0
    counts[0, 1] = 2  # one row only, twice
    found = WEIGHTED[name](counts.astype(float), observed, predicted)
    for draw, score in enumerate(found):
        rows = np.repeat(np.arange(n), counts[:, draw])
        expected = metrics[name].function(observed[rows], predicted[rows])
        np.testing.assert_allclose(score, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in metrics if metrics[name].kind == "regression"])
@pytest.mark.parametrize(("unit", "middle"), [(1e-14, 0.0), (1e30, 0.0), (1.0, -250_000.0), (1e-200, 0.0)])
def test_values_of_any_scale(name: str, unit: float, middle: float) -> None:
    random = np.random.default_rng(1)
    observed, predicted = random.normal(size=(2, 30))
    counts = random.integers(0, 3, size=(30, 5)).astype(float)
    expected = WEIGHTED[name](counts, observed, predicted)
    expected = expected * unit if metrics[name].in_unit else expected
    found = WEIGHTED[name](counts, observed * unit + middle, predicted * unit + middle)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0)
