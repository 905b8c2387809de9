"""The report on a stress test: what is left as more and more profiles go missing, curve by curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cytomol.assays.metrics import metrics
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.evaluate.missing.stress_rows import COLUMNS, NUMBERS, StressJob
from cytomol.evaluate.missing.stress_run import RECORD, ROWS
from cytomol.evaluate.missing.stress_summary import CURVE, IN_FILE_ALONE, summarize_stress
from cytomol.evaluate.rows import read_table_of
from cytomol.report.elements import Code, Element, Facts, Figure, Fold, Heading, Row, Sentence, Table
from cytomol.report.page import Page, Section
from cytomol.report.palette import SERIES, colour
from cytomol.report.report_kinds import report_kinds
from cytomol.report.results_record import read_record
from cytomol.report.svg_figure import drawn
from cytomol.report.wording import figure_name, number_or_dash

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StressReport"]

_QUESTION = [name for name in CURVE if name != "filling"]
_PART = ["place", "pattern", "hidden"]
_MARKS = ("o", "^", "s", "D", "v", "P")
_MOST_ROWS = 600
_SHORT = 8  # questions that a reader sees at once


@report_kinds.register("stress test")
class StressReport:
    """The report on a stress test by missing profiles.

    Examples
    --------
    >>> import tempfile
    >>> StressReport().recognises(Path(tempfile.mkdtemp()))
    False
    """

    def recognises(self, directory: Path) -> bool:
        """Say whether a directory holds the rows of such a test."""
        return (directory / RECORD).is_file() and (directory / ROWS).is_file()

    def page(self, directory: Path) -> Page:
        """Return the report, a function of the directory alone.

        Raises
        ------
        InputError
            If its rows or its record cannot be read.
        """
        rows, record = _rows(directory / ROWS), read_record(directory / RECORD)
        summary = summarize_stress(rows)
        shown = summary[(summary["fold"] != "valid") & ~summary["metric"].isin(IN_FILE_ALONE)]
        sections = [
            Section("In short", _in_short(shown)),
            *(_curves(n, key, part) for n, (key, part) in enumerate(shown.groupby(_PART, sort=False))),
            Section("Every point", [Fold("As numbers", [_points(summary)])]),
            Section("What was computed", _jobs(rows)),
            Section("How it was run", _run(record, rows)),
        ]
        jobs = len(rows.drop_duplicates(list(StressJob._fields)))
        methods = ", ".join(rows["method"].unique())
        return Page("What missing profiles cost", f"{methods}, {counted(jobs, 'point')}", sections)


def _rows(path: Path) -> pd.DataFrame:
    """Return the rows of all whole jobs, cells of numbers as numbers."""
    frame = read_table_of(path, COLUMNS, set(COLUMNS) - set(NUMBERS))
    sizes = frame.groupby(list(StressJob._fields), dropna=False)["rows"].transform("size")
    whole: pd.DataFrame = frame[sizes == frame["rows"]].reset_index(drop=True)
    if whole.empty:
        raise InputError("holds no point yet", where=str(path), hint="go on with --resume")
    return whole


def _in_short(shown: pd.DataFrame) -> list[Element]:
    """Return what is left of each question where most is hidden, for the filling that keeps most of it."""
    rows = []
    for key, part in shown.groupby(_QUESTION, sort=False, dropna=False):
        question = dict(zip(_QUESTION, map(str, key), strict=True))
        rates = sorted(part["rate"].unique())
        rates = [rate for rate in rates if rate < 1] or rates  # without any profile all fillings are alike
        if len(rates) < 2:
            continue
        first = part[part["rate"] == rates[0]]["score"].mean()
        last = part[part["rate"] == rates[-1]].dropna(subset=["score"])
        if last.empty:
            continue
        best = last.sort_values("score", kind="stable").iloc[-1 if _more_is_better(question["metric"]) else 0]
        chance = part["chance"].mean()
        rows.append(
            [
                _asked(question),
                _place(question),
                f"{first:.3f}",
                f"{best['score']:.3f}",
                f"{best['rate']:.0%}",
                str(best["filling"]),
                number_or_dash(chance, ".3f"),
            ]
        )
    fillings = ", ".join(map(str, shown["filling"].unique()))
    said = (
        f"Profiles were hidden step by step, up to {shown['rate'].max():.0%}. What stood in for a missing "
        f"one: {fillings}."
    )
    head = ["question", "hidden", "at first", "at last", "hidden then", "best filling then", "chance"]
    caption = "Mean score over fillings where least is hidden, and the best filling's where most is"
    elements: list[Element] = [Sentence(said, "said")]
    elements += [Table(head, rows[:_SHORT], caption)] if rows else []
    if len(rows) > _SHORT:
        elements.append(Fold("All questions", [Table(head, rows, f"{caption}, of all questions")]))
    return elements


def _curves(at: int, key: Sequence[Any], part: pd.DataFrame) -> Section:
    """Return the curves of one place, pattern and choice of modalities, a figure for each question."""
    place, pattern, hidden = map(str, key)
    title = _place({"place": place, "pattern": pattern, "hidden": hidden})
    elements: list[Element] = []
    for method, of_method in part.groupby("method", sort=False):
        name, fillings = figure_name(at, method), list(map(str, of_method["filling"].unique()))
        questions = of_method.groupby(["measure", "on", "task", "metric"], sort=False, dropna=False)
        figures = [
            _figure(question, of_question, fillings, f"{name}-{number}")
            for number, (question, of_question) in enumerate(questions)
            if len(set(of_question["rate"])) > 1
        ]
        elements += [
            Heading(str(method)),
            *([_key(fillings, name)] if figures and len(fillings) > 1 else []),
            Row(figures),
        ]
        if not figures:
            elements.append(Sentence("One share alone so far, which makes no curve."))
    return Section(f"Hidden {title}", elements)


def _key(fillings: Sequence[str], name: str) -> Figure:
    """Draw what the lines are, once for all figures of a section."""

    def draw(axes: Axes) -> None:
        for place, filling in enumerate(fillings):
            shade, mark = colour(SERIES[place % len(SERIES)]), _MARKS[place % len(_MARKS)]
            axes.plot([], [], "-", marker=mark, color=shade, label=filling, linewidth=1.3)
        axes.set_axis_off()
        axes.legend(loc="center left", ncols=2, borderaxespad=0)

    return drawn(
        draw,
        name=f"key-{name}",
        title="What stands in for a missing profile",
        says="One line of the figures below for each: " + ", ".join(fillings),
        caption="",
        size=(4.2, 0.2 + 0.2 * -(-len(fillings) // 2)),
        margins=(0.05, 0.02, 0.05, 0.02),
    )


def _figure(question: Sequence[Any], part: pd.DataFrame, fillings: Sequence[str], name: str) -> Figure:
    """Draw the score by the share hidden, a line for each filling, with the intervals of its points."""
    measure, on, task, metric = map(str, question)
    chance = part["chance"].mean()

    def draw(axes: Axes) -> None:
        for place, filling in enumerate(fillings):
            line = part[part["filling"] == filling].sort_values("rate")
            if line.empty:
                continue
            rate, score = 100 * line["rate"].to_numpy(float), line["score"].to_numpy(float)
            shade, shift = colour(SERIES[place % len(SERIES)]), 0.7 * (place - (len(fillings) - 1) / 2)
            low, high = line["low"].to_numpy(float), line["high"].to_numpy(float)
            axes.vlines(rate + shift, low, high, color=shade, linewidth=0.8, alpha=0.5)
            mark = _MARKS[place % len(_MARKS)]
            axes.plot(rate + shift, score, "-", marker=mark, color=shade, label=filling, linewidth=1.3)
        if not np.isnan(chance):
            axes.axhline(chance, color=colour("quiet"), linestyle=":", linewidth=1.2)
        axes.set_xlabel("hidden, %")
        axes.set_ylabel(metric if _more_is_better(metric) else f"{metric}, less is better")
        axes.set_title(_asked({"measure": measure, "on": on, "task": task, "metric": ""}))

    says = "; ".join(
        f"{filling}: {line['score'].iloc[0]:.3f} at {line['rate'].iloc[0]:.0%}, {line['score'].iloc[-1]:.3f} "
        f"at {line['rate'].iloc[-1]:.0%}"
        for filling, line in part.sort_values("rate").groupby("filling", sort=False)
    )
    dotted = "" if np.isnan(chance) else ", dotted: chance"
    return drawn(
        draw,
        name=f"curve-{name}",
        title=_asked({"measure": measure, "on": on, "task": task, "metric": metric}),
        says=says,
        caption=f"Means over seeds, bars: 95% intervals{dotted}.",
        size=(4.2, 2.9),
        margins=(0.75, 0.5, 0.1, 0.3),
    )


def _points(summary: pd.DataFrame) -> Table:
    """Return the summary as a table."""
    head = [*_QUESTION[1:], "filling", "hidden, %", "score", "low", "high", "chance", "seeds"]
    rows = [
        [
            *(str(one[name]) for name in _QUESTION[1:]),
            str(one["filling"]),
            f"{100 * one['rate']:g}",
            *(number_or_dash(one[name]) for name in ("score", "low", "high", "chance")),
            f"{one['seeds']}",
        ]
        for _, one in summary.head(_MOST_ROWS).iterrows()
    ]
    cut = (
        ""
        if len(summary) <= _MOST_ROWS
        else f", the first {_MOST_ROWS} of {len(summary):,}; all in summary.csv"
    )
    return Table(head, rows, f"Scores by point{cut}")


def _jobs(rows: pd.DataFrame) -> list[Element]:
    """Return which points were computed, and what they took."""
    jobs = rows.drop_duplicates(list(StressJob._fields))
    table = []
    for key, part in jobs.groupby(["method", "filling", *_PART], sort=False):
        rates = ", ".join(f"{100 * rate:g}" for rate in sorted(part["rate"].unique()))
        trained = part.drop_duplicates("model")["seconds"].sum()
        table.append([*map(str, key), rates, str(part["seed"].nunique()), str(len(part)), f"{trained:,.0f}"])
    head = ["method", "filling", "place", "pattern", "in", "hidden, %", "seeds", "points", "training, s"]
    caption = "Points that are done; a model that serves several points counts once in each line"
    return [Table(head, table, caption)]


def _run(record: Mapping[str, Any], rows: pd.DataFrame) -> list[Element]:
    """Return the command, and what the points were made with."""
    sets = list(record.get("sets", {}))
    rates = ",".join(f"{100 * rate:g}" for rate in sorted(rows["rate"].unique()))
    words = ["cytomol stress missing CORPUS", *sets, f"--method {record.get('method', '')} --rates {rates}"]
    words += [f"--pattern {','.join(rows['pattern'].unique())} --seeds {rows['seed'].nunique()}"]
    options = record.get("options", {})
    table = [[name, _option(value)] for name, value in sorted(options.items())]
    return [
        Code(f"{' '.join(words)} -o DIR --resume"),
        Facts([("CORPUS", f"SHA-256 {record.get('corpus', 'unknown')}")]),
        Fold("All options", [Table(["option", "value"], table, "Options that the fillings change")]),
    ]


def _asked(question: Mapping[str, str]) -> str:
    """Return a question as one says it."""
    words = (f"{question['measure']} of {question['on']}", question["task"], question["metric"])
    return ", ".join(word for word in words if word)


def _more_is_better(metric: str) -> bool:
    """Say which way a score is better; those of matching and imputation are all better when higher."""
    return metric not in metrics or metrics[metric].higher_is_better


def _place(question: Mapping[str, str]) -> str:
    """Return where and how profiles are hidden, as one says it."""
    how = "at random" if question["pattern"] == "random" else f"by {question['pattern']}"
    of = "" if question["hidden"] == "all" else f", {question['hidden']} alone"
    return f"in {question['place']} {how}{of}"


def _option(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
