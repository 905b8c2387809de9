"""The report on a benchmark: models by set with intervals, published figures, wins and losses, cost."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cytomol.evaluate.coverage import read_coverage
from cytomol.evaluate.rows import read_rows
from cytomol.evaluate.summary import summarize
from cytomol.report.elements import Code, Element, Facts, Fold, Sentence, Table
from cytomol.report.of_benchmark_scores import Board, beside_section, scores_section
from cytomol.report.page import Page, Section
from cytomol.report.report_kinds import report_kinds
from cytomol.report.wording import number_or_dash

__all__ = ["BenchmarkReport"]

_ROWS, _COVERAGE = "rows.csv", "coverage.csv"
_COSTS = {
    "seconds_features": "features, s",
    "seconds_fit": "fit, s",
    "seconds_predict": "predict, s",
    "peak_mb": "peak, MB",
}


@report_kinds.register("benchmark")
class BenchmarkReport:
    """The report on a benchmark.

    Examples
    --------
    >>> import tempfile
    >>> BenchmarkReport().recognises(Path(tempfile.mkdtemp()))
    False
    """

    def recognises(self, directory: Path) -> bool:
        """Say whether a directory holds the rows of a benchmark."""
        return (directory / _ROWS).is_file() and not (directory / "manifest.json").exists()

    def page(self, directory: Path) -> Page:
        """Return the report, a function of the directory alone.

        Raises
        ------
        InputError
            If its rows cannot be read.
        """
        rows = read_rows(directory / _ROWS)
        board = _board(directory, rows)
        sections = [
            Section("In short", _in_short(board)),
            scores_section(board),
            beside_section(board),
            _wins(board),
            _certainty(directory),
            _cost(board),
            Section("How it was run", _run(rows, board)),
        ]
        sets, models = len(board.sets), len(board.models)
        subtitle = f"{sets} set{'s' * (sets > 1)}, {models} model{'s' * (models > 1)}, {board.fold} fold"
        return Page("A benchmark", subtitle, [one for one in sections if one is not None])


def _board(directory: Path, rows: pd.DataFrame) -> Board:
    """Return the scores of the test fold, or of the valid fold where that alone was scored."""
    fold = "test" if (rows["fold"] == "test").any() else "valid"
    summary = summarize(rows, fold=fold, where=str(directory / _ROWS))
    return Board.of(rows, summary)


def _in_short(board: Board) -> list[Element]:
    """Return who is best where, and how sure that is."""
    if len(board.models) == 1:
        said = ", ".join(f"{name} {board.text(name, board.models[0])}" for name in board.sets)
        return [Sentence(f"{board.models[0]} alone was scored: {said}.", "said")]
    firsts = pd.Series([board.ranked(name)[0] for name in board.sets]).value_counts()
    leaders = [
        f"{model} on {count}" for model, count in sorted(firsts.items(), key=lambda one: (-one[1], one[0]))
    ]
    sure = [name for name in board.sets if board.ahead_of_all(name)]
    said = f"The best mean of {len(board.models)} models has {_listed(leaders)} of {len(board.sets)} sets."
    if len(board.sets) == 1:
        said = f"{board.ranked(board.sets[0])[0]} has the best mean of {len(board.models)} models."
    if sure:
        rest = f"On {_listed(sure)} the best is ahead of every other model by more than its 95% interval."
    else:
        rest = "On no set is the best ahead of every other model by more than its 95% interval."
    return [Sentence(said, "said"), Sentence(rest)]


def _wins(board: Board) -> Section | None:
    """Return how often each model is ahead of, level with and behind each other one, and all pairs."""
    if board.pairs.empty:
        return None
    names = board.models
    rows = [[one, *(board.tally(one, other) if one != other else "–" for other in names)] for one in names]
    said = (
        "Sets on which the model of the row is ahead of, level with and behind the model of the column. "
        "Ahead or behind means that the 95% interval of the difference, with tasks and seeds drawn again, "
        "leaves 0 out; where neither tasks nor seeds number five there is none, and they count as level."
    )
    pairs = [
        [
            str(row["set"]),
            str(row["better"]),
            str(row["worse"]),
            f"{row['difference']:.4f}",
            _interval(row["low"], row["high"]),
            f"{row['wins']} of {row['tasks']}",
            number_or_dash(row["p_holm"], ".2g"),
        ]
        for _, row in board.pairs.iterrows()
    ]
    head = ["set", "better", "worse", "by", "95% interval", "tasks won", "p (Holm)"]
    return Section(
        "Wins and losses",
        [
            Sentence(said),
            Table(["model", *names], rows, "Ahead / level / behind, in sets"),
            Fold(
                "All pairs", [Table(head, pairs, "Differences of pairs; p corrected for the pairs of a set")]
            ),
        ],
    )


def _certainty(directory: Path) -> Section | None:
    """Return how well stated intervals and sets hold; None where it was not measured."""
    if not (directory / _COVERAGE).is_file():
        return None
    table = read_coverage(directory / _COVERAGE)
    if table.empty:
        return None
    table = table.assign(model=_labelled(table))
    keys, numbers = ["set", "model", "coverage"], ["covered", "size", "covered_inside", "covered_outside"]
    means = table.groupby(keys, sort=False)[numbers].mean().reset_index()
    rows = []
    for (model, stated), part in means.groupby(["model", "coverage"], sort=True):
        lowest = part.sort_values("covered", kind="stable").iloc[0]
        mean = f"{part['covered'].mean():.1%}"
        rows.append([str(model), f"{stated:.0%}", mean, f"{lowest['covered']:.1%}", str(lowest["set"])])
    every = [
        [
            str(row["set"]),
            str(row["model"]),
            f"{row['coverage']:.0%}",
            *(number_or_dash(row[name], ".1%") for name in ("covered", "covered_inside", "covered_outside")),
            number_or_dash(row["size"], ".2f"),
        ]
        for _, row in means.iterrows()
    ]
    head = ["set", "model", "stated", "covered", "covered inside", "covered outside", "size"]
    caption = (
        "Share of measured values within the interval, or the set of classes, that was stated for them; "
        "inside and outside the domain; mean size (classes, or width in spreads of the task)."
    )
    short = "Share of measured values within what was stated, mean over sets, and the set where it is least"
    return Section(
        "Whether the stated uncertainty holds",
        [
            Table(["model", "stated", "covered", "least", "on"], rows, short),
            Fold("Every set and model", [Table(head, every, caption)]),
        ],
    )


def _cost(board: Board) -> Section:
    """Return seconds and memory."""
    fits = {(row["set"], row["model"]): float(row["seconds_fit"]) for _, row in board.table.iterrows()}
    rows = [
        [model, *(number_or_dash(fits.get((name, model), float("nan")), ",.1f") for name in board.sets)]
        for model in board.models
    ]
    every = [
        [
            str(row["set"]),
            str(row["model"]),
            str(row["seeds"]),
            *(number_or_dash(row[cost], ",.0f" if cost == "peak_mb" else ",.1f") for cost in _COSTS),
        ]
        for _, row in board.table.iterrows()
    ]
    head = ["set", "model", "seeds", *_COSTS.values()]
    caption = "Mean seconds of a fit and of a prediction, most seconds for features, and most memory"
    return Section(
        "What it cost",
        [
            Table(["model", *board.sets], rows, "Seconds of a fit, mean over seeds"),
            Fold("Features, predictions and memory", [Table(head, every, caption)]),
        ],
    )


def _run(rows: pd.DataFrame, board: Board) -> list[Element]:
    """Return the command, and what wrote the rows."""
    seeds = rows["seed"].nunique()
    models = ",".join(sorted(rows["model"].unique()))
    versions = sorted(
        {f"{v} ({c})" if c else str(v) for v, c in zip(rows["version"], rows["commit"], strict=True)}
    )
    variants = sorted(set(rows["variant"]) - {""})
    facts = [
        ("rows", f"{len(rows):,} in {_ROWS}: one for each job, fold and task"),
        ("seeds", f"{seeds}"),
        ("version", ", ".join(versions)),
        *([("variants", ", ".join(variants))] if variants else []),
    ]
    command = f"cytomol benchmark {' '.join(board.sets)} --models {models} --seeds {seeds} -o DIR --resume"
    return [
        Code(command),
        Sentence("It goes on where the rows end; sets of your own are given as files, with their options."),
        Facts(facts),
    ]


def _labelled(table: pd.DataFrame) -> pd.Series[str]:
    return table["model"] + table["variant"].map(lambda text: f" ({text})" if text else "")


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _interval(low: float, high: float) -> str:
    return "–" if pd.isna(low) else f"{low:+.4f} to {high:+.4f}"
