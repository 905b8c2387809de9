from __future__ import annotations

import numpy as np
import pytest

from cytomol.learners.shared_process import SharedKernel, apply_kernels, solve_kernels


def terms(rng: np.random.Generator, rows: int, tasks: int, more: int) -> list[SharedKernel]:
    """Return two random covariances of ``rows + more`` molecules."""
    found = []
    for shared in (0.3, 0.9):
        points = rng.normal(size=(rows + more, 5))
        like = np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2) / 10)
        root = rng.uniform(0.3, 1.5, tasks).astype(np.float32)
        found.append(SharedKernel(like.astype(np.float32), root, shared))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_is_the_posterior_mean_of_all_tasks_written_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, tasks, more = 12, 4, 5
    whole = terms(rng, rows, tasks, more)
    labels = rng.normal(size=(rows, tasks))
    labels[rng.random(labels.shape) < 0.4] = np.nan
    noise = rng.uniform(0.2, 0.8, tasks).astype(np.float32)

    def covariance(i: int, t: int, j: int, u: int) -> float:
        return sum(
            float(k.root[t] * k.root[u] * k.matrix[i, j] * (k.shared + (1 - k.shared) * (t == u)))
            for k in whole
        )

    known = np.argwhere(~np.isnan(labels))
    K = np.array([[covariance(i, t, j, u) for j, u in known] for i, t in known])
    K += np.diag([noise[t] for _, t in known])
    asked = [(rows + i, t) for i in range(more) for t in range(tasks)]
    cross = np.array([[covariance(i, t, j, u) for j, u in known] for i, t in asked])
    expected = (cross @ np.linalg.solve(K, labels[~np.isnan(labels)])).reshape(more, tasks)

    inner = [SharedKernel(k.matrix[:rows, :rows], k.root, k.shared) for k in whole]
    outer = [SharedKernel(k.matrix[rows:, :rows], k.root, k.shared) for k in whole]
    found = apply_kernels(outer, solve_kernels(inner, labels, noise))
    np.testing.assert_allclose(found, expected, atol=5e-3)


def test_nothing_measured_weighs_nothing() -> None:
    kernels = terms(np.random.default_rng(0), 6, 2, 0)
    weights = solve_kernels(kernels, np.full((6, 2), np.nan), np.ones(2, np.float32))
    assert not weights.any()
