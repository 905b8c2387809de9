"""The parts of a record: plain numbers and texts, checked when they are read again."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict

__all__ = [
    "Attributed",
    "Band",
    "ColumnFacts",
    "Curve",
    "LearningCurve",
    "MapFacts",
    "Neighbour",
    "Number",
    "Point",
    "ShownMolecule",
    "TableFacts",
    "TaskFacts",
    "TestedTask",
    "numbers",
]


def _finite(value: object) -> object:
    """Return a number with the digits that a figure shows; None for what is none."""
    if isinstance(value, float | np.floating):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    return value


Number = Annotated[float | None, BeforeValidator(_finite)]


def numbers(values: NDArray[np.floating]) -> list[float | None]:
    """Return an array as numbers of five digits, None for NaN and infinity.

    >>> numbers(np.array([0.123456789, np.nan]))
    [0.12346, None]
    """
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist()]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ColumnFacts(_Part):
    """A column of the table: what it is, by which counts, and whether it was learnt."""

    name: str
    role: str
    measured: int
    values: str
    learnt: bool


class TaskFacts(_Part):
    """What was measured of one task; ``noise`` and ``best`` are what repeated molecules show."""

    name: str
    kind: Literal["binary", "multiclass", "regression"]
    classes: list[str]
    counts: list[int]
    measured: int
    low: Number
    median: Number
    high: Number
    spread: Number
    below: int
    above: int
    repeated: int
    repeated_labels: int
    agree: int
    contradictory: int
    noise: Number
    best: dict[str, Number]


class TableFacts(_Part):
    """What was in the table."""

    rows: int
    valid: int
    different: int
    repeated: int
    several_parts: int
    invalid: str
    folds: dict[str, int]
    tasks: list[TaskFacts]


class Point(_Part):
    """A score with its 95% interval, of a fit to so many molecules with a label."""

    molecules: int
    score: Number
    low: Number
    high: Number


class Curve(_Part):
    """Scores of one task by the molecules learnt from; ``gain`` is what the last doubling brought."""

    task: str
    metric: str
    points: list[Point]
    gain: Number
    gain_low: Number
    gain_high: Number


class LearningCurve(_Part):
    """What more data would buy: refits by ``learner`` on nested shares of the training molecules."""

    learner: str
    same: bool
    curves: list[Curve]


class MapFacts(_Part):
    """Molecules on a plane by their likeness, with their folds; ``total`` of them were in a fold."""

    x: list[float | None]
    y: list[float | None]
    fold: list[str]
    total: int
    likeness: Number


class Band(_Part):
    """How often something held among the molecules of a range: stated, observed, and its 95% interval."""

    low: Number
    high: Number
    rows: int
    stated: Number
    observed: Number
    observed_low: Number
    observed_high: Number
    error: Number = None


class TestedTask(_Part):
    """What was said of molecules that were not learnt from, at most some thousands of ``total``.

    ``predicted`` are values, probabilities of the second class, or places of the likeliest class;
    ``place`` is 0 outside, 1 edge, 2 inside, -1 unknown.
    """

    name: str
    kind: Literal["binary", "multiclass", "regression"]
    classes: list[str]
    total: int
    measured: list[float | None]
    predicted: list[float | None]
    low: list[float | None]
    high: list[float | None]
    place: list[int]
    calibration: list[Band]
    distance: list[Band]


class Neighbour(_Part):
    """A training molecule, how like it is, and what was measured of it."""

    id: str
    smiles: str
    similarity: Number
    measured: str


class ShownMolecule(_Part):
    """A tested molecule worth looking at, and the training molecules nearest to it."""

    task: str
    why: Literal["worst", "surprising"]
    id: str
    smiles: str
    measured: str
    predicted: str
    interval: str
    place: str
    nearest: list[Neighbour]


class Attributed(_Part):
    """A tested molecule and what each atom adds to the answer.

    Of a task of three and more classes that is the probability of the class ``of_class``; ``profiled`` says
    that a measured profile of the molecule stayed as it is.
    """

    task: str
    id: str
    smiles: str
    measured: str
    predicted: str
    atoms: list[float | None]
    of_class: str = ""
    profiled: bool = False
