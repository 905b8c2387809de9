"""Cut-offs against a search through all of them with scikit-learn's Matthews correlation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef

from cytomol.predict.cutoffs import best_cutoff, cutoffs_of


@settings(max_examples=60, deadline=None)
@given(st.integers(30, 80), st.integers(0, 10_000), st.sampled_from([2, 10, 1000]), st.floats(0, 1))
def test_is_the_best_of_all(n: int, seed: int, levels: int, signal: float) -> None:
    rng = np.random.default_rng(seed)
    label = (rng.permutation(n) % 3 == 0).astype(float)
    probability = np.round((signal * label + rng.random(n)) / 2 * levels) / levels
    found = best_cutoff(probability, label)
    own = matthews_corrcoef(label, probability >= found)
    best = max(matthews_corrcoef(label, probability >= cut) for cut in np.unique(probability))
    assert own == pytest.approx(best, abs=1e-9) if best > 0 else found == 0.5


@pytest.mark.parametrize("n", [0, 5, 29])
def test_few_molecules_choose_nothing(n: int) -> None:
    assert best_cutoff(np.linspace(0, 0.1, n), (np.arange(n) % 2).astype(float)) == 0.5


def test_only_classes_have_one() -> None:
    rng = np.random.default_rng(0)
    label = (np.arange(60) % 4 == 0).astype(float)
    predicted = np.column_stack([label * 0.2 + rng.random(60) * 0.1, label])
    labels = np.column_stack([label, label])
    labels[3, 0] = np.nan
    found = cutoffs_of(predicted, labels, np.array(["classification", "regression"]))
    assert found[1] == 0.5
    assert 0.1 <= found[0] <= 0.2
