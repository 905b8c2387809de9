"""Uncertainty of a model: fitted on held-out rows, saved as a table and plain arrays, asked row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import InputError, ModelDirectoryError
from cytomol.predict.uncertainty.answer import UncertaintyAnswer, kinds_of
from cytomol.predict.uncertainty.calibration import Calibrator, fit_calibrators
from cytomol.predict.uncertainty.class_sets import PredictionSets, classes_not_ruled_out
from cytomol.predict.uncertainty.conformal import Matrix, Vector, check_coverage, rows_needed
from cytomol.predict.uncertainty.difficulty import difficulties
from cytomol.predict.uncertainty.domain import ApplicabilityDomain
from cytomol.predict.uncertainty.heldout import HeldOut
from cytomol.predict.uncertainty.intervals import PredictionIntervals
from cytomol.predict.uncertainty.limits import DomainLimits
from cytomol.predict.uncertainty.ragged import flatten, unflatten

__all__ = ["Uncertainty"]

VERSION = 2


@dataclass(frozen=True)
class Uncertainty:
    """What held-out rows and training molecules say about the certainty of a model's predictions.

    Held-out rows that also chose the model (early stopping, weights of an ensemble) are a little easier
    for it than new molecules: calibration and coverage are then approximate. :func:`coverage_report`
    measures them on rows that chose nothing.

    Attributes
    ----------
    kinds
        "classification" or "regression" for each task.
    members
        Members of the ensemble that the spread is taken over.
    intervals
        Of the regression tasks, in their order.
    sets
        Of the classification tasks, in their order.
    domain
        The training molecules.
    calibrators
        One for each classification task.
    both_ways
        Whether a class is ruled out only if it is rare both ways (see :func:`classes_not_ruled_out`);
        models saved by 0.1 asked the p-value alone.
    """

    kinds: tuple[str, ...]
    members: int
    intervals: PredictionIntervals
    sets: PredictionSets
    domain: ApplicabilityDomain
    calibrators: list[Calibrator] = field(default_factory=list)
    both_ways: bool = True

    @classmethod
    def fit(
        cls,
        predicted: Matrix,
        members: NDArray[np.floating],
        labels: Matrix,
        kind: str | Sequence[str],
        *,
        train_fingerprints: NDArray[np.uint8],
        similarity: NDArray[np.floating] | None = None,
        groups: NDArray[np.int64] | None = None,
        censored: NDArray[np.bool_] | None = None,
        seed: int = 0,
    ) -> Self:
        """Fit on held-out rows, best on those of cross-fitting by scaffold.

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
            "classification" (labels 0 and 1) or "regression", for all tasks or for each.
        train_fingerprints
            Fingerprints of the training molecules, as :func:`domain_fingerprints` makes them.
        similarity
            Tanimoto coefficient of each row with the nearest molecule that the model which answered it was
            fitted on, shape (n,). With it answers are less certain the farther a molecule is.
        groups
            Number of the scaffold of each row, shape (n,): rows of one are never divided between fitting
            and trying a calibrator or a difficulty.
        censored
            Labels that are bounds and not values, shape (n, tasks); they are left out.
        seed
            Seed of the folds that choose calibrators and interval scales.

        Raises
        ------
        InputError
            If shapes do not fit.
        """
        held = HeldOut.checked(
            predicted, members, labels, kind, similarity=similarity, groups=groups, censored=censored
        )
        classes, values = held.columns("classification"), held.columns("regression")
        about_rows: dict[str, Any] = {"similarity": held.similarity, "groups": groups, "seed": seed}
        p, y = predicted[:, classes], held.labels[:, classes]
        calibrators = fit_calibrators(p, y, **about_rows)
        spread = _spread(members)[:, values]
        intervals = PredictionIntervals.fit(
            predicted[:, values], spread, held.labels[:, values], **about_rows
        )
        limits = None
        if held.similarity is not None:
            limits = DomainLimits.fit(held.similarity, held.errors(calibrators))
        domain = ApplicabilityDomain.fit(train_fingerprints, limits)
        return cls(held.kinds, len(members), intervals, PredictionSets.fit(p, y), domain, calibrators)

    def answer(
        self,
        predicted: Matrix,
        members: NDArray[np.floating],
        fingerprints: NDArray[np.uint8],
        coverage: float = 0.9,
        *,
        neighbours: NDArray[np.float32] | None = None,
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
        neighbours
            Similarities with the 5 nearest training molecules (as :meth:`Evidence.nearest` finds them),
            shape (n, k); None compares the fingerprints.

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
        near_by = self.domain.nearest(fingerprints) if neighbours is None else self.domain.judge(neighbours)
        similarity, mean_similarity, in_domain = near_by
        near = similarity.astype(np.float64)
        classes = self._columns("classification")
        calibrated, p_values = predicted.copy(), np.full((*predicted.shape, 2), np.nan)
        for place, calibrator in zip(classes, self.calibrators, strict=True):
            calibrated[:, place] = calibrator(predicted[:, place], near)
        p_values[:, classes] = self.sets.p_values(predicted[:, classes])
        if self.both_ways:
            p_values[:, classes] = classes_not_ruled_out(p_values[:, classes], calibrated[:, classes])
        low, high = self._bounds(predicted, spread, near, coverage)
        return UncertaintyAnswer(
            kinds=self.kinds,
            coverage=coverage,
            predicted=predicted,
            calibrated=calibrated,
            spread=spread,
            low=low,
            high=high,
            p_values=p_values,
            contains=PredictionSets.contains(p_values, coverage),
            similarity=similarity,
            mean_similarity=mean_similarity,
            in_domain=in_domain,
            limits=self.domain.limits,
        )

    def restated(self, answer: UncertaintyAnswer, coverage: float) -> UncertaintyAnswer:
        """Return the same answer for another coverage; what does not depend on it is kept."""
        check_coverage(coverage)
        near = answer.similarity.astype(np.float64)
        low, high = self._bounds(answer.predicted, answer.spread, near, coverage)
        contains = PredictionSets.contains(answer.p_values, coverage)
        return replace(answer, coverage=coverage, low=low, high=high, contains=contains)

    def _columns(self, kind: str) -> list[int]:
        return [place for place, one in enumerate(self.kinds) if one == kind]

    def _bounds(
        self, predicted: Matrix, spread: Matrix, similarity: Vector, coverage: float
    ) -> tuple[Matrix, Matrix]:
        values = self._columns("regression")
        low, high = np.full(predicted.shape, np.nan), np.full(predicted.shape, np.nan)
        low[:, values], high[:, values] = self.intervals.bounds(
            predicted[:, values], spread[:, values], coverage, similarity=similarity
        )
        return low, high

    @property
    def kind(self) -> str:
        """The kind of all tasks; "mixed" if they differ."""
        return self.kinds[0] if len(set(self.kinds)) == 1 else "mixed"

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return len(self.kinds)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Held-out rows of each task, of its rarer class in classification, shape (tasks,)."""
        rows = np.zeros(self.tasks, dtype=np.int64)
        rows[self._columns("regression")] = self.intervals.rows
        rows[self._columns("classification")] = self.sets.rows
        return rows

    def notes(self, names: Sequence[str], coverage: float = 0.9) -> list[str]:
        """Return what a user should know: how tasks are calibrated, and which have too few rows."""
        notes: list[str] = []
        if self.calibrators:
            how = Counter(c.method + (" pooled over tasks" if c.pooled else "") for c in self.calibrators)
            parts = ", ".join(f"{method} ({count})" for method, count in sorted(how.items()))
            notes.append(f"calibration, chosen by held-out molecules (tasks): {parts}")
        needed, rows = rows_needed(check_coverage(coverage)), self.rows
        for kind, what in (
            ("classification", "of either class for sets that can leave one out"),
            ("regression", "for finite intervals"),
        ):
            few = [f"{names[place]} ({rows[place]})" for place in self._columns(kind) if rows[place] < needed]
            if few:
                shown = ", ".join(few[:8]) + (f" and {len(few) - 8} more" if len(few) > 8 else "")
                notes.append(
                    f"fewer than the {needed} held-out molecules that {coverage:g} takes {what}: {shown}"
                )
        return notes

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return a JSON-serialisable table, and arrays by name; nothing else is needed to restore it."""
        table = {
            "version": VERSION,
            "kinds": list(self.kinds),
            "members": self.members,
            "calibration": [{"method": c.method, "pooled": c.pooled} for c in self.calibrators],
            "difficulty": [difficulty.name for difficulty in self.intervals.difficulty],
            "both_ways": self.both_ways,
            "validation_rows": self.rows.tolist(),
            "similarity_threshold": self.domain.threshold,
            "similarity_edge": self.domain.limits.edge,
        }
        calibration = flatten("calibration", [c.values for c in self.calibrators])
        conformal = {**self.intervals.arrays(), **self.sets.arrays()}
        return table, {**calibration, **conformal, **self.domain.arrays()}

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`state`; reads what 0.1 wrote (version 1) too.

        Raises
        ------
        ModelDirectoryError
            If it was written by a newer version, or something is missing.
        """
        try:
            saved = Checked(table, arrays, "uncertainty")
            if saved.whole("version", 1) > VERSION:
                raise ModelDirectoryError(
                    f"uncertainty has version {table['version']}; this cytomol reads up to {VERSION}",
                    hint="install a newer cytomol",
                )
            saved.whole("members", 1, 100_000)
            calibrators = [
                Calibrator.checked(entry, values)
                for entry, values in zip(
                    saved.entries("calibration"), unflatten("calibration", arrays), strict=True
                )
            ]
            domain = ApplicabilityDomain.restore(arrays)
            if table["version"] == 1:
                kinds, intervals, sets = _restore_first(table, arrays)
                return cls(kinds, table["members"], intervals, sets, domain, calibrators, both_ways=False)
            kinds = tuple(saved.each_word("kinds", ("classification", "regression")))
            names = saved.each_word("difficulty", tuple(difficulties))
            intervals, sets = PredictionIntervals.restore(arrays, names), PredictionSets.restore(arrays)
            found = len(intervals.scores), len(sets.scores), len(calibrators)
            values, classes = kinds.count("regression"), kinds.count("classification")
            if found != (values, 2 * classes, classes):
                raise ModelDirectoryError(
                    f"uncertainty: scores of {_values_and_classes(found[0], found[1] // 2)} and"
                    f" {counted(found[2], 'calibration', comma=False)}, for"
                    f" {_values_and_classes(values, classes)}"
                )
            return cls(
                kinds,
                table["members"],
                intervals,
                sets,
                domain,
                calibrators,
                both_ways=saved.flag("both_ways"),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ModelDirectoryError(f"lacks what its uncertainty needs: {error}") from None


def _restore_first(
    table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> tuple[tuple[str, ...], PredictionIntervals, PredictionSets]:
    """Read version 1: tasks of one kind, and the conformal scores of that kind alone."""
    kinds = kinds_of(table["kind"], len(table["validation_rows"]))
    if table["kind"] == "classification":
        return kinds, PredictionIntervals([], []), PredictionSets.restore(arrays)
    return kinds, PredictionIntervals.restore(arrays), PredictionSets([])


def _spread(members: NDArray[np.floating]) -> Matrix:
    """Return the sample standard deviation over members, shape (n, tasks); NaN for a single member."""
    if len(members) < 2:
        return np.full(members.shape[1:], np.nan)
    return np.asarray(members.std(axis=0, ddof=1), dtype=np.float64)


def _values_and_classes(values: int, classes: int) -> str:
    said = counted(classes, "class", plural="classes", comma=False)
    return f"{counted(values, 'value', comma=False)} and {said}"
