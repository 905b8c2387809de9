"""Held-out rows that uncertainty is fitted on: what was predicted of them, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import agreeing
from cytomol.errors import InputError
from cytomol.predict.uncertainty.answer import kinds_of
from cytomol.predict.uncertainty.calibration import Calibrator
from cytomol.predict.uncertainty.conformal import Matrix, Vector

__all__ = ["HeldOut"]

_KINDS = ("classification", "regression")


@dataclass(frozen=True)
class HeldOut:
    """Predictions and labels that belong together.

    Attributes
    ----------
    predicted
        Shape (n, tasks).
    labels
        Measured values, shape (n, tasks); NaN where not measured or a bound.
    kinds
        Of each task.
    similarity
        To the nearest molecule that the model was fitted on, shape (n,).
    """

    predicted: Matrix
    labels: Matrix
    kinds: tuple[str, ...]
    similarity: Vector | None

    @classmethod
    def checked(
        cls,
        predicted: Matrix,
        members: NDArray[np.floating],
        labels: Matrix,
        kind: str | Sequence[str],
        *,
        similarity: NDArray[np.floating] | None,
        groups: NDArray[np.int64] | None,
        censored: NDArray[np.bool_] | None,
    ) -> Self:
        """Return the rows; arguments as of :meth:`Uncertainty.fit`.

        Raises
        ------
        InputError
            If shapes do not fit, or a kind is unknown.
        """
        if predicted.ndim != 2 or labels.shape != predicted.shape or members.shape[1:] != predicted.shape:
            raise InputError(
                f"predictions have shape {predicted.shape}, labels {labels.shape}, members {members.shape}",
                hint="expected (n, tasks), (n, tasks), (members, n, tasks)",
            )
        kinds = kinds_of(kind, predicted.shape[1])
        if len(kinds) != predicted.shape[1] or not set(kinds) <= set(_KINDS):
            have = agreeing(predicted.shape[1], "task", "has", "have", comma=False)
            raise InputError(f"{have} the kinds {kinds}", hint=f"one each of {', '.join(_KINDS)}")
        of_rows = {"similarity": similarity, "groups": groups}
        for name, array in of_rows.items():
            if array is not None and array.shape != (len(predicted),):
                raise InputError(f"{name} has shape {array.shape}", hint=f"expected ({len(predicted)},)")
        if censored is not None:
            if censored.shape != labels.shape:
                raise InputError(f"censored has shape {censored.shape}", hint=f"expected {labels.shape}")
            labels = np.where(censored, np.nan, labels)
        near = None if similarity is None else np.asarray(similarity, dtype=np.float64)
        return cls(predicted, np.asarray(labels, dtype=np.float64), kinds, near)

    def columns(self, kind: str) -> list[int]:
        """Return the places of the tasks of a kind."""
        return [place for place, one in enumerate(self.kinds) if one == kind]

    def errors(self, calibrators: Sequence[Calibrator]) -> Vector:
        """Return the error of each row over tasks, each in units of its task's mean error, shape (n,).

        It is the absolute error of a value and the squared error of a calibrated probability; NaN where
        nothing was measured.
        """
        relative = np.full(self.labels.shape, np.nan)
        calibrator_of = dict(zip(self.columns("classification"), calibrators, strict=True))
        for place in range(len(self.kinds)):
            predicted, label = self.predicted[:, place], self.labels[:, place]
            if place in calibrator_of:
                error = np.square(calibrator_of[place](predicted, self.similarity) - label)
            else:
                error = np.abs(predicted - label)
            known = ~np.isnan(error)
            mean = float(error[known].mean()) if known.any() else 0.0
            if mean > 0:
                relative[:, place] = error / mean
        known = ~np.isnan(relative)
        count = known.sum(axis=1)
        total = np.where(known, relative, 0.0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
