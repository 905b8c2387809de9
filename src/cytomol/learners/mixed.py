"""Classes and values together: one learner for the columns of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.learners.base import Learner, Learning, Matrix

__all__ = ["KINDS", "ByKind", "metric_of"]

KINDS = ("classification", "regression")


def metric_of(kind: str) -> str:
    """Return the name of the metric that counts for a kind of columns."""
    return "mae" if kind == "regression" else "roc_auc"


class ByKind:
    """One learner for the columns that are classes and one for those that are values, whichever there are.

    Parameters
    ----------
    make
        Returns a new learner.
    kinds
        "classification" or "regression" of each column, shape (columns,).
    """

    def __init__(self, make: Callable[[], Learner], kinds: Sequence[str] | NDArray[np.str_]) -> None:
        self.kinds = np.array(kinds, dtype=str)
        present = [kind for kind in KINDS if (self.kinds == kind).any()]
        self.parts: dict[str, Learner] = {kind: make() for kind in present}

    @property
    def first(self) -> Learner:
        """One of the learners: all have the same settings."""
        return next(iter(self.parts.values()))

    def columns(self, kind: str) -> NDArray[np.int64]:
        """Return the numbers of the columns of a kind."""
        return np.flatnonzero(self.kinds == kind)

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Fit each learner to its columns; ``kind`` and ``metric`` of ``learning`` are not read."""
        for kind, part, of_kind in self._with_learning(learning):
            part.fit(blocks, of_kind)
            self.parts[kind] = part

    def refit(self, blocks: Mapping[str, Matrix], learning: Learning) -> ByKind:
        """Return learners fitted on the training rows with the choices that these have made."""
        new = ByKind(lambda: self.first, self.kinds)
        new.parts = {
            kind: part.refit(blocks, of_kind) for kind, part, of_kind in self._with_learning(learning)
        }
        return new

    def answer(self, blocks: Mapping[str, Matrix]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return answers, shape (m, columns), and those of ensembles' members, (members, m, columns).

        Where one kind has fewer members, its last rows of members are NaN.
        """
        return self._joined({kind: part.answer(blocks) for kind, part in self.parts.items()})

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return answers, shape (m, columns)."""
        answers = {kind: part.predict(blocks) for kind, part in self.parts.items()}
        result = np.full((len(next(iter(answers.values()))), len(self.kinds)), np.nan)
        for kind, values in answers.items():
            result[:, self.columns(kind)] = values
        return result

    def held_out(
        self, blocks: Mapping[str, Matrix], learning: Learning
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return :meth:`answer` for the validation rows, of learners that were not fitted on them."""
        answers = {}
        for kind, part, of_kind in self._with_learning(learning):
            predicted, members = part.held_out(blocks, of_kind)
            # a learner is told the rows at which its columns are measured
            asked = of_kind.valid[learning.valid]
            rows = len(asked)
            values = np.full((rows, predicted.shape[1]), np.nan)
            every = np.full((len(members), *values.shape), np.nan)
            values[asked], every[:, asked] = predicted, members
            answers[kind] = values, every
        return self._joined(answers)

    def _with_learning(self, learning: Learning) -> list[tuple[str, Learner, Learning]]:
        """Return the learners with what each learns from; a learner is told the rows that concern it."""
        parts = []
        for kind, part in self.parts.items():
            of_kind = learning.of_columns(self.columns(kind), kind, metric_of(kind))
            measured = ~np.isnan(of_kind.labels).all(axis=1)
            train, valid = of_kind.train & measured, of_kind.valid & measured
            parts.append((kind, part, replace(of_kind, train=train, valid=valid)))
        return parts

    def _joined(
        self, answers: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        most = max(len(members) for _, members in answers.values())
        rows = len(next(iter(answers.values()))[0])
        values = np.full((rows, len(self.kinds)), np.nan)
        every = np.full((most, rows, len(self.kinds)), np.nan)
        for kind, (predicted, members) in answers.items():
            columns = self.columns(kind)
            values[:, columns] = predicted
            every[np.ix_(np.arange(len(members)), np.arange(rows), columns)] = members
        return values, every

    def passed(self) -> dict[str, tuple[ByKind, float]]:
        """Return the learners that fitting went through, by name, with the seconds that each took."""
        found: dict[str, tuple[ByKind, float]] = {}
        for name in self.first.passed():
            parts = {kind: part.passed()[name] for kind, part in self.parts.items()}
            new = ByKind(lambda: self.first, self.kinds)
            new.parts = {kind: learner for kind, (learner, _) in parts.items()}
            found[name] = new, sum(seconds for _, seconds in parts.values())
        return found

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the state of each learner, under its kind."""
        tables, arrays = {}, {}
        for kind, part in self.parts.items():
            tables[kind], of_part = part.state()
            arrays.update({f"{kind}.{name}": array for name, array in of_part.items()})
        return tables, arrays

    @classmethod
    def restore(
        cls,
        learner: type[Learner],
        kinds: Sequence[str] | NDArray[np.str_],
        tables: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
    ) -> ByKind:
        """Rebuild from :meth:`state`; ``learner`` is the class of each."""
        saved = Checked(tables, arrays, "fitted")
        present = {kind for kind in KINDS if (np.asarray(kinds) == kind).any()}
        if set(saved.table) != present or not present:
            raise ModelDirectoryError(
                f"fitted: learners of {', '.join(map(str, saved.table)) or 'nothing'} for columns of"
                f" {', '.join(sorted(present)) or 'nothing'}"
            )
        parts = {}
        for kind in saved.table:
            own = saved.below(kind, f"{kind}.")
            parts[kind] = learner.restore(own.table, own.arrays)
        new = cls(lambda: next(iter(parts.values())), kinds)
        new.parts = parts
        return new
