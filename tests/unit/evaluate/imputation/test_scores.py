"""Scores against those of scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.metrics import r2_score, roc_auc_score

from cytomol.errors import InputError
from cytomol.evaluate.imputation.scores import ProfileScores, reliability


def _drawn(seed: int, rows: int = 40, width: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(rows, width))
    truth -= truth.mean(axis=0)  # so that the mean of training is the mean here
    return truth, 0.4 * truth + rng.normal(size=(rows, width), scale=0.3)


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_scores_are_those_of_the_libraries(seed: int) -> None:
    truth, told = _drawn(seed)
    found = ProfileScores.of(truth, told).values()
    assert found["r2"] == pytest.approx(r2_score(truth, told))
    total = (truth**2).sum()
    assert found["r2_pooled"] == pytest.approx(1 - ((truth - told) ** 2).sum() / total)
    by_molecule = [pearsonr(a, b)[0] for a, b in zip(truth, told, strict=True)]
    assert found["profile_correlation"] == pytest.approx(np.mean(by_molecule))
    by_feature = [pearsonr(a, b)[0] for a, b in zip(truth.T, told.T, strict=True)]
    assert found["feature_correlation"] == pytest.approx(np.mean(by_feature))
    alike = np.corrcoef(told, truth)[: len(told), len(told) :]
    found_right = np.eye(len(truth), dtype=int)
    areas = [roc_auc_score(found_right[row], alike[row]) for row in range(len(truth))]
    assert found["discrimination"] == pytest.approx(np.mean(areas))


def test_the_mean_scores_nothing_and_the_truth_everything() -> None:
    truth, _ = _drawn(0)
    nothing = ProfileScores.of(truth, np.zeros_like(truth)).values()
    assert list(nothing.values()) == [0.0, 0.0, 0.0, 0.0, 0.5]
    assert list(ProfileScores.of(truth, truth).values().values()) == pytest.approx([1.0] * 5)


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_a_bootstrap_weight_counts_a_molecule_as_often(seed: int) -> None:
    truth, told = _drawn(seed, rows=12)
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 12, 12)
    scores = ProfileScores.of(truth, told)
    found = scores.values(weight=np.bincount(rows, minlength=12).astype(float))
    error = ((truth - told)[rows] ** 2).sum(axis=0)
    assert found["r2"] == pytest.approx(np.mean(1 - error / (truth[rows] ** 2).sum(axis=0)))
    by_feature = [pearsonr(a, b)[0] for a, b in zip(truth[rows].T, told[rows].T, strict=True)]
    assert found["feature_correlation"] == pytest.approx(np.mean(by_feature))
    by_molecule = [pearsonr(truth[row], told[row])[0] for row in rows]
    assert found["profile_correlation"] == pytest.approx(np.mean(by_molecule))


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_what_is_not_measured_does_not_count(seed: int) -> None:
    truth, told = _drawn(seed)
    hidden = np.random.default_rng(seed).random(truth.shape) < 0.2
    truth[hidden] = np.nan
    found = ProfileScores.of(truth, told).values()
    told[hidden] = 7.0
    again = ProfileScores.of(truth, told)
    for metric in ("r2", "r2_pooled", "profile_correlation", "feature_correlation"):
        assert again.values()[metric] == pytest.approx(found[metric])
    row = int(np.argmax(hidden.any(axis=1)))
    kept = ~hidden[row]
    oracle = pearsonr(truth[row][kept], told[row][kept])[0]
    assert again.profile_correlations()[row] == pytest.approx(oracle)


def test_strata_score_their_own_molecules_among_all() -> None:
    truth, told = _drawn(1)
    chosen = np.arange(40) < 10
    scores = ProfileScores.of(truth, told)
    assert scores.values(chosen)["discrimination"] == pytest.approx(scores.discriminations()[:10].mean())
    assert scores.values(chosen)["r2_pooled"] == pytest.approx(
        ProfileScores.of(truth[:10], told[:10]).values()["r2_pooled"]
    )


def test_shapes_and_missing_answers_are_refused() -> None:
    truth, told = _drawn(0)
    with pytest.raises(InputError, match="of shape"):
        ProfileScores.of(truth, told[:, :2])
    told[3, 2] = np.nan
    with pytest.raises(InputError, match="no value for a feature"):
        ProfileScores.of(truth, told)


def test_reliability_is_that_of_averaged_replicates() -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=200_000)
    single = [signal + rng.normal(size=len(signal)) for _ in range(8)]
    r = np.corrcoef(single[0], single[1])[0, 1]
    means = np.mean(single[:4], axis=0), np.mean(single[4:], axis=0)
    assert reliability(np.array([r]), 4)[0] == pytest.approx(np.corrcoef(*means)[0, 1], abs=0.01)
    noiseless = np.corrcoef(means[0], signal)[0, 1]
    assert np.sqrt(reliability(np.array([r]), 4)[0]) == pytest.approx(noiseless, abs=0.01)
    assert reliability(np.array([-0.3]), 4)[0] == 0.0
