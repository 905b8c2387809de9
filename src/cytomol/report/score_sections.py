"""The verdict in one sentence, and the scores beside what costs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cytomol.assays.metrics import metrics
from cytomol.counted import counted
from cytomol.report.elements import Element, Figure, Fold, Items, Sentence, Table
from cytomol.report.page import Section
from cytomol.report.palette import colour
from cytomol.report.predictor_facts import PredictorFacts, interval_text
from cytomol.report.svg_figure import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["scores_section", "verdict_section"]

FEW = 12  # tasks that are all said and shown; of more the rest is folded
_ORDER = ("model", "constant", "structure", "profiles", "norm", "neighbours", "forest")
_WORDS = ("useful", "weak", "unusable", "unknown")
_CLASS_SPREAD = 0.5


def verdict_section(facts: PredictorFacts) -> Section:
    """Say in one sentence what the model is worth, then task by task."""
    verdict = facts.verdict
    if verdict is None:
        return Section(
            "Verdict",
            [Sentence("Nobody asked: the model was made with --no-baselines, or nothing was held out.")],
        )
    tasks: Mapping[str, Any] = verdict["tasks"]
    elements: list[Element] = [Sentence(_overall(verdict), "said")]
    if len(tasks) > 1:
        lines = ["; ".join([f"{name}: {task['sentence']}", *task["notes"]]) for name, task in tasks.items()]
        elements += (
            [Items(lines)] if len(tasks) <= FEW else [Fold(f"All {len(tasks):,} tasks", [Items(lines)])]
        )
    elements.append(
        Sentence(
            f"Judged on {facts.tested_on}, beside a constant, the nearest neighbour and a forest. Useful: "
            "better than a constant and not worse than what costs nothing. Weak: worse than that, or hardly "
            "better than a constant. Unusable: not shown to be better than a constant. Unknown: too few "
            "labels to say. A difference counts where its 95% interval leaves 0 out.",
            "quiet",
        )
    )
    return Section("Verdict", elements)


def _overall(verdict: Mapping[str, Any]) -> str:
    """Return the one sentence."""
    tasks: Mapping[str, Any] = verdict["tasks"]
    if len(tasks) == 1:
        name, task = next(iter(tasks.items()))
        return "; ".join([f"{name} is {task['word']}: {task['sentence']}", *task["notes"]]) + "."
    sentence = str(verdict["sentence"])
    return sentence[:1].upper() + sentence[1:] + "."


def scores_section(facts: PredictorFacts) -> Section:
    """Set the scores beside those of the constant, the neighbours and the forest, with intervals."""
    verdict = facts.verdict
    if verdict is None:
        return Section("Scores", [_plain_scores(facts)])
    tasks: Mapping[str, Any] = verdict["tasks"]
    names = sorted({name for task in tasks.values() for name in task["scores"]}, key=_place)
    table = Table(
        ["task", "labels", "metric", *names],
        [
            [
                name,
                f"{task['labels']:,}",
                metrics[task["metric"]].title,
                *(_cell(task, model) for model in names),
            ]
            for name, task in tasks.items()
        ],
        f"Scores on {facts.tested_on}, with 95% intervals",
    )
    if len(tasks) > FEW:
        return Section(
            "Scores", [_counts(verdict), _gains(tasks, names), Fold("Scores of every task", [table])]
        )
    figures = [_beside(name, task, names, place) for place, (name, task) in enumerate(tasks.items())]
    shown: list[Element] = [figure for figure in figures if figure is not None]
    return Section("Scores", [table, *_in_rows(shown)])


def _in_rows(figures: Sequence[Element]) -> list[Element]:
    from cytomol.report.elements import Row

    return [Row(figures)] if figures else []


def _plain_scores(facts: PredictorFacts) -> Table:
    """Return the scores of a model that was not set beside anything."""
    folds = [fold for fold in ("valid", "test") if fold in facts.scores]
    rows = [
        [
            name,
            *(
                interval_text(facts.scores[fold]["tasks"].get(name), None, None, _CLASS_SPREAD)
                for fold in folds
            ),
        ]
        for name in facts.tasks
    ]
    return Table(["task", *folds], rows, f"Scores by {facts.scores.get('metric', 'the metric of each task')}")


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _unit(task: Mapping[str, Any]) -> float:
    """Return the spread that the digits of a score follow."""
    if not metrics[task["metric"]].in_unit:
        return _CLASS_SPREAD
    constant = task["scores"].get("constant", {}).get(task["metric"], {}).get("value")
    return float(constant) if constant else 1.0


def _cell(task: Mapping[str, Any], model: str) -> str:
    score = task["scores"].get(model, {}).get(task["metric"])
    return "-" if score is None else interval_text(score["value"], score["low"], score["high"], _unit(task))


def _beside(name: str, task: Mapping[str, Any], models: Sequence[str], number: int) -> Figure | None:
    """Draw the score of a task and of what costs nothing, with intervals."""
    found = [(model, task["scores"][model][task["metric"]]) for model in models if model in task["scores"]]
    found = [(model, score) for model, score in found if score["value"] is not None]
    if len(found) < 2:
        return None
    metric = metrics[task["metric"]]

    def draw(axes: Axes) -> None:
        for at, (model, score) in enumerate(reversed(found)):
            tone = colour("blue" if model == "model" else "quiet")
            if score["low"] is not None and score["high"] is not None:
                axes.plot([score["low"], score["high"]], [at, at], color=tone, linewidth=2)
            axes.plot([score["value"]], [at], "o" if model == "model" else "D", color=tone, markersize=6)
        axes.set_yticks(range(len(found)), [model for model, _ in reversed(found)])
        axes.set_ylim(-0.6, len(found) - 0.4)
        axes.grid(visible=False, axis="y")
        better = "more is better" if metric.higher_is_better else "less is better"
        axes.set_xlabel(f"{metric.title}, {better}")
        axes.set_title(name[:48])

    said = "; ".join(f"{model} {_cell(task, model)}" for model, _ in found)
    return drawn(
        draw,
        name=f"score-{number}",
        title=f"{metric.title} of {name}",
        says=f"{said}.",
        caption=f"{name}: {task['sentence']}. Lines are 95% intervals.",
        size=(4.3, 0.75 + 0.34 * len(found)),
    )


def _counts(verdict: Mapping[str, Any]) -> Element:
    """Return how many tasks have each word."""
    counts = verdict["counts"]
    return Table(["verdict", "tasks"], [[word, f"{counts[word]:,}"] for word in _WORDS], "Tasks by verdict")


def _gains(tasks: Mapping[str, Any], models: Sequence[str]) -> Element:
    """Draw how much better than the constant model and forest are, task by task."""
    rows = []
    for task in tasks.values():
        own = {model: task["scores"].get(model, {}).get(task["metric"], {}).get("value") for model in models}
        metric, constant = metrics[task["metric"]], own.get("constant")
        if task["word"] == "unknown" or constant is None or own.get("model") is None:
            continue
        way = (1.0 - constant) if metric.higher_is_better else constant
        sign = 1.0 if metric.higher_is_better else -1.0
        if way > 0:
            share = {m: sign * (v - constant) / way for m, v in own.items() if v is not None}
            rows.append((share["model"], share.get("forest")))
    rows.sort(key=lambda row: -row[0])

    def draw(axes: Axes) -> None:
        places = range(1, len(rows) + 1)
        forest = [(place, other) for place, (_, other) in zip(places, rows, strict=True) if other is not None]
        axes.plot(*zip(*forest, strict=True), "D", color=colour("orange"), markersize=2.5, label="forest")
        axes.plot(places, [own for own, _ in rows], color=colour("blue"), linewidth=2, label="model")
        axes.axhline(0, color=colour("quiet"), linewidth=1)
        axes.set_xlabel("tasks, best first")
        axes.set_ylabel("share of the constant's error removed")
        axes.legend()

    if not rows or not any(other is not None for _, other in rows):
        return Sentence("No task has enough labels to be judged.")
    better = sum(own > 0 for own, _ in rows)
    return drawn(
        draw,
        name="gains",
        title="How much better than a constant, task by task",
        says=f"Of {counted(len(rows), 'judged task')} the model is better than a constant on {better:,}.",
        caption=f"Share of the constant's error that is removed, for the {counted(len(rows), 'task')} that "
        "can be judged: 1 is perfect, 0 the constant. Dots are a forest on the same tasks.",
        size=(6.4, 3.2),
    )
