"""Learning curve: what more data would buy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cytomol.assays.metrics import metrics
from cytomol.counted import counted
from cytomol.predict.record.record_parts import Curve, LearningCurve, Point
from cytomol.report.elements import Element, Figure, Row, Sentence
from cytomol.report.page import Section
from cytomol.report.palette import colour
from cytomol.report.predictor_facts import NO_RECORD, PredictorFacts, interval_text
from cytomol.report.svg_figure import drawn, on_log_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["curve_section", "said_of_doubling"]

_CLASS_SPREAD = 0.5


def curve_section(facts: PredictorFacts) -> Section:
    """Show the score by how many molecules were learnt from."""
    title = "Learning curve"
    if facts.record is None:
        return Section(title, [Sentence(NO_RECORD)])
    curve = facts.record.curve
    if curve is None:
        return Section(
            title, [Sentence("There are too few molecules to take a part of them, or too few to score one.")]
        )
    figures: list[Element] = [_figure(facts, one, number) for number, one in enumerate(curve.curves)]
    return Section(
        title, [*(Sentence(said_of_doubling(one)) for one in curve.curves), Row(figures), _made(curve)]
    )


def _made(curve: LearningCurve) -> Sentence:
    what = (
        f"Made with the same learner, {curve.learner}"
        if curve.same
        else "Made with a forest on structures, since the learner itself would have taken too long; its "
        "course says what more molecules add, not what this model scores"
    )
    return Sentence(
        f"{what}: fits to an eighth, a quarter, half and all of the training molecules, each share within "
        "the next, all scored on the same tested molecules. Bars are 95% intervals over these molecules; "
        "which training molecules a share holds is chance too.",
        "quiet",
    )


def said_of_doubling(curve: Curve) -> str:
    """Say what the last doubling of the molecules brought, and what that tells of the next."""
    known = [point for point in curve.points if point.score is not None]
    metric = metrics[curve.metric]
    if curve.gain is None or len(known) < 2:
        return f"{curve.task}: too few labels to say what more molecules would bring."
    unit = _unit(curve)
    before, last = known[-2].molecules, known[-1].molecules
    much = interval_text(abs(curve.gain), None, None, unit)
    side = "better" if curve.gain >= 0 else "worse"
    text = f"{curve.task}: from {before:,} to {last:,} molecules, {metric.title} became {much} {side}"
    if curve.gain_low is not None and curve.gain_high is not None:
        text += f", from {_sided(curve.gain_low, unit)} to {_sided(curve.gain_high, unit)}"
    if curve.gain_low is not None and curve.gain_low > 0:
        return f"{text}. If that goes on, as many molecules again would bring about as much or a little less."
    if curve.gain_high is not None and curve.gain_high < 0:
        return f"{text}. More molecules like these may not help: look at what the later ones are."
    return f"{text}: too few are tested to tell whether more molecules like these would help."


def _sided(gain: float, unit: float) -> str:
    return f"{interval_text(abs(gain), None, None, unit)} {'better' if gain >= 0 else 'worse'}"


def _unit(curve: Curve) -> float:
    if not metrics[curve.metric].in_unit:
        return _CLASS_SPREAD
    return next((point.score for point in curve.points if point.score), 1.0)


def _figure(facts: PredictorFacts, curve: Curve, number: int) -> Figure:
    known = [point for point in curve.points if point.score is not None]
    metric = metrics[curve.metric]
    constant = _constant(facts, curve)

    def draw(axes: Axes) -> None:
        counts = [float(max(point.molecules, 1)) for point in known]
        scores = [point.score for point in known if point.score is not None]
        for point in known:
            if point.low is not None and point.high is not None:
                place = float(max(point.molecules, 1))
                axes.plot([place, place], [point.low, point.high], color=colour("blue"), linewidth=1.2)
        axes.plot(counts, scores, "o-", color=colour("blue"))
        if constant is not None:
            axes.axhline(constant, color=colour("quiet"), linewidth=1, linestyle="--")
            axes.annotate(
                "constant",
                (1, constant),
                xycoords=("axes fraction", "data"),
                xytext=(-2, 3),
                textcoords="offset points",
                ha="right",
                color=colour("quiet"),
            )
        on_log_axis(axes, counts)
        axes.set_xlabel("training molecules with a label")
        axes.set_ylabel(f"{metric.title}, {'more' if metric.higher_is_better else 'less'} is better")
        axes.set_title(curve.task[:48])

    said = "; ".join(
        f"{counted(point.molecules, 'molecule')}: {_point_text(point, curve)}" for point in known
    )
    return drawn(
        draw,
        name=f"curve-{number}",
        title=f"{metric.title} of {curve.task} by training molecules",
        says=f"{said}.",
        caption=f"{curve.task}: {said}.",
    )


def _point_text(point: Point, curve: Curve) -> str:
    return interval_text(point.score, point.low, point.high, _unit(curve))


def _constant(facts: PredictorFacts, curve: Curve) -> float | None:
    """Return the constant's score, where it was measured."""
    tasks = {} if facts.verdict is None else facts.verdict["tasks"]
    score = tasks.get(curve.task, {}).get("scores", {}).get("constant", {}).get(curve.metric)
    return None if score is None else score["value"]
