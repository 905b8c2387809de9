"""A Gaussian process on structures and measured profiles, whose tasks learn from each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.learners.base import Learner, Learning, Matrix
from cytomol.learners.empirical_bayes import shared_posterior
from cytomol.learners.feature_scaling import ColumnScaler, fit_scaler, scaler_from_arrays
from cytomol.learners.matrix import learnable, under_prefix
from cytomol.learners.shared_process import SharedKernel, apply_kernels, solve_kernels
from cytomol.learners.tanimoto import CountSimilarity, counts_of

__all__ = ["TERMS", "CellKernel", "measured_rows"]

TERMS = ("structure", "profile", "norm", "both")
"""Terms of the covariance: Tanimoto on counts, profiles, their norms, and structure times profile."""

_SHARED = {"structure": 0.3, "profile": 0.3, "norm": 0.8, "both": 0.3}
_HYPOTHESES = (
    *((0.7, 0.5 * share, 0.2 * share, share, noise) for share in (0, 0.1, 0.4, 1) for noise in (0.2, 0.5)),
    *((0.05, 0.5, 0.2, 0.1, noise) for noise in (0.3, 0.8)),
)
"""Variances of the terms and of the noise: structure with ever more profile, and profile in the main."""
_ENOUGH = 400  # labels of a task that its variances are chosen by
_PSEUDO = 2.0  # labels' worth of draw of a task's share of class 1 to that of all tasks
_CHUNK = 4096


def measured_rows(block: Matrix) -> NDArray[np.bool_]:
    """Return which rows of a block of profiles hold a profile, shape (n,)."""
    return np.asarray(~np.isnan(block).all(axis=1))


class CellKernel(Learner):
    """Posterior mean of a Gaussian process over all tasks together, classes as 0 and 1.

    The covariance adds terms (:data:`TERMS`), each partly shared by all tasks: few molecules have a profile
    and a label, and what a cell does is much the same to many assays. A feature that was not measured counts
    as typical; a modality that was not measured adds nothing. Each task has variances of its own, drawn to
    what the tasks have in common: to some assays the response matters, to some it does not.

    Parameters
    ----------
    profiles
        Names of the blocks of profiles, NaN where not measured.
    terms
        Terms of the covariance.
    most_rows
        Training molecules above which a sample is taken.

    References
    ----------
    Bonilla et al., "Multi-task Gaussian process prediction", NeurIPS 2007; Rasmussen & Williams, "Gaussian
    Processes for Machine Learning", 2006, eqs. 5.10 to 5.12 (leaving out one by one).
    """

    name: ClassVar[str] = "cell-kernel"
    summary: ClassVar[str] = "Gaussian process on structures and measured profiles, over all tasks together"

    def __init__(
        self, profiles: Sequence[str] = (), terms: Sequence[str] = TERMS, most_rows: int = 4000
    ) -> None:
        self.profiles, self.terms = tuple(profiles), tuple(terms)
        self.blocks = (*(("counts",) if {"structure", "both"} & set(terms) else ()), *self.profiles)
        self.most_rows = most_rows
        self.variances: NDArray[np.float64] = np.zeros((0, len(TERMS) + 1))  # of terms and noise, by task
        self.binary = False
        self.scalers: dict[str, ColumnScaler] = {}
        self.numbers: dict[str, NDArray[np.float64]] = {}  # width, center and spread of the logarithmic norm
        self.kept: dict[str, Matrix] = {}
        self.weights: Matrix = np.zeros((0, 0), np.float32)
        self.center: NDArray[np.float64] = np.zeros(0)
        self.spread: NDArray[np.float64] = np.zeros(0)

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Choose each task's variances by its training rows left out one by one, then solve all together."""
        labels = self._prepare(blocks, learning)
        hypotheses = self._hypotheses()
        likely = np.zeros((labels.shape[1], len(hypotheses)))
        matrices = self._matrices(self.kept)
        for task in range(labels.shape[1]):
            rows = np.flatnonzero(~np.isnan(labels[:, task]))[:_ENOUGH]
            some = [(term, matrix[np.ix_(rows, rows)]) for term, matrix in matrices]
            likely[task] = [_left_out(some, each, labels[rows, task]) for each in hypotheses]
        self.variances = shared_posterior(likely) @ hypotheses
        self._solve(matrices, labels)

    def refit(self, blocks: Mapping[str, Matrix], learning: Learning) -> CellKernel:
        """Return one fitted on the training rows, with the variances that this one has."""
        new = CellKernel(self.profiles, self.terms, self.most_rows)
        labels = new._prepare(blocks, learning)
        new.variances = self.variances
        new._solve(new._matrices(new.kept), labels)
        return new

    def _hypotheses(self) -> NDArray[np.float64]:
        """Return the variances to choose from, 0 for terms that are not there, shape (hypotheses, 5)."""
        here = np.array([*(term in self.terms for term in TERMS), True])
        found = np.unique(np.where(here, np.array(_HYPOTHESES), 0.0), axis=0)
        result: NDArray[np.float64] = found[found[:, :-1].any(axis=1)]
        return result

    def _solve(self, matrices: Sequence[tuple[str, Matrix]], labels: NDArray[np.float64]) -> None:
        noise = self.variances[:, -1].astype(np.float32)
        self.weights = solve_kernels(self._kernels(matrices), labels, noise)

    def _prepare(self, blocks: Mapping[str, Matrix], learning: Learning) -> NDArray[np.float64]:
        """Set scales, keep what the kernels compare with, and return the centred labels of these rows."""
        rng = np.random.default_rng(learning.seed)
        rows = np.flatnonzero(learning.train)
        if len(rows) > self.most_rows:
            rows = np.sort(rng.permutation(rows)[: self.most_rows])
        self.binary = learning.kind == "classification"
        self._scale({name: blocks[name][rows] for name in self.profiles})
        self.kept = self._described(blocks, rows)
        labels = learning.labels[rows]
        self._set_units(labels, learning.kind)
        centred: NDArray[np.float64] = (labels - self.center) / self.spread
        return centred

    def _set_units(self, labels: NDArray[np.float64], kind: str) -> None:
        """Set center and spread of each task; NaN where there is nothing to learn."""
        taught = [learnable(of_task[~np.isnan(of_task)], kind) for of_task in labels.T]
        count = (~np.isnan(labels)).sum(axis=0)
        total = np.nansum(labels, axis=0)
        if self.binary:
            common = total.sum() / max(count.sum(), 1)
            self.center = (total + _PSEUDO * common) / (count + _PSEUDO)
            self.spread = np.sqrt(np.maximum(self.center * (1 - self.center), 1e-6))
        else:
            self.center = total / np.maximum(count, 1)
            deviation = np.nansum((labels - self.center) ** 2, axis=0) / np.maximum(count, 1)
            self.spread = np.sqrt(np.maximum(deviation, 1e-12))
        self.center = np.where(taught, self.center, np.nan)

    def _scale(self, of_train: Mapping[str, Matrix]) -> None:
        """Fit the scaling of each modality on the training profiles, and the typical distance of two."""
        for name, block in of_train.items():
            values = block[measured_rows(block)]
            if not len(values):
                values = np.zeros((1, block.shape[1]), np.float32)
            self.scalers[name] = fit_scaler(values, "standard")
            scaled = self.scalers[name].transform(values)[:1000].astype(np.float64)
            apart = (scaled**2).sum(axis=1)
            squared = apart[:, None] + apart - 2 * scaled @ scaled.T
            pairs = squared[np.triu_indices(len(scaled), 1)]
            middle = float(np.median(pairs)) if pairs.size else 0.0
            norms = _log_norm(self.scalers[name].transform(values))
            width = 2 * middle if middle > 0 else 1.0
            self.numbers[name] = np.array([width, norms.mean(), float(norms.std()) or 1.0])

    def _described(self, blocks: Mapping[str, Matrix], rows: NDArray[np.int64] | slice) -> dict[str, Matrix]:
        """Return what the kernels compare: counts, and of each modality scaled profiles, norm and mask."""
        found: dict[str, Matrix] = {}
        if "counts" in self.blocks:
            found["counts"] = blocks["counts"][rows]
        for name in self.profiles:
            block = blocks[name][rows]
            scaled = self.scalers[name].transform(block)
            _, center, spread = self.numbers[name]
            norm = ((_log_norm(scaled) - center) / spread).astype(np.float32)
            found[name] = np.column_stack([measured_rows(block).astype(np.float32), norm, scaled])
        return found

    def _matrices(self, described: Mapping[str, Matrix]) -> list[tuple[str, Matrix]]:
        """Return how alike molecules and training molecules are: a term and its matrix, one by one."""
        found: list[tuple[str, Matrix]] = []
        structure: Matrix | None = None
        if "counts" in self.blocks:
            structure = CountSimilarity(counts_of(self.kept["counts"]))(counts_of(described["counts"]))
            found.append(("structure", structure))
        share = np.float32(1 / max(len(self.profiles), 1))
        for name in self.profiles:
            a, b = described[name], self.kept[name]
            seen = share * a[:, :1] * b[:, 0]
            like = _gaussian(a[:, 2:], b[:, 2:], float(self.numbers[name][0])) * seen
            found += [("profile", like), ("norm", a[:, 1:2] * b[:, 1] * seen)]
            if structure is not None:
                found.append(("both", like * structure))
        return [(term, matrix) for term, matrix in found if term in self.terms]

    def _kernels(self, matrices: Sequence[tuple[str, Matrix]]) -> list[SharedKernel]:
        """Return the terms of the covariance."""
        roots = np.sqrt(self.variances).astype(np.float32)
        return [SharedKernel(matrix, roots[:, TERMS.index(term)], _SHARED[term]) for term, matrix in matrices]

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the posterior means; those of classes are cut to [0.001, 0.999]."""
        rows = len(blocks[self.blocks[0]])
        parts = [
            apply_kernels(self._kernels(self._matrices(self._described(blocks, part))), self.weights)
            for part in (slice(at, at + _CHUNK) for at in range(0, max(rows, 1), _CHUNK))
        ]
        result = np.concatenate(parts).astype(np.float64) * self.spread + self.center
        return np.clip(result, 1e-3, 1 - 1e-3) if self.binary else result

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the training molecules, their weights and the scaling."""
        table = {
            "profiles": list(self.profiles),
            "terms": list(self.terms),
            "most_rows": self.most_rows,
            "binary": self.binary,
        }
        arrays: dict[str, NDArray[Any]] = {
            "weights": self.weights,
            "variances": self.variances,
            "center": self.center,
            "spread": self.spread,
            **{f"kept.{name}": array for name, array in self.kept.items()},
            **{f"numbers.{name}": array for name, array in self.numbers.items()},
        }
        for name, scaler in self.scalers.items():
            arrays |= {f"scaling.{name}.{key}": array for key, array in scaler.arrays().items()}
        return table, arrays

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`state`."""
        saved = Checked(table, arrays, "cell kernel")
        new = cls(saved.words("profiles"), saved.words("terms", TERMS), saved.whole("most_rows", 1))
        if not new.profiles:
            raise ModelDirectoryError("cell kernel: it reads no profiles")
        new.binary = saved.flag("binary")
        new.weights = saved.array("weights", np.float32, "rows tasks", finite=True)
        new.variances = saved.array("variances", np.float64, f"tasks {len(TERMS) + 1}", finite=True, low=0)
        new.center = saved.array("center", np.float64, "tasks", low=-1e300, high=1e300)
        new.spread = saved.array("spread", np.float64, "tasks", finite=True)
        for place, name in enumerate(new.blocks):
            new.kept[name] = saved.array(f"kept.{name}", np.float32, f"rows width{place}", finite=True)
        for name in new.profiles:
            new.numbers[name] = saved.array(f"numbers.{name}", np.float64, "3", finite=True)
            new.scalers[name] = scaler_from_arrays(under_prefix(arrays, f"scaling.{name}."))
        return new


def _log_norm(scaled: Matrix) -> NDArray[np.float64]:
    """Return the logarithm of the length of each row, in units of a feature's spread, shape (n,)."""
    squared = (scaled.astype(np.float64) ** 2).mean(axis=1) if scaled.shape[1] else np.ones(len(scaled))
    return np.asarray(0.5 * np.log(squared + 1e-6))


def _gaussian(a: Matrix, b: Matrix, width: float) -> Matrix:
    """Return exp(-|a - b|^2 / width), shape (n, m)."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * (a @ b.T)
    return np.asarray(np.exp(-np.maximum(squared, 0) / np.float32(width)), dtype=np.float32)


def _left_out(
    matrices: Sequence[tuple[str, Matrix]], variances: NDArray[np.float64], y: NDArray[np.float64]
) -> float:
    """Return the log-likelihood of labels, each by all others of its task."""
    if not len(y):
        return 0.0
    K = np.diag(np.full(len(y), variances[-1]))
    for term, matrix in matrices:
        K += variances[TERMS.index(term)] * matrix
    inverse = np.linalg.inv(K)
    spread = 1 / np.diagonal(inverse)
    residual = (inverse @ y) * spread
    return float(-0.5 * (residual**2 / spread + np.log(spread)).sum())
