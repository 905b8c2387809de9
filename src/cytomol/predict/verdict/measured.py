"""Predictions held against what was measured since: the verdict, and whether the stated certainty held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from cytomol.assays.labels import Labels
from cytomol.assays.metrics import expected_calibration_error
from cytomol.errors import InputError
from cytomol.predict.verdict.bootstrap import Estimate
from cytomol.predict.verdict.judge import judge
from cytomol.predict.verdict.overall import Verdict
from cytomol.predict.verdict.task import MODEL

__all__ = ["Certainty", "Held", "Scored", "held_share", "score_predictions"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Certainty:
    """What a model stated of its certainty, row by row beside its predictions.

    Attributes
    ----------
    coverage
        Stated share of molecules whose measured value the intervals or sets hold.
    low, high
        Bounds of the intervals, shape (n, tasks); NaN for a task of classes; None where no task is of values.
    contains
        Whether the set holds class 0 and class 1, shape (n, tasks, 2); None where no task is of two classes.
    calibrated
        Calibrated probability of class 1, shape (n, tasks); None where no task is of two classes.
    """

    coverage: float
    low: Matrix | None = None
    high: Matrix | None = None
    contains: NDArray[np.bool_] | None = None
    calibrated: Matrix | None = None


@dataclass(frozen=True)
class Held:
    """Whether the stated certainty of one task held.

    Attributes
    ----------
    stated
        Share of molecules whose measured value the intervals or sets should hold.
    held
        Share that they do hold, with its exact binomial interval.
    what
        "intervals", or "sets" of classes.
    calibration_error
        Mean gap of calibrated probabilities and observed shares; None for values.
    """

    stated: float
    held: Estimate
    what: str = "intervals"
    calibration_error: float | None = None

    def line(self) -> str:
        """Return a sentence."""
        shares = f"{self.held.value:.0%} of the measured values ({self.held.low:.0%} to {self.held.high:.0%})"
        short = ", which is too few" if self.held.high < self.stated else ""
        error = "" if self.calibration_error is None else f"; calibration error {self.calibration_error:.3f}"
        return f"{self.what} that should hold {self.stated:.0%} hold {shares}{short}{error}"


@dataclass(frozen=True)
class Scored:
    """Predictions against measured values: the verdict, and by task whether the stated certainty held."""

    verdict: Verdict
    held: Mapping[str, Held]

    def to_dict(self) -> dict[str, Any]:
        """Return everything, JSON-serialisable; None where undefined."""
        held = {
            name: {
                "what": found.what,
                "stated": found.stated,
                "held": found.held.to_dict(),
                "calibration_error": found.calibration_error,
            }
            for name, found in self.held.items()
        }
        return {**self.verdict.to_dict(), "certainty": held}

    def lines(self) -> list[str]:
        """Return both for a terminal."""
        return [*self.verdict.lines(), *(f"{name}: {found.line()}" for name, found in self.held.items())]


def score_predictions(
    labels: Labels,
    predicted: Matrix | Sequence[Matrix],
    *,
    baselines: Mapping[str, Matrix | Sequence[Matrix]] | None = None,
    certainty: Certainty | None = None,
    groups: NDArray[Any] | None = None,
    seed: int = 0,
) -> Scored:
    """Hold predictions against measured values.

    Parameters
    ----------
    labels
        What was measured.
    predicted, baselines
        Predictions of the model, and of what costs nothing; see :func:`cytomol.predict.verdict.judge.judge`.
        Without a "constant" the model has to beat the median, or the shares, of the measured labels
        themselves, which nobody knew beforehand.
    certainty
        What the model stated of its certainty; None leaves that out.
    groups, seed
        See :func:`cytomol.predict.verdict.judge.judge`.
    """
    verdict = judge(labels, {MODEL: predicted, **(baselines or {})}, groups=groups, seed=seed)
    return Scored(verdict, {} if certainty is None else _held(labels, certainty))


def held_share(held: NDArray[np.bool_], *, level: float = 0.95) -> Estimate:
    """Return the share of rows that are true, with its exact interval (Clopper & Pearson 1934)."""
    n, k = len(held), int(held.sum())
    if not n:
        return Estimate(float("nan"), float("nan"), float("nan"))
    tail = (1 - level) / 2
    low = float(betaincinv(k, n - k + 1, tail)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    return Estimate(k / n, low, high)


def _held(labels: Labels, stated: Certainty) -> dict[str, Held]:
    """Return by task whether its intervals or sets hold what was measured; tasks without any are left out."""
    for name, array in (("low", stated.low), ("high", stated.high), ("calibrated", stated.calibrated)):
        if array is not None and array.shape != labels.matrix.shape:
            raise InputError(f"{name} has shape {array.shape}, labels {labels.matrix.shape}")
    found: dict[str, Held] = {}
    for place, task in enumerate(labels.tasks):
        observed = labels.matrix[:, place]
        rows = ~np.isnan(observed)
        if labels.bounds is not None:
            rows &= labels.bounds[:, place] == 0
        error: float | None = None
        if task.kind == "regression" and stated.low is not None and stated.high is not None:
            low, high = stated.low[:, place], stated.high[:, place]
            rows &= ~(np.isnan(low) | np.isnan(high))
            inside = (low <= observed) & (observed <= high)
        elif task.kind == "binary" and stated.contains is not None:
            if stated.calibrated is not None:
                rows &= ~np.isnan(stated.calibrated[:, place])
                error = expected_calibration_error(observed[rows], stated.calibrated[rows, place])
            inside = np.zeros(len(observed), dtype=bool)
            inside[rows] = stated.contains[rows, place, observed[rows].astype(np.int64)]
        else:
            continue
        if rows.any():
            found[task.name] = Held(
                stated.coverage,
                held_share(inside[rows]),
                "intervals" if task.kind == "regression" else "sets",
                error,
            )
    return found
