"""Uncertainty of a model: fitted on held-out rows, saved as a table and plain arrays, asked row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import InputError, ModelDirectoryError
from cytomol.predict.uncertainty.answer import UncertaintyAnswer, uncertainty_columns
from cytomol.predict.uncertainty.calibration import Calibrator, fit_calibrators
from cytomol.predict.uncertainty.conformal import (
    PredictionIntervals,
    PredictionSets,
    check_coverage,
    rows_needed,
)
from cytomol.predict.uncertainty.domain import ApplicabilityDomain
from cytomol.predict.uncertainty.ragged import flatten, unflatten

__all__ = ["Uncertainty", "UncertaintyAnswer", "uncertainty_columns"]

Matrix = NDArray[np.float64]

VERSION = 1


@dataclass(frozen=True)
class Uncertainty:
    """What held-out rows and training molecules say about the certainty of a model's predictions.

    Held-out rows that also chose the model (early stopping, weights of an ensemble) are a little easier
    for it than new molecules: calibration and coverage are then approximate. :func:`coverage_report`
    measures them on rows that chose nothing.

    Attributes
    ----------
    kind
        "classification" or "regression".
    members
        Members of the ensemble that the spread is taken over.
    conformal
        Intervals (regression) or sets (classification).
    domain
        The training molecules.
    calibrators
        One for each task (classification), else none.
    """

    kind: str
    members: int
    conformal: PredictionIntervals | PredictionSets
    domain: ApplicabilityDomain
    calibrators: list[Calibrator] = field(default_factory=list)

    @classmethod
    def fit(
        cls,
        predicted: Matrix,
        members: NDArray[np.floating],
        labels: Matrix,
        kind: str,
        *,
        train_fingerprints: NDArray[np.uint8],
        seed: int = 0,
    ) -> Self:
        """Fit on held-out rows.

        Parameters
        ----------
        predicted
            Probabilities of class 1 or values of rows that the model was not fitted on, NaN for a task
            that it did not learn, float64, shape (n, tasks).
        members
            The same of each member of the ensemble, shape (members, n, tasks).
        labels
            Measured values, NaN where not measured, shape (n, tasks).
        kind
            "classification" (labels 0 and 1) or "regression".
        train_fingerprints
            Fingerprints of the training molecules, as :func:`domain_fingerprints` makes them.
        seed
            Seed of the folds that choose calibrators and interval scales.

        Raises
        ------
        InputError
            If shapes do not fit.
        """
        if predicted.ndim != 2 or labels.shape != predicted.shape or members.shape[1:] != predicted.shape:
            raise InputError(
                f"predictions have shape {predicted.shape}, labels {labels.shape}, members {members.shape}",
                hint="expected (n, tasks), (n, tasks), (members, n, tasks)",
            )
        domain = ApplicabilityDomain.fit(train_fingerprints)
        if kind == "classification":
            calibrators = fit_calibrators(predicted, labels, seed=seed)
            return cls(kind, len(members), PredictionSets.fit(predicted, labels), domain, calibrators)
        intervals = PredictionIntervals.fit(predicted, _spread(members), labels, seed=seed)
        return cls(kind, len(members), intervals, domain)

    def answer(
        self,
        predicted: Matrix,
        members: NDArray[np.floating],
        fingerprints: NDArray[np.uint8],
        coverage: float = 0.9,
    ) -> UncertaintyAnswer:
        """Return how certain predictions are.

        Parameters
        ----------
        predicted, members
            As for :meth:`fit`, of the molecules asked about, shapes (n, tasks), (members, n, tasks).
        fingerprints
            Theirs, uint8, shape (n, 256).
        coverage
            Share of molecules whose measured value intervals and sets shall hold, in (0, 1).

        Raises
        ------
        InputError
            If shapes or the number of members are not those of the fit.
        ConfigError
            If the coverage is not between 0 and 1.
        """
        check_coverage(coverage)
        expected = (self.members, len(fingerprints), self.tasks)
        if members.shape != expected or predicted.shape != expected[1:]:
            raise InputError(
                f"predictions have shape {predicted.shape}, members {members.shape}",
                hint=f"expected {expected[1:]} and {expected}",
            )
        spread = _spread(members)
        spread[np.isnan(predicted)] = np.nan
        calibrated, low, high, p_values, contains = predicted, None, None, None, None
        if isinstance(self.conformal, PredictionIntervals):
            low, high = self.conformal.bounds(predicted, spread, coverage)
        else:
            columns = [c(predicted[:, task]) for task, c in enumerate(self.calibrators)]
            calibrated = np.stack(columns, axis=1)
            p_values = self.conformal.p_values(predicted)
            contains = self.conformal.contains(p_values, coverage)
        similarity, mean_similarity, in_domain = self.domain.nearest(fingerprints)
        return UncertaintyAnswer(
            kind=self.kind,
            coverage=coverage,
            predicted=predicted,
            calibrated=calibrated,
            spread=spread,
            low=low,
            high=high,
            p_values=p_values,
            contains=contains,
            similarity=similarity,
            mean_similarity=mean_similarity,
            in_domain=in_domain,
        )

    def restated(self, answer: UncertaintyAnswer, coverage: float) -> UncertaintyAnswer:
        """Return an answer of this with another coverage stated; what does not depend on it is kept."""
        check_coverage(coverage)
        low, high, contains = None, None, None
        if isinstance(self.conformal, PredictionIntervals):
            low, high = self.conformal.bounds(answer.predicted, answer.spread, coverage)
        else:
            assert answer.p_values is not None
            contains = self.conformal.contains(answer.p_values, coverage)
        return replace(answer, coverage=coverage, low=low, high=high, contains=contains)

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return len(self.conformal.rows)

    def notes(self, names: Sequence[str], coverage: float = 0.9) -> list[str]:
        """Return what a user should know: how tasks are calibrated, and which have too few rows."""
        notes: list[str] = []
        if self.calibrators:
            how = Counter(c.method + (" pooled over tasks" if c.pooled else "") for c in self.calibrators)
            parts = ", ".join(f"{method} ({count})" for method, count in sorted(how.items()))
            notes.append(f"calibration, chosen by validation rows (tasks): {parts}")
        needed, rows = rows_needed(check_coverage(coverage)), self.conformal.rows
        few = [f"{name} ({n})" for name, n in zip(names, rows, strict=True) if n < needed]
        if few:
            shown = ", ".join(few[:8]) + (f" and {len(few) - 8} more" if len(few) > 8 else "")
            sets = self.kind == "classification"
            what = "of either class for sets that can leave one out" if sets else "for finite intervals"
            notes.append(f"fewer than the {needed} validation rows that {coverage:g} takes {what}: {shown}")
        return notes

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return a JSON-serialisable table, and arrays by name; nothing else is needed to restore it."""
        table = {
            "version": VERSION,
            "kind": self.kind,
            "members": self.members,
            "calibration": [{"method": c.method, "pooled": c.pooled} for c in self.calibrators],
            "validation_rows": self.conformal.rows.tolist(),
            "similarity_threshold": self.domain.threshold,
        }
        calibration = flatten("calibration", [c.values for c in self.calibrators])
        return table, {**calibration, **self.conformal.arrays(), **self.domain.arrays()}

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Undo :meth:`state`.

        Raises
        ------
        ModelDirectoryError
            If it was written by a newer version, or something is missing.
        """
        try:
            if table["version"] > VERSION:
                raise ModelDirectoryError(
                    f"uncertainty has version {table['version']}; this cytomol reads up to {VERSION}",
                    hint="install a newer cytomol",
                )
            conformal = PredictionSets if table["kind"] == "classification" else PredictionIntervals
            calibrators = [
                Calibrator(entry["method"], values, entry["pooled"])
                for entry, values in zip(table["calibration"], unflatten("calibration", arrays), strict=True)
            ]
            return cls(
                table["kind"],
                table["members"],
                conformal.restore(arrays),
                ApplicabilityDomain.restore(arrays),
                calibrators,
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelDirectoryError(f"lacks what its uncertainty needs: {error}") from None


def _spread(members: NDArray[np.floating]) -> Matrix:
    """Return the sample standard deviation over members, shape (n, tasks); NaN for a single member."""
    if len(members) < 2:
        return np.full(members.shape[1:], np.nan)
    return np.asarray(members.std(axis=0, ddof=1), dtype=np.float64)
