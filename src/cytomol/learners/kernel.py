"""The Gaussian process on Tanimoto similarity and descriptors, its noise chosen within training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.learners.base import Learner, Learning, Matrix, learners
from cytomol.learners.feature_scaling import ColumnScaler, fit_scaler, scaler_from_arrays
from cytomol.learners.matrix import learnable
from cytomol.learners.tanimoto import CountSimilarity, KeptSimilarity, counts_of

__all__ = ["Kernel"]

_NOISES = (0.03, 0.1, 0.3, 1.0, 3.0)
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_CHUNK = 4096
_NUMBERS = ("share", "noise", "width", "binary", "most_rows")
_ARRAYS = ("counts", "descriptors", "weights", "means")
_HUGE = 1e300


class Kernel(Learner):
    """Posterior mean of a Gaussian process per task (kernel ridge regression), classes as 0 and 1.

    The covariance is ``share`` x Tanimoto on counts + (1 - share) x Gaussian on scaled descriptors; share
    and noise are those of the least leave-one-out error over tasks of the training rows.

    Parameters
    ----------
    most_rows
        Training molecules above which a sample is taken (time grows with the third power); it keeps the
        molecules of rare classes.

    References
    ----------
    Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, eqs. 2.25 and 5.12; Griffiths et
    al., "GAUCHE", NeurIPS 2023.
    """

    name: ClassVar[str] = "kernel"
    summary: ClassVar[str] = "Gaussian process per task on Tanimoto similarity of counts and descriptors"
    blocks = ("counts", "descriptors")

    def __init__(self, most_rows: int = 8000) -> None:
        self.most_rows = most_rows
        self.share = self.noise = self.width = 0.0
        self.binary = False
        self.scaler: ColumnScaler | None = None
        self.counts: NDArray[np.uint8] = np.zeros((0, 0), dtype=np.uint8)
        self.descriptors: Matrix = np.zeros((0, 0), dtype=np.float32)
        self.weights: Matrix = np.zeros((0, 0), dtype=np.float32)
        self.means: NDArray[np.float64] = np.zeros(0)
        self._similarity = KeptSimilarity()

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Choose share and noise, then solve every task."""
        rng = np.random.default_rng(learning.seed)
        rows = _sample(learning, self.most_rows, rng)
        self.scaler = fit_scaler(blocks["descriptors"][learning.train], "quantile")
        self.counts = counts_of(blocks["counts"][rows])
        self.descriptors = self.scaler.transform(blocks["descriptors"][rows])
        self.width = _typical_distance(self.descriptors, rng)
        self.binary = learning.kind == "classification"
        labels = learning.labels[rows]
        self._choose(labels, learning.kind, rng)
        self._solve(labels, learning.kind)

    def _solve(self, labels: NDArray[np.float64], kind: str) -> None:
        """Set means and weights; tasks measured on the same molecules share their factor."""
        from scipy import linalg

        K = self.covariance(self.counts, self.descriptors)
        self.means = np.full(labels.shape[1], np.nan)
        self.weights = np.zeros(labels.shape, dtype=np.float32)
        groups: dict[bytes, list[int]] = {}
        for task in range(labels.shape[1]):
            known = ~np.isnan(labels[:, task])
            if learnable(labels[known, task], kind):
                groups.setdefault(known.tobytes(), []).append(task)
        for shared in groups.values():
            at = np.flatnonzero(~np.isnan(labels[:, shared[0]]))
            of = np.array(shared)
            y = labels[np.ix_(at, of)]
            self.means[of] = y.mean(axis=0)
            inner = K[np.ix_(at, at)].astype(np.float64)
            inner[np.diag_indices_from(inner)] += self.noise
            factor = linalg.cho_factor(inner, lower=True, overwrite_a=True, check_finite=False)
            solved = linalg.cho_solve(factor, y - y.mean(axis=0), check_finite=False)
            self.weights[np.ix_(at, of)] = solved

    def _choose(self, labels: NDArray[np.float64], kind: str, rng: np.random.Generator) -> None:
        """Set share and noise by the leave-one-out error of the six largest tasks, 1,000 rows of each."""
        measured = (~np.isnan(labels)).sum(axis=0)
        errors = np.zeros((len(_SHARES), len(_NOISES)))
        for task in np.argsort(-measured, kind="stable")[:6]:
            known = np.flatnonzero(~np.isnan(labels[:, task]))
            if not learnable(labels[known, task], kind):
                continue
            known = np.sort(rng.permutation(known)[:1000])
            y = labels[known, task]
            tanimoto = CountSimilarity(self.counts[known])(self.counts[known])
            gaussian = _gaussian(self.descriptors[known], self.descriptors[known], self.width)
            for i, share in enumerate(_SHARES):
                K = share * tanimoto + (1 - share) * gaussian
                errors[i] += _left_out(K.astype(np.float64), y - y.mean()) / max(y.var(), 1e-12)
        best = int(np.argmin(errors))
        self.share, self.noise = _SHARES[best // len(_NOISES)], _NOISES[best % len(_NOISES)]

    def covariance(self, counts: NDArray[np.uint8], descriptors: Matrix) -> Matrix:
        """Return the covariance of molecules with the training molecules.

        Parameters
        ----------
        counts, descriptors
            Morgan counts and scaled descriptors, shape (n, width) each.

        Returns
        -------
        NDArray[np.float32]
            Without noise, shape (n, training molecules).
        """
        result = np.zeros((len(counts), len(self.counts)), dtype=np.float32)
        if self.share > 0:
            result += np.float32(self.share) * self._similarity.to(self.counts)(counts)
        if self.share < 1:
            result += np.float32(1 - self.share) * _gaussian(descriptors, self.descriptors, self.width)
        return result

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the posterior means; those of classes are cut to [0.001, 0.999]."""
        assert self.scaler is not None, "the learner is not fitted"
        counts = counts_of(blocks["counts"])
        descriptors = self.scaler.transform(blocks["descriptors"])
        weights = self.weights.astype(np.float64)
        parts = [
            self.covariance(counts[at : at + _CHUNK], descriptors[at : at + _CHUNK]).astype(np.float64)
            @ weights
            for at in range(0, max(len(counts), 1), _CHUNK)
        ]
        result = np.concatenate(parts) + self.means
        return np.clip(result, 1e-3, 1 - 1e-3) if self.binary else result

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the training molecules and their weights."""
        assert self.scaler is not None, "the learner is not fitted"
        scaling = {f"scaling.{name}": array for name, array in self.scaler.arrays().items()}
        kept = {f"kernel.{name}": getattr(self, name) for name in _ARRAYS}
        return {name: getattr(self, name) for name in _NUMBERS}, {**kept, **scaling}

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`state`."""
        saved = Checked(table, arrays, "kernel")
        model = cls(saved.whole("most_rows", 1))
        model.share, model.noise = saved.real("share", 0, 1), saved.real("noise", 0)
        model.width, model.binary = saved.real("width", 1e-300), saved.flag("binary")
        model.counts = saved.array("kernel.counts", np.uint8, "rows counts")
        model.descriptors = saved.array("kernel.descriptors", np.float32, "rows descriptors", finite=True)
        model.weights = saved.array("kernel.weights", np.float32, "rows tasks", finite=True)
        model.means = saved.array("kernel.means", np.float64, "tasks", low=-_HUGE, high=_HUGE)
        prefix = "scaling."
        model.scaler = scaler_from_arrays(
            {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        )
        return model


def _sample(learning: Learning, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return at most so many training rows; rows with a label of a rare class stay first."""
    rows = np.flatnonzero(learning.train)
    if len(rows) <= most:
        return rows
    order = rng.permutation(len(rows))
    if learning.kind == "classification":
        labels = learning.labels[rows]
        rare = np.nanmean(labels, axis=0) < 0.5
        of_rare = ((labels == 1) & rare) | ((labels == 0) & ~rare)
        order = order[np.argsort(~of_rare.any(axis=1)[order], kind="stable")]
    return np.sort(rows[order[:most]])


def _typical_distance(values: Matrix, rng: np.random.Generator) -> float:
    """Return the median squared distance between training molecules."""
    some = values[rng.permutation(len(values))[:500]].astype(np.float64)
    squared = ((some[:, None, :] - some[None, :, :]) ** 2).sum(axis=2) if some.shape[1] else np.ones((2, 2))
    apart = squared[np.triu_indices(len(squared), 1)]
    return float(np.median(apart)) if apart.size and np.median(apart) > 0 else 1.0


def _gaussian(a: Matrix, b: Matrix, width: float) -> Matrix:
    """Return exp(-|a - b|^2 / width), shape (n, m)."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * (a @ b.T)
    return np.asarray(np.exp(-np.maximum(squared, 0) / np.float32(width)), dtype=np.float32)


def _left_out(K: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean squared leave-one-out error at every noise, shape (noises,)."""
    values, vectors = np.linalg.eigh(K)
    turned = vectors.T @ y
    errors = []
    for noise in _NOISES:
        inverse = 1 / (np.maximum(values, 0) + noise)
        residual = (vectors @ (turned * inverse)) / ((vectors * vectors) @ inverse)
        errors.append(float((residual**2).mean()))
    return np.array(errors)


learners.register("kernel")(Kernel)
