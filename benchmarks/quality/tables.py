"""Sections of the page that are made from the scores: targets, models, wins and losses, cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from benchmarks.quality.published import LIMIT_MINUTES, Figure
from benchmarks.quality.rows import GPU, LEAKY, MINIMOL, OURS, TODAY, Cell, Rows, refitted

from cytomol.evaluate.significance import FEWEST_DRAWN, Paired, holm
from cytomol.evaluate.summary import summarize_models

__all__ = [
    "THRESHOLDS",
    "above",
    "costs",
    "decided",
    "figure_text",
    "markdown",
    "models",
    "named",
    "number",
    "places",
    "single",
    "spread",
    "targets",
    "wins",
]

THRESHOLDS = (80, 85, 90)
"""ROC-AUC in % beyond which tasks are counted, as the methods' authors do (who print 95 too)."""

_LEVEL = 0.05
_SINGLE = ("mlp-one", "mlp-embedding-one (cell)", "mlp-embedding-one (structure)")
_LIMIT = 5


def number(value: float | None, form: str = ".1f") -> str:
    """Return a number as text; – where there is none."""
    return "–" if value is None or value != value else format(value, form)  # noqa: PLR0124 - NaN


def markdown(header: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table; the first column is text, the others are numbers."""
    yield f"| {' | '.join(header)} |"
    yield f"|---|{'---:|' * (len(header) - 1)}"
    for line in lines:
        yield f"| {' | '.join(line)} |"
    yield ""


def spread(cell: Cell | None) -> str:
    """Return mean, standard deviation and, in brackets, the number of seeds; – without rows."""
    if cell is None:
        return "–"
    if cell.seeds == 1:
        return f"{cell.mean:.1f} (1)"
    return f"{cell.mean:.1f} ± {cell.std:.1f} ({cell.seeds})"


def figure_text(figure: Figure | None) -> str:
    """Return a published mean with its standard deviation; – where nothing was published."""
    if figure is None:
        return "–"
    return number(figure.mean) + (f" ± {figure.std}" if figure.std else "")


def targets(rows: Rows) -> Iterator[str]:
    """Yield what was to be reached, then what was: by recipe, fitted on train, and on train and valid."""
    lines = []
    for name in rows.sets:
        best = rows.best(name, rows.baselines())
        baseline = "–" if best is None else f"{best} {spread(rows.cell_of(name, best))}"
        leaky = spread(rows.cell_of(name, LEAKY))
        aims = (number(rows.target(name, label)) for label in (OURS, refitted(OURS)))
        lines.append((named(rows, name), number(rows.published(name)), leaky, baseline, *aims))
    header = ("set", "best published", LEAKY, "best own baseline", "to reach", "refitted")
    yield from markdown(header, lines)
    for label in (OURS, TODAY, GPU, MINIMOL):
        if label in rows.labels:
            yield from _reached_by(rows, label)


def _reached_by(rows: Rows, first: str) -> Iterator[str]:
    """Yield which targets a recipe reached, alone and refitted."""
    labels = (first, refitted(first))
    lines = []
    for name in [name for name in rows.sets if rows.cell_of(name, first) is not None]:
        cells = [(rows.cell_of(name, label), rows.target(name, label)) for label in labels]
        texts = [(spread(cell), _verdict(cell, target, rows.sign(name))) for cell, target in cells]
        lines.append((named(rows, name), *texts[0], *texts[1]))
    yield from markdown(("set", f"`{first}`", "reached?", f"`{labels[1]}`", "reached?"), lines)


def _verdict(found: Cell | None, target: float | None, sign: float) -> str:
    if found is None or target is None:
        return "–"
    ahead = sign * (found.mean - target)
    return f"yes, by {ahead:.2f}" if ahead >= 0 else f"**no, missed by {-ahead:.2f}**"


def _is_leaky(label: str) -> bool:
    return label.endswith("(leaky)")


def named(rows: Rows, name: str) -> str:
    """Return a set's name, with its metric where that is not ROC-AUC."""
    return f"{name} (MAE)" if rows.sign(name) < 0 else name


def models(rows: Rows) -> Iterator[str]:
    """Yield all models on all sets, in bold the best that saw nothing of the evaluated molecules."""
    honest = [label for label in rows.labels if not _is_leaky(label)]
    best = {name: rows.best(name, honest) for name in rows.sets}
    header = ("model", *(named(rows, name) for name in rows.sets))
    lines = []
    for label in rows.labels:
        cells = [(name, spread(rows.cell_of(name, label))) for name in rows.sets]
        lines.append((label, *(f"**{text}**" if best[name] == label else text for name, text in cells)))
    yield from markdown(header, lines)


def above(rows: Rows) -> Iterator[str]:
    """Yield all models on sets of several tasks: mean score, and the shares of tasks beyond thresholds."""
    table = rows.scores[rows.scores["metric"] == "roc_auc"].dropna(subset=["score"])
    tasks = table.groupby("set")["task"].unique()
    sets = [name for name in rows.sets if len(tasks.get(name, ())) > 1]
    if not sets:
        yield "No rows yet of sets with several tasks.\n"
        return
    shares = {
        limit: (table["score"] > limit).groupby([table["label"], table["set"], table["seed"]]).mean()
        for limit in THRESHOLDS
    }
    means = pd.DataFrame({limit: 100 * share for limit, share in shares.items()}).groupby(level=[0, 1]).mean()
    lines = []
    for label in rows.labels:
        cells = {name: rows.cell_of(name, label) for name in sets}
        if any(cells.values()):
            lines.append((label, *(_above(cell, means, (label, name)) for name, cell in cells.items())))
    yield from markdown(("model", *sets), lines)


def _above(cell: Cell | None, means: pd.DataFrame, key: tuple[str, str]) -> str:
    if cell is None or key not in means.index:
        return "–"
    return f"{cell.mean:.1f} ({' / '.join(format(share, '.0f') for share in means.loc[key])})"


def places(rows: Rows) -> Iterator[str]:
    """Yield ours and the baselines by their mean place."""
    labels = [OURS, *rows.baselines()]
    part = rows.scores[rows.scores["label"].isin(labels)]
    table = summarize_models(part.assign(score=part["score"] / 100)).set_index(["set", "model"])
    ranks = table["rank"].to_dict()
    lines = [(label, *(number(ranks.get((name, label))) for name in rows.sets)) for label in labels]
    yield from markdown(("model", *(named(rows, name) for name in rows.sets)), lines)


def single(rows: Rows) -> Iterator[str]:
    """Yield the models that are one network."""
    there = [label for label in _SINGLE if label in rows.labels]
    if not there:
        yield "No rows yet.\n"
        return
    lines = [(label, *(spread(rows.cell_of(name, label)) for name in rows.sets)) for label in there]
    yield from markdown(("model", *(named(rows, name) for name in rows.sets)), lines)


def wins(rows: Rows) -> Iterator[str]:
    """Yield ours against every other model, set by set, then where it won and lost."""
    others = [label for label in rows.labels if label != OURS and not _is_leaky(label)]
    table: dict[str, dict[str, tuple[Paired, float]]] = {}
    for name in rows.sets:
        found = {label: pair for label in others if (pair := rows.paired(name, OURS, label)) is not None}
        corrected = holm([pair.p for pair in found.values()])
        table[name] = {label: (found[label], p) for label, p in zip(found, corrected, strict=True)}
    yield from markdown(
        ("against", *rows.sets),
        [(label, *(_difference(table[name].get(label)) for name in rows.sets)) for label in others],
    )
    yield "Baselines, each with the difference and its interval:\n"
    header = ("set", "better than", "ahead of, undecided", "behind, undecided", "worse than")
    lines = []
    for name, found in table.items():
        groups: tuple[list[str], ...] = ([], [], [], [])
        for label in rows.baselines():
            if label in found:
                group, text = decided(found[label][0], rows.interval(name, label))
                groups[group].append(f"{label} ({text})")
        lines.append((name, *("; ".join(texts) or "–" for texts in groups)))
    yield from markdown(header, lines)


def decided(pair: Paired, over_molecules: tuple[float, float] | None) -> tuple[int, str]:
    """Return the column that a difference belongs in, and its text with an interval.

    That is the one over tasks and seeds, or over molecules where there are too few tasks to draw.
    """
    low, high = (pair.low, pair.high) if pair.tasks >= FEWEST_DRAWN else over_molecules or (np.nan, np.nan)
    clear = low > 0 or high < 0
    column = (0 if clear else 1) if pair.difference > 0 else (3 if clear else 2)
    interval = "" if np.isnan(low) else f"; {low:+.1f} to {high:+.1f}"
    return column, f"{pair.difference:+.1f}{interval}"


def _difference(found: tuple[Paired, float] | None) -> str:
    if found is None:
        return "–"
    pair, p = found
    return f"{pair.difference:+.1f}{'*' if p < _LEVEL else ''}"


def costs(rows: Rows) -> Iterator[str]:
    """Yield the seconds of one seed of ours and of its refit against the limits, then of all models."""
    header = ("set", "features s", "fit s", "predict s", "peak MB", "minutes", "limit", "within?")
    for label in (OURS, refitted(OURS), TODAY, refitted(TODAY), GPU, MINIMOL):
        if label in rows.labels:
            yield f"One seed of {label}:\n"
            yield from markdown(header, _costs_of(rows, label))
    yield "Seconds of a fit and a prediction, mean over seeds, all models:\n"
    every = []
    for label in rows.labels:
        parts = [rows.jobs(name, label) for name in rows.sets]
        spent = [(part["seconds_fit"] + part["seconds_predict"]).mean() for part in parts]
        every.append((label, *(number(float(value), ",.0f") for value in spent)))
    yield from markdown(("model", *rows.sets), every)


def _costs_of(rows: Rows, label: str) -> Iterator[tuple[str, ...]]:
    """Yield a line for each set that the model has rows of."""
    for name in rows.sets:
        jobs = rows.jobs(name, label)
        if jobs.empty:
            continue
        features, fit = jobs["seconds_features"].max(), jobs["seconds_fit"].mean()
        predict, memory = jobs["seconds_predict"].mean(), jobs["peak_mb"].max()
        limit = LIMIT_MINUTES.get(name, _LIMIT)
        minutes = (features + fit + predict) / 60
        verdict = "yes" if minutes <= limit else "**no**"
        cells = [number(value, ".0f") for value in (features, fit, predict)]
        yield name, *cells, number(memory, ".0f"), number(minutes), str(limit), verdict
