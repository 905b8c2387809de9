from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import PairwiseKernel
from sklearn.kernel_ridge import KernelRidge

from cytomol.learners import Learning
from cytomol.learners.kernel import _NOISES, Kernel, _gaussian, _left_out, _sample
from cytomol.learners.tanimoto import counts_of


def covariance(model: Kernel, a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> np.ndarray:
    """Compute the covariance pair by pair, in 64 bits."""
    assert model.scaler is not None
    ca, cb = (counts_of(x["counts"]).astype(float) for x in (a, b))
    da, db = (model.scaler.transform(x["descriptors"]).astype(float) for x in (a, b))
    result = np.zeros((len(ca), len(cb)))
    for i in range(len(ca)):
        for j in range(len(cb)):
            tanimoto = np.minimum(ca[i], cb[j]).sum() / max(np.maximum(ca[i], cb[j]).sum(), 1)
            gaussian = np.exp(-((da[i] - db[j]) ** 2).sum() / model.width)
            result[i, j] = model.share * tanimoto + (1 - model.share) * gaussian
    return result


def part(blocks: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: block[rows] for name, block in blocks.items()}


@pytest.mark.parametrize("share", [None, 0.0, 0.5, 1.0])
def test_is_kernel_ridge_and_the_posterior_of_a_gaussian_process(
    made: Any, monkeypatch: pytest.MonkeyPatch, share: float | None
) -> None:
    blocks, learning = made("regression", rows=60)
    if share is not None:
        monkeypatch.setattr("cytomol.learners.kernel._SHARES", (share,))
    model = Kernel()
    model.fit(blocks, learning)
    assert model.noise in _NOISES
    assert share is None or model.share == share
    found = model.predict(blocks)
    for task in range(2):
        y = learning.labels[:, task]
        rows = learning.train & ~np.isnan(y)
        K, cross = (covariance(model, x, part(blocks, rows)) for x in (part(blocks, rows), blocks))
        mean = y[rows].mean()
        ridge = KernelRidge(alpha=model.noise, kernel="precomputed").fit(K, y[rows] - mean)
        np.testing.assert_allclose(found[:, task], ridge.predict(cross) + mean, atol=1e-4)
        every = covariance(model, blocks, blocks)
        process = GaussianProcessRegressor(
            PairwiseKernel(metric=lambda a, b, gamma=None, k=every: k[int(a[0]), int(b[0])]),
            alpha=model.noise,
            optimizer=None,
        )
        at = np.arange(len(y))[:, None]
        posterior = process.fit(at[rows], y[rows] - mean).predict(at) + mean
        np.testing.assert_allclose(found[:, task], posterior, atol=1e-4)


def test_classes_are_probabilities_and_unlearnable_tasks_nan(made: Any) -> None:
    blocks, learning = made()
    learning.labels[learning.train, 1] = 1.0
    model = Kernel()
    model.fit(blocks, learning)
    found = model.predict(blocks)
    assert np.isnan(found[:, 1]).all()
    assert ((found[:, 0] >= 0.001) & (found[:, 0] <= 0.999)).all()
    table, arrays = model.state()
    np.testing.assert_array_equal(Kernel.restore(table, arrays).predict(blocks), found)
    assert model.predict(part(blocks, np.zeros(0, int))).shape == (0, 2)


def test_left_out_error_is_that_of_explicit_refits() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(15, 3)).astype(np.float32)
    K = _gaussian(points, points, 2.0).astype(np.float64)
    y = rng.normal(size=15)
    found = _left_out(K, y)
    for error, noise in zip(found, _NOISES, strict=True):
        squares = []
        for i in range(15):
            rest = np.arange(15) != i
            inner = K[np.ix_(rest, rest)] + noise * np.eye(14)
            squares.append((y[i] - K[i, rest] @ np.linalg.solve(inner, y[rest])) ** 2)
        assert error == pytest.approx(np.mean(squares), rel=1e-5)


def test_gaussian_is_that_of_the_formula() -> None:
    rng = np.random.default_rng(2)
    a, b = (rng.normal(size=(n, 4)).astype(np.float32) for n in (5, 7))
    expected = np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / 3.0)
    np.testing.assert_allclose(_gaussian(a, b, 3.0), expected, rtol=1e-5)


def learning_of(labels: np.ndarray, kind: str) -> Learning:
    train = np.arange(len(labels)) % 10 != 0
    return Learning(labels, train, ~train, kind, "roc_auc")


def test_a_sample_keeps_the_rare_class() -> None:
    labels = np.zeros((300, 2))
    labels[[3, 77, 141, 299], 0] = 1  # rare ones
    labels[:, 1] = 1
    labels[[5, 202], 1] = 0  # rare zeros
    labels[::7, 1] = np.nan
    labels[[5, 202], 1] = 0
    learning = learning_of(labels, "classification")
    rows = _sample(learning, 20, np.random.default_rng(0))
    assert len(rows) == 20
    assert {3, 77, 141, 299, 5, 202} <= set(rows.tolist())
    assert learning.train[rows].all()
    assert (np.diff(rows) > 0).all()
    assert len(_sample(learning, 300, np.random.default_rng(0))) == learning.train.sum()


def test_a_sample_of_values_is_of_training_rows() -> None:
    learning = learning_of(np.random.default_rng(0).normal(size=(100, 1)), "regression")
    rows = _sample(learning, 30, np.random.default_rng(0))
    assert len(set(rows.tolist())) == 30
    assert learning.train[rows].all()


def test_with_fewer_rows_than_there_are(made: Any) -> None:
    blocks, learning = made()
    model = Kernel(most_rows=25)
    model.fit(blocks, learning)
    assert len(model.counts) == 25
    assert np.isfinite(model.predict(blocks)).all()
