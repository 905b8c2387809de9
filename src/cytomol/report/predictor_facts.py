"""What the report on a predictor is made of, read from its directory and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cytomol.artifact.directory import load_model
from cytomol.assays.digits import shown
from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError
from cytomol.predict.record import RECORD, FitRecord

__all__ = ["NO_EVIDENCE", "NO_RECORD", "PredictorFacts", "interval_text", "some_names"]

NO_RECORD = (
    "The model was saved without a record of its fit, so there is nothing to show here: "
    "cytomol finetune writes one unless it is told --no-report."
)

NO_EVIDENCE = (
    "The model was made with --no-evidence, so it holds no molecules, and no values of them, to be shown."
)


@dataclass(frozen=True)
class PredictorFacts:
    """Scores, options and the record of a fit.

    Attributes
    ----------
    scores
        What ``scores.json`` holds.
    config
        What ``config.json`` holds.
    record
        What the fit left for its report; None where it left nothing.
    digest
        Of the model.
    """

    scores: Mapping[str, Any]
    config: Mapping[str, Any]
    record: FitRecord | None
    digest: str

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Verify a model directory and read what a report needs.

        Raises
        ------
        ModelDirectoryError
            If it is altered, holds no scores or a record that cannot be understood.
        """
        saved = load_model(directory)
        if not (directory / "scores.json").is_file():
            raise ModelDirectoryError(
                "holds no scores.json, so there is nothing to report",
                where=str(directory),
                hint="fine-tune the model again",
            )
        record = None
        if (directory / RECORD).is_file():
            record = FitRecord.read(saved.read_json(RECORD), where=str(directory / RECORD))
        return cls(saved.read_json("scores.json"), saved.config, record, saved.digest)

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks, in order."""
        tasks = self.config["tasks"]
        return [task["name"] if isinstance(task, dict) else str(task) for task in tasks]

    @property
    def verdict(self) -> Mapping[str, Any] | None:
        """The verdict as ``scores.json`` has it; None where it was not asked for."""
        found: Mapping[str, Any] | None = self.scores.get("verdict")
        return found

    @property
    def title(self) -> str:
        """Title of the page."""
        names = self.tasks
        return f"Model of {some_names(names)}" if len(names) <= 3 else f"Model of {len(names):,} tasks"

    @property
    def subtitle(self) -> str:
        """What it was made of, in a line."""
        parts = [f"learner {self.scores.get('learner', self.config.get('learner', ''))}"]
        if self.record is not None:
            facts = self.record.facts
            table = f" of {Path(self.record.table).name}" if self.record.table else ""
            parts.insert(0, f"{counted(facts.different, 'molecule')}{table}")
            parts.append(f"cytomol {self.record.version}")
        return ", ".join(parts)

    @property
    def tested_on(self) -> str:
        """On what the scores rest, as it follows "on"."""
        where = "test" if self.record is None else self.record.tested_on
        if where == "folds":
            return "all molecules, each answered by a fit that had not seen it"
        return f"the {where or 'test'} fold, which the scored fit had not seen"


def some_names(names: list[str], most: int = 3) -> str:
    """Return names as they stand in a sentence.

    >>> some_names(["a", "b", "c"]), some_names(["a"]), some_names(["a", "b", "c", "d"])
    ('a, b and c', 'a', 'a, b, c and 1 more')
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def interval_text(value: float | None, low: float | None, high: float | None, unit: float) -> str:
    """Return a number with its interval as text.

    >>> interval_text(0.5, 0.4, 0.6, 0.5), interval_text(0.5, None, None, 0.5), interval_text(None, 0, 1, 1)
    ('0.500 (0.400 to 0.600)', '0.500', '-')
    """
    if value is None:
        return "-"
    if low is None or high is None:
        return shown(value, unit)
    return f"{shown(value, unit)} ({shown(low, unit)} to {shown(high, unit)})"
