"""How far stated certainty holds: calibration, and coverage by distance to the training molecules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cytomol.predict.record.record_parts import Band, TestedTask
from cytomol.report.answer_section import some_of
from cytomol.report.elements import Element, Figure, Row, Sentence
from cytomol.report.page import Section
from cytomol.report.palette import colour
from cytomol.report.predictor_facts import NO_RECORD, PredictorFacts
from cytomol.report.svg_figure import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration_section", "coverage_section"]


def calibration_section(facts: PredictorFacts) -> Section:
    """Show stated probabilities, and stated coverage of intervals, beside what was observed."""
    title = "Calibration"
    tasks = _with(facts, "calibration")
    if not tasks:
        return Section(title, [Sentence(NO_RECORD if facts.record is None else _too_few())])
    figures: list[Element] = [_calibration(task, number) for number, task in enumerate(tasks)]
    return Section(title, [Sentence(f"{_calibrated(facts)}{some_of(facts)}"), Row(figures)])


def coverage_section(facts: PredictorFacts) -> Section:
    """Show how often intervals and sets hold the measured value, by likeness to the training molecules."""
    title = "Coverage against distance"
    tasks = _with(facts, "distance")
    if not tasks:
        return Section(title, [Sentence(NO_RECORD if facts.record is None else _too_few())])
    figures: list[Element] = [_coverage(task, number) for number, task in enumerate(tasks)]
    said = (
        "Intervals (of values) and sets of classes are stated to hold the measured one for 9 of 10 "
        "molecules. That is so on average; where points lie below the dashed line, it is less sure at that "
        "distance."
    )
    own = _own_answers(facts)
    return Section(title, [Sentence(said), *([Sentence(own, "quiet")] if own else []), Row(figures)])


def _own_answers(facts: PredictorFacts) -> str:
    """Say where the widths were set by the very answers that are shown."""
    if facts.record is None or facts.record.tested_on == "test":
        return ""
    return (
        "The same answers set the widths of the intervals, so the average is near what is stated by its "
        "making: what can be read is how it differs with distance."
    )


def _with(facts: PredictorFacts, what: str) -> list[TestedTask]:
    tasks = () if facts.record is None else facts.record.tasks
    return [task for task in tasks if getattr(task, what)]


def _too_few() -> str:
    return "Too few tested molecules have a label (at least 10 for a point), or nothing was held out."


def _calibrated(facts: PredictorFacts) -> str:
    how = facts.scores.get("calibration")
    return f"Calibrated {how}; shown on {facts.tested_on}." if how else f"Shown on {facts.tested_on}."


def _calibration(task: TestedTask, number: int) -> Figure:
    values = task.kind == "regression"
    what = "observed coverage" if values else f"share of class {task.classes[1][:24]}"
    stated = "stated coverage" if values else f"stated probability of class {task.classes[1][:24]}"

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=colour("quiet"), linewidth=1, linestyle="--")
        _bars(axes, [(band.stated, band) for band in task.calibration])
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel(stated)
        axes.set_ylabel(what)
        axes.set_title(task.name[:48])

    said = "; ".join(
        f"{_share(band.stated)} stated, {_share(band.observed)} observed" for band in task.calibration
    )
    return drawn(
        draw,
        name=f"calibration-{number}",
        title=f"Calibration of {task.name}",
        says=f"{said}.",
        caption=f"{task.name}: on the dashed line what is stated is what happens"
        + (". " if values else f"; points are of about {task.calibration[0].rows:,} molecules each. ")
        + "Bars are 95% intervals.",
        size=(4.3, 3.5),
    )


def _coverage(task: TestedTask, number: int) -> Figure:
    bands = task.distance
    middles = [((band.low or 0.0) + (band.high or 0.0)) / 2 for band in bands]
    what = "interval" if task.kind == "regression" else "set"

    def draw(axes: Axes) -> None:
        axes.axhline(bands[0].stated or 0.9, color=colour("quiet"), linewidth=1, linestyle="--")
        for band in bands:
            ends = [band.low or 0.0, band.high or 0.0]
            axes.plot(ends, [band.observed or 0.0] * 2, color=colour("blue"), linewidth=1, alpha=0.5)
        _bars(axes, list(zip(middles, bands, strict=True)))
        axes.set_ylim(0, 1.03)
        axes.set_xlabel("likeness to the nearest training molecule (Tanimoto)")
        axes.set_ylabel(f"share of {what}s that hold it")
        axes.set_title(task.name[:48])

    said = "; ".join(
        f"{_share(band.observed)} of {band.rows:,} molecules {_number(band.low)} to {_number(band.high)} "
        f"alike, median error {_number(band.error)}"
        for band in bands
    )
    return drawn(
        draw,
        name=f"coverage-{number}",
        title=f"Coverage of the {what}s of {task.name} against distance",
        says=f"{said}.",
        caption=f"{task.name}: how many {what}s hold the measured one, far molecules to the left. Points are "
        f"of about {bands[0].rows:,} molecules each, pale lines their range, bars 95% intervals. Median "
        f"error {_number(bands[0].error)} where farthest, {_number(bands[-1].error)} where nearest.",
        size=(4.3, 3.5),
    )


def _bars(axes: Axes, points: Sequence[tuple[float | None, Band]]) -> None:
    """Draw observed shares with their intervals."""
    for place, band in points:
        if place is not None and band.observed_low is not None and band.observed_high is not None:
            axes.plot(
                [place] * 2, [band.observed_low, band.observed_high], color=colour("blue"), linewidth=1.2
            )
    axes.plot(
        [place or 0.0 for place, _ in points],
        [band.observed or 0.0 for _, band in points],
        "o",
        color=colour("blue"),
        markersize=5,
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
