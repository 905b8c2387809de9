from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm as normal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import PairwiseKernel

from cytomol.learners import Learning
from cytomol.learners.cell_kernel import CellKernel, _left_out, measured_rows

BLOCK = "profile:cell"


def planted(
    kind: str = "classification", rows: int = 150, tasks: int = 4
) -> tuple[dict[str, np.ndarray], Learning]:
    """Return odd tasks that follow from the profile, and even ones that follow from the structure."""
    rng = np.random.default_rng(0)
    profile = rng.normal(size=(rows, 8)).astype(np.float32)
    counts = rng.poisson(1.5, (rows, 6))
    of_structure = counts[:, 0] - counts[:, 1] + 0.1 * rng.normal(size=rows)
    value = np.stack([profile[:, 0] if t % 2 else of_structure for t in range(tasks)], axis=1)
    labels = (value > 0).astype(float) if kind == "classification" else value
    labels[::5] = np.nan
    profile[3::10] = np.nan
    blocks = {"counts": np.log1p(counts).astype(np.float32), BLOCK: profile}
    at = np.arange(rows)
    metric = "roc_auc" if kind == "classification" else "mae"
    return blocks, Learning(labels, at % 3 != 2, at % 3 == 2, kind, metric)


def part(blocks: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: block[rows] for name, block in blocks.items()}


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_tasks_that_follow_from_the_profile_are_learnt_from_it(kind: str) -> None:
    blocks, learning = planted(kind)
    model = CellKernel((BLOCK,))
    model.fit(blocks, learning)
    rows = learning.valid & ~np.isnan(learning.labels[:, 1]) & measured_rows(blocks[BLOCK])
    found = model.predict(part(blocks, rows))
    agreement = [np.corrcoef(found[:, t], learning.labels[rows, t])[0, 1] for t in range(4)]
    assert min(agreement[1], agreement[3]) > 0.5
    # the profile's variance is larger where it says something
    profile, structure = model.variances[:, 1], model.variances[:, 0]
    assert (profile / structure)[[1, 3]].min() > 2 * (profile / structure)[[0, 2]].max()


def test_a_molecule_without_a_profile_is_answered_by_its_structure() -> None:
    blocks, learning = planted()
    model = CellKernel((BLOCK,))
    model.fit(blocks, learning)
    bare = {**blocks, BLOCK: np.full_like(blocks[BLOCK], np.nan)}
    assert np.isfinite(model.predict(bare)).all()
    alone = CellKernel((BLOCK,), ("profile", "norm"))
    alone.fit(blocks, learning)
    np.testing.assert_allclose(
        alone.predict(bare), np.tile(np.clip(alone.center, 1e-3, 1), (150, 1)), atol=1e-6
    )


def test_leaving_out_one_by_one_is_that_of_explicit_refits() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(size=(12, 3))
    like = np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2)).astype(np.float32)
    y = rng.normal(size=12)
    variances = np.array([0.0, 0.8, 0.0, 0.0, 0.3])
    expected = 0.0
    at = np.arange(12)[:, None]
    for out in range(12):
        rest = np.arange(12) != out
        process = GaussianProcessRegressor(
            PairwiseKernel(metric=lambda a, b, gamma=None: 0.8 * like[int(a[0]), int(b[0])]),
            alpha=0.3,
            optimizer=None,
        ).fit(at[rest], y[rest])
        mean, spread = process.predict(at[[out]], return_std=True)
        expected += normal.logpdf(y[out], mean[0], np.sqrt(spread[0] ** 2 + 0.3)) + 0.5 * np.log(2 * np.pi)
    assert _left_out([("profile", like)], variances, y) == pytest.approx(expected, rel=1e-4)


def test_labels_of_other_rows_are_not_looked_at() -> None:
    blocks, learning = planted()
    other = np.where(learning.train[:, None], learning.labels, 1 - learning.labels)
    models = [CellKernel((BLOCK,)) for _ in range(2)]
    for model, labels in zip(models, (learning.labels, other), strict=True):
        model.fit(blocks, replace(learning, labels=labels))
    np.testing.assert_array_equal(models[0].predict(blocks), models[1].predict(blocks))


def test_saved_and_fitted_again_it_answers_the_same() -> None:
    blocks, learning = planted()
    model = CellKernel((BLOCK,))
    model.fit(blocks, learning)
    found = model.predict(blocks)
    np.testing.assert_array_equal(CellKernel.restore(*model.state()).predict(blocks), found)
    np.testing.assert_array_equal(model.refit(blocks, learning).predict(blocks), found)
    assert model.predict(part(blocks, np.zeros(0, int))).shape == (0, 4)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_very_few_profiles_give_no_nan(kept: int) -> None:
    blocks, learning = planted()
    blocks[BLOCK][kept:] = np.nan
    model = CellKernel((BLOCK,))
    model.fit(blocks, learning)
    assert np.isfinite(model.predict(blocks)).all()
