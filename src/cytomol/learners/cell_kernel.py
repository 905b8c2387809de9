"""A Gaussian process on structures and measured profiles, whose tasks learn from each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.learners.base import Learner, Learning, Matrix
from cytomol.learners.feature_scaling import ColumnScaler, fit_scaler, scaler_from_arrays
from cytomol.learners.matrix import learnable, under_prefix
from cytomol.learners.shared_process import SharedKernel, apply_kernels, solve_kernels
from cytomol.learners.tanimoto import CountSimilarity, counts_of

__all__ = ["TERMS", "CellKernel", "measured_rows"]

TERMS = ("structure", "profile", "norm", "both")
"""Terms of the covariance: Tanimoto on counts, profiles, their norms, and structure times profile."""

_SCALES = {"structure": 0.7, "profile": 0.5, "norm": 0.2, "both": 1.0}
_SHARED = {"structure": 0.3, "profile": 0.3, "norm": 0.8, "both": 0.3}
_NOISES = (0.2, 0.4, 0.8)
_PSEUDO = 2.0  # labels' worth of draw of a task's share of class 1 to that of all tasks
_CHUNK = 4096


def measured_rows(block: Matrix) -> NDArray[np.bool_]:
    """Return which rows of a block of profiles hold a profile, shape (n,)."""
    return np.asarray(~np.isnan(block).all(axis=1))


class CellKernel(Learner):
    """Posterior mean of a Gaussian process over all tasks together, classes as 0 and 1.

    The covariance adds terms (:data:`TERMS`), each partly shared by all tasks: few molecules have a profile
    and a label, and what a cell does is much the same to many assays. A feature that was not measured counts
    as typical; a modality that was not measured adds nothing.

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
    Bonilla et al., "Multi-task Gaussian process prediction", NeurIPS 2007.
    """

    name: ClassVar[str] = "cell-kernel"
    summary: ClassVar[str] = "Gaussian process on structures and measured profiles, over all tasks together"

    def __init__(
        self, profiles: Sequence[str] = (), terms: Sequence[str] = TERMS, most_rows: int = 4000
    ) -> None:
        self.profiles, self.terms = tuple(profiles), tuple(terms)
        self.blocks = (*(("counts",) if {"structure", "both"} & set(terms) else ()), *self.profiles)
        self.most_rows = most_rows
        self.noise = 0.0
        self.binary = False
        self.scalers: dict[str, ColumnScaler] = {}
        self.numbers: dict[str, NDArray[np.float64]] = {}  # width, center and spread of the logarithmic norm
        self.kept: dict[str, Matrix] = {}
        self.weights: Matrix = np.zeros((0, 0), np.float32)
        self.center: NDArray[np.float64] = np.zeros(0)
        self.spread: NDArray[np.float64] = np.zeros(0)

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Choose the noise by validation rows, then solve all tasks together."""
        rows, labels = self._prepare(blocks, learning)
        kernels = self.kernels(self._described(blocks, rows))
        self.noise = _NOISES[1]
        y = learning.labels[learning.valid]
        if learning.valid.any() and not np.isnan(y).all():
            held = {name: blocks[name][learning.valid] for name in self.blocks}
            errors = []
            for noise in _NOISES:
                self.weights = solve_kernels(kernels, labels, noise)
                errors.append(float(np.nanmean(((self.predict(held) - y) / self.spread) ** 2)))
            if np.isfinite(errors).any():
                self.noise = _NOISES[int(np.nanargmin(errors))]
        self.weights = solve_kernels(kernels, labels, self.noise)

    def refit(self, blocks: Mapping[str, Matrix], learning: Learning) -> CellKernel:
        """Return one fitted on the training rows, with the noise that this one has."""
        new = CellKernel(self.profiles, self.terms, self.most_rows)
        rows, labels = new._prepare(blocks, learning)
        new.noise = self.noise
        new.weights = solve_kernels(new.kernels(new._described(blocks, rows)), labels, new.noise)
        return new

    def _prepare(
        self, blocks: Mapping[str, Matrix], learning: Learning
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Set scales, and return the rows to learn from with their centred labels."""
        rng = np.random.default_rng(learning.seed)
        rows = np.flatnonzero(learning.train)
        if len(rows) > self.most_rows:
            rows = np.sort(rng.permutation(rows)[: self.most_rows])
        self.binary = learning.kind == "classification"
        self._scale({name: blocks[name][rows] for name in self.profiles})
        self.kept = self._described(blocks, rows)
        labels = learning.labels[rows]
        self._set_units(labels, learning.kind)
        return rows, (labels - self.center) / self.spread

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
            self.scalers[name] = fit_scaler(values, "standard")
            scaled = self.scalers[name].transform(values)[:1000].astype(np.float64)
            apart = (scaled**2).sum(axis=1)
            squared = apart[:, None] + apart - 2 * scaled @ scaled.T
            pairs = squared[np.triu_indices(len(scaled), 1)]
            middle = float(np.median(pairs)) if pairs.size else 0.0
            norms = _log_norm(self.scalers[name].transform(values))
            spread = float(norms.std()) if len(norms) else 0.0
            self.numbers[name] = np.array(
                [2 * middle if middle > 0 else 1.0, norms.mean() if len(norms) else 0.0, spread or 1.0]
            )

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

    def kernels(self, described: Mapping[str, Matrix]) -> list[SharedKernel]:
        """Return the terms of the covariance of molecules with the training molecules."""
        terms: list[SharedKernel] = []
        structure: Matrix | None = None
        if "counts" in self.blocks:
            structure = CountSimilarity(counts_of(self.kept["counts"]))(counts_of(described["counts"]))
        if structure is not None and "structure" in self.terms:
            terms.append(SharedKernel(structure, _SCALES["structure"], _SHARED["structure"]))
        share = 1 / max(len(self.profiles), 1)
        for name in self.profiles:
            a, b = described[name], self.kept[name]
            seen = a[:, :1] * b[:, 0]
            like = _gaussian(a[:, 2:], b[:, 2:], float(self.numbers[name][0])) * seen
            matrices = {"profile": like, "norm": a[:, 1:2] * b[:, 1] * seen}
            if structure is not None:
                matrices["both"] = like * structure
            terms += [
                SharedKernel(matrix, share * _SCALES[term], _SHARED[term])
                for term, matrix in matrices.items()
                if term in self.terms
            ]
        return terms

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the posterior means; those of classes are cut to [0.001, 0.999]."""
        rows = len(blocks[self.blocks[0]])
        parts = [
            apply_kernels(self.kernels(self._described(blocks, slice(at, at + _CHUNK))), self.weights)
            for at in range(0, max(rows, 1), _CHUNK)
        ]
        result = np.concatenate(parts).astype(np.float64) * self.spread + self.center
        return np.clip(result, 1e-3, 1 - 1e-3) if self.binary else result

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the training molecules, their weights and the scaling."""
        table = {
            "profiles": list(self.profiles),
            "terms": list(self.terms),
            "most_rows": self.most_rows,
            "noise": self.noise,
            "binary": self.binary,
        }
        arrays: dict[str, NDArray[Any]] = {
            "weights": self.weights,
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
        new = cls(table["profiles"], table["terms"], table["most_rows"])
        new.noise, new.binary = table["noise"], table["binary"]
        new.weights, new.center, new.spread = (arrays[name] for name in ("weights", "center", "spread"))
        new.kept, new.numbers = under_prefix(arrays, "kept."), under_prefix(arrays, "numbers.")
        for name in new.profiles:
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
