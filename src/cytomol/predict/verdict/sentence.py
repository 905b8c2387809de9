"""The rules of the verdict, and the one sentence that says it.

A difference counts where its 95% interval leaves 0 out. In this order:

1. "unknown": fewer than 30 molecules have a label, or fewer than 10 are of either class (multi-class: fewer
   than two classes have 10): any word would be chance.
2. "unusable": the model is not shown to be better than a constant: the median of the training labels, or
   chance where classes are predicted. It has to be better in 99 of 100 resamples too: nothing costs more than
   to trust a model that knows nothing.
3. "weak": it is better than a constant, but worse than the nearest neighbour or a forest, which cost nothing;
   or it removes less than a tenth of the constant's error (classes: ROC-AUC below 0.6), of what the assay's
   noise allows where that is known.
4. "useful": everything else. The sentence sets it beside the better of the simple models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.digits import shown
from cytomol.assays.labels import Task
from cytomol.assays.metrics import metrics
from cytomol.counted import agreeing, counted
from cytomol.predict.verdict.bootstrap import Estimate
from cytomol.predict.verdict.task import CONSTANT, MODEL, Word

__all__ = [
    "FEWEST_MOLECULES",
    "FEWEST_OF_A_CLASS",
    "Compared",
    "called",
    "notes_of",
    "sentence_of",
    "too_few",
]

FEWEST_MOLECULES = 30
FEWEST_OF_A_CLASS = 10
_SURE = 0.01
_SMALL_GAIN = {"regression": 0.1, "binary": 0.2, "multiclass": 0.2}
_CALLED = {
    "neighbours": "the nearest neighbour",
    "forest": "a forest",
    "structure": "the same learner on structures alone",
    "profiles": "the profiles alone",
    "norm": "the norm of the profiles alone",
}


@dataclass(frozen=True)
class Compared:
    """What the sentence is made of.

    Attributes
    ----------
    task, metric
        What was scored, and by which metric.
    molecules
        Different molecules scored.
    scores
        Of the model and every baseline, by the metric that counts.
    better_by
        How much better the model is than each baseline.
    gain
        Share of the way from the constant to the ceiling, or to a perfect score.
    unit
        Spread that digits follow.
    chance
        Share of the resamples in which the model is no better than the constant.
    """

    task: Task
    metric: str
    molecules: int
    scores: dict[str, Estimate]
    better_by: dict[str, Estimate]
    gain: float
    unit: float
    chance: float

    def number(self, value: float) -> str:
        """Return a score as text."""
        return shown(value, self.unit)

    def between(self, difference: Estimate) -> str:
        """Return a difference with its interval, which holds 0, as text."""
        side = "better" if difference.value >= 0 else "worse"
        low, high = self.number(abs(difference.low)), self.number(abs(difference.high))
        return f"{self.number(abs(difference.value))} {side}, from {low} worse to {high} better"


def called(baseline: str, kind: str) -> str:
    """Return what a baseline is called in a sentence."""
    if baseline == CONSTANT:
        return "the median" if kind == "regression" else "chance"
    return _CALLED.get(baseline, baseline)


def too_few(task: Task, observed: NDArray[np.float64], groups: NDArray[np.int64]) -> str:
    """Return why there are too few labels for a verdict; "" if there are enough."""
    molecules = len(np.unique(groups))
    if molecules < FEWEST_MOLECULES:
        return f"too few labels to say ({molecules}; at least {FEWEST_MOLECULES})"
    if task.kind == "regression":
        return "every measured value is the same: nothing to tell apart" if np.ptp(observed) == 0 else ""
    classes = range(max(len(task.classes), 2))
    counts = [len(np.unique(groups[observed == place])) for place in classes]
    if sum(count >= FEWEST_OF_A_CLASS for count in counts) >= 2:
        return ""
    rarest = int(np.argmin(counts)) if task.kind == "binary" else int(np.argsort(counts)[-2])
    name = task.classes[rarest] if rarest < len(task.classes) else str(rarest)
    return f"too few labels of class {name} to say ({counts[rarest]}; at least {FEWEST_OF_A_CLASS})"


def sentence_of(compared: Compared) -> tuple[Word, str]:
    """Return the word and the sentence for a task with enough labels."""
    constant = compared.better_by[CONSTANT]
    ordinary = called(CONSTANT, compared.task.kind)
    if not constant.low > 0 or compared.chance > _SURE:
        return "unusable", f"no better than {ordinary}: do not use{_doubt(compared, constant)}"
    rival = _best(compared)
    if rival is not None and compared.better_by[rival].high < 0:
        by = compared.better_by[rival]
        name = called(rival, compared.task.kind)
        much = f"{compared.number(-by.value)} ({compared.number(-by.high)} to {compared.number(-by.low)})"
        return "weak", f"worse than {name} by {much}: use that instead"
    if compared.gain < _SMALL_GAIN[compared.task.kind]:
        title = metrics[compared.metric].title
        scores = [compared.number(compared.scores[name].value) for name in (MODEL, CONSTANT)]
        return "weak", f"hardly better than {ordinary}: {title} {scores[0]} against {scores[1]}"
    return "useful", _beside(compared, rival)


def _doubt(compared: Compared, constant: Estimate) -> str:
    """Say what is possible where the model looks better than a constant but too few labels show it."""
    if not constant.value > 0:
        return ""
    value, low, high = (compared.number(x) for x in (constant.value, constant.low, constant.high))
    molecules = counted(compared.molecules, "molecule", comma=False)
    return f" ({value} better, interval {low} to {high}, on {molecules})"


def _best(compared: Compared) -> str | None:
    """Return the baseline that scores best, the constant aside."""
    sign = 1 if metrics[compared.metric].higher_is_better else -1
    others = [
        name for name in compared.better_by if name != CONSTANT and np.isfinite(compared.scores[name].value)
    ]
    return max(others, key=lambda name: sign * compared.scores[name].value, default=None)


def _beside(compared: Compared, rival: str | None) -> str:
    name = called(rival or CONSTANT, compared.task.kind)
    by = compared.better_by[rival or CONSTANT]
    if by.low > 0:
        low, high = compared.number(by.low), compared.number(by.high)
        return f"better than {name} by {compared.number(by.value)} ({low} to {high})"
    if by.low == by.high == 0:
        return f"the same as {name}"
    tell = agreeing(compared.molecules, "molecule", "tells", "tell", comma=False)
    return f"as good as {name}, as far as {tell} ({compared.between(by)})"


def notes_of(
    compared: Compared, word: Word, *, brier: tuple[float, float], ceiling: float | None
) -> tuple[str, ...]:
    """Return what a reader should know beside the sentence.

    Parameters
    ----------
    compared, word
        What was compared, and the word for it.
    brier
        Brier score of the model and of the constant; NaN where there is none.
    ceiling
        Score that the assay's noise allows at best.
    """
    notes: list[str] = []
    rival = _best(compared)
    if word == "unusable" and rival is not None and compared.better_by[rival].high < 0:
        by = compared.number(-compared.better_by[rival].value)
        notes.append(f"{called(rival, compared.task.kind)} is better by {by}")
    if word in {"useful", "weak"} and brier[0] > brier[1]:
        notes.append("its order of the molecules says more than its probabilities, which are off")
    if ceiling is not None:
        title, sign = metrics[compared.metric].title, 1 if metrics[compared.metric].higher_is_better else -1
        reached = sign * compared.scores[MODEL].value >= sign * ceiling
        allowed = f"the assay's own noise allows {title} {compared.number(ceiling)} at best"
        notes.append(f"{allowed}, which is reached" if reached else allowed)
    return tuple(notes)
