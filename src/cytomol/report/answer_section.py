"""What was predicted beside what was measured: parity of values, ROC and precision-recall of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.predict.record.record_parts import TestedTask
from cytomol.report.elements import Element, Figure, Row, Sentence, Table
from cytomol.report.page import Section
from cytomol.report.palette import colour
from cytomol.report.predictor_facts import NO_EVIDENCE, NO_RECORD, PredictorFacts
from cytomol.report.svg_figure import draw_points, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["answers_section", "some_of"]

_MOST = 800  # points that are drawn
_FEWEST = 5
_SIZE = (4.3, 3.4)
_PLACES = ((2, "inside", "blue", "o"), (1, "edge", "orange", "s"), (0, "outside", "vermillion", "^"))

Vector = NDArray[np.float64]


def answers_section(facts: PredictorFacts) -> Section:
    """Show predictions of tested molecules beside their measured values."""
    title = "Predicted and measured"
    if facts.record is None or not facts.record.evidence:
        return Section(title, [Sentence(NO_RECORD if facts.record is None else NO_EVIDENCE)])
    tasks = [task for task in facts.record.tasks if task.total >= _FEWEST]
    if not tasks:
        return Section(title, [Sentence("Too few tested molecules have a label for a figure.")])
    elements: list[Element] = [Sentence(f"On {facts.tested_on}.{some_of(facts)}", "quiet")]
    figures: list[Element] = []
    for number, task in enumerate(tasks):
        figures += [_parity(task, number)] if task.kind == "regression" else []
        figures += _curves(task, number) if task.kind == "binary" else []
    elements += [Row(figures), *(_confusion(task) for task in tasks if task.kind == "multiclass")]
    return Section(title, elements)


def some_of(facts: PredictorFacts) -> str:
    """Say which tasks have figures, where not all have."""
    tasks = () if facts.record is None else facts.record.tasks
    if len(tasks) == len(facts.tasks):
        return ""
    names = ", ".join(task.name for task in tasks)
    return f" Figures show {len(tasks):,} of {len(facts.tasks):,} tasks, from the best to the worst: {names}."


def _arrays(task: TestedTask) -> tuple[Vector, Vector]:
    """Return what was measured and what was predicted, shape (n,) each."""
    measured, predicted = (np.array(part, dtype=np.float64) for part in (task.measured, task.predicted))
    return measured, predicted


def _parity(task: TestedTask, number: int) -> Figure:
    measured, predicted = _arrays(task)
    place = np.array(task.place)
    rows = np.arange(len(measured))
    if len(rows) > _MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, _MOST, replace=False))

    def draw(axes: Axes) -> None:
        both = np.concatenate([measured, predicted])
        ends = [float(both.min()), float(both.max())]
        axes.plot(ends, ends, color=colour("quiet"), linewidth=1, linestyle="--")
        looks = _PLACES if (place >= 0).any() else ((-1, "", "blue", "o"),)
        for at, word, tone, marker in looks:
            own = rows[place[rows] == at]
            if len(own):
                draw_points(axes, measured[own], predicted[own], marker, tone, label=word)
        axes.set_xlim(*_widened(ends))
        axes.set_ylim(*_widened(ends))
        axes.set_xlabel("measured")
        axes.set_ylabel("predicted")
        axes.set_title(task.name[:48])
        if len(looks) > 1:
            axes.legend(loc="upper left")

    away = float(np.abs(measured - predicted).mean())
    molecules = counted(task.total, "molecule")
    which = (
        "" if len(rows) == task.total else f" {len(rows):,} of {task.total:,} are drawn, chosen at random."
    )
    return drawn(
        draw,
        name=f"parity-{number}",
        title=f"Predicted and measured {task.name}",
        says=f"{molecules}; predictions are {away:.3g} off on average.",
        caption=f"{task.name}: {molecules}. On the dashed line predicted and measured are the same. "
        f"Inside, edge and outside say how near training molecules are.{which}",
        size=_SIZE,
    )


def _widened(ends: list[float]) -> tuple[float, float]:
    margin = 0.04 * (ends[1] - ends[0]) or 1.0
    return ends[0] - margin, ends[1] + margin


def _curves(task: TestedTask, number: int) -> list[Figure]:
    """Draw ROC and precision-recall."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    measured, predicted = _arrays(task)
    if len(np.unique(measured)) < 2:
        return []
    false, true, _ = roc_curve(measured, predicted)
    precision, recall, _ = precision_recall_curve(measured, predicted)
    share, positive = float(measured.mean()), task.classes[1]

    def roc(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=colour("quiet"), linewidth=1, linestyle="--", label="chance")
        axes.plot(*_thinned(false, true), color=colour("blue"), drawstyle="steps-post", label="model")
        axes.set_xlabel("share of the others called so too")
        axes.set_ylabel(f"share of class {positive[:24]} found")
        axes.set_title(f"{task.name[:40]}: ROC")
        axes.legend(loc="lower right")

    def recall_curve(axes: Axes) -> None:
        axes.plot([0, 1], [share, share], color=colour("quiet"), linewidth=1, linestyle="--", label="chance")
        axes.plot(*_thinned(recall, precision), color=colour("blue"), label="model")
        axes.set_ylim(0, 1.03)
        axes.set_xlabel(f"share of class {positive[:24]} found")
        axes.set_ylabel("precision")
        axes.set_title(f"{task.name[:32]}: precision and recall")
        axes.legend(loc="lower left")

    count = int(measured.sum())
    said = f"{task.total:,} molecules, {count:,} of them of class {positive}"
    return [
        drawn(
            roc,
            name=f"roc-{number}",
            title=f"ROC of {task.name}",
            says=f"{said}. The curve is how many {positive} are found for how many others called so.",
            caption=f"{task.name}: {said}. A curve along the dashed line is chance.",
            size=_SIZE,
        ),
        drawn(
            recall_curve,
            name=f"recall-{number}",
            title=f"Precision and recall of {task.name}",
            says=f"{said}. Chance has a precision of {share:.2f}.",
            caption=f"{task.name}: of those called class {positive}, how many are, by how many of "
            "them are found. "
            f"Chance has {share:.2f}.",
            size=_SIZE,
        ),
    ]


def _thinned(x: Vector, y: Vector, most: int = 300) -> tuple[Vector, Vector]:
    """Return at most so many points of a curve, its ends among them."""
    if len(x) <= most:
        return x, y
    kept = np.unique(np.linspace(0, len(x) - 1, most).astype(np.int64))
    return x[kept], y[kept]


def _confusion(task: TestedTask) -> Table:
    """Count which class was said of which."""
    measured, predicted = _arrays(task)
    rows = []
    for place, name in enumerate(task.classes):
        own = predicted[measured == place]
        rows.append([name, *(f"{int((own == other).sum()):,}" for other in range(len(task.classes)))])
    head = ["measured", *(f"said {name}" for name in task.classes)]
    return Table(head, rows, f"{task.name}: what was said of the molecules of each class")
