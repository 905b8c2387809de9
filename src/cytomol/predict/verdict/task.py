"""The verdict on one task: its scores beside what costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cytomol.assays.metrics import metrics
from cytomol.predict.verdict.bootstrap import Estimate

__all__ = ["CLASS_SPREAD", "CONSTANT", "MODEL", "TaskVerdict", "Word"]

Word = Literal["useful", "weak", "unusable", "unknown"]
CLASS_SPREAD = 0.5
"""What the digits of a score without a unit follow: three digits."""
MODEL = "model"
"""The name under which the judged model's predictions stand among those of its baselines."""
CONSTANT = "constant"
"""The baseline that is always there: one answer for all molecules."""


@dataclass(frozen=True)
class TaskVerdict:
    """What a model's predictions of one task are worth.

    Attributes
    ----------
    name, kind
        The task's.
    metric
        Name of the metric that counts.
    word
        "useful", "weak", "unusable" or "unknown"; :mod:`cytomol.predict.verdict.sentence` has the rules.
    sentence
        The same for a reader.
    labels
        Labels that the scores rest on.
    molecules
        Different molecules among them.
    censored
        Labels that are bounds ("<0.5"), left out of the scores.
    unpredicted
        Labels of molecules that the model or a baseline has no prediction for, left out as well.
    spread
        Standard deviation of the labels (of values), for the digits.
    scores
        By model ("model", "constant", ...) and by metric. The interval is there for every metric of the
        model, and for the metric that counts of its baselines.
    better_by
        By baseline: how much better the model is in the metric that counts; negative where it is worse.
    ceiling
        Score that the assay's own noise allows at best; None where it is not known.
    notes
        Further sentences.
    """

    name: str
    kind: str
    metric: str
    word: Word
    sentence: str
    labels: int
    molecules: int
    censored: int
    unpredicted: int
    spread: float
    scores: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    better_by: Mapping[str, Estimate] = field(default_factory=dict)
    ceiling: float | None = None
    notes: tuple[str, ...] = ()

    def main(self, model: str = MODEL) -> Estimate | None:
        """Return a model's score by the metric that counts; None where there is no such model."""
        return self.scores.get(model, {}).get(self.metric)

    @property
    def unit(self) -> float:
        """Spread that the digits of the main metric follow."""
        return self.spread if metrics[self.metric].in_unit else CLASS_SPREAD

    def to_dict(self) -> dict[str, Any]:
        """Return everything, JSON-serialisable; None where undefined."""
        return {
            "kind": self.kind,
            "word": self.word,
            "sentence": self.sentence,
            "notes": list(self.notes),
            "metric": self.metric,
            "labels": self.labels,
            "molecules": self.molecules,
            "censored": self.censored,
            "unpredicted": self.unpredicted,
            "ceiling": self.ceiling,
            "scores": {
                model: {name: score.to_dict() for name, score in scores.items()}
                for model, scores in self.scores.items()
            },
            "better_by": {name: difference.to_dict() for name, difference in self.better_by.items()},
        }
