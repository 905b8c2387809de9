"""Sections of the page about uncertainty, cell data and ablations, each from its own table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.quality.contrasts import CONTRASTS, GROUPED, Contrast
from benchmarks.quality.plan import SETS
from benchmarks.quality.rows import OURS, Rows, label_of
from benchmarks.quality.tables import markdown, number

from cytomol.evaluate.ablation_rows import summarize_ablation
from cytomol.evaluate.significance import bootstrap_interval

__all__ = [
    "ablation",
    "averaged",
    "cell_data",
    "contrasts_at_a_glance",
    "coverage",
    "levers",
    "planted",
    "stereo",
]


def coverage(rows: Rows) -> Iterator[str]:
    """Yield how well the uncertainty of ours holds, then the share covered of every model."""
    table = rows.coverage
    if table.empty:
        yield "No rows yet.\n"
        return
    own = table[table["label"] == OURS]
    header = ("set, stated", "cells", "covered", "mean, 5% of tasks", "size", "singletons", "Brier", "ECE")
    header += ("in domain", "covered in, out", "error in, out", "spread ~ error")
    yield f"{OURS}:\n"
    yield from markdown(header, _own_coverage(own))
    stated = table["coverage"].max()
    yield f"Covered share at a stated {stated:g}, mean over seeds, all models:\n"
    top = table[table["coverage"] == stated]
    means = top.groupby(["label", "set"])["covered"].mean()
    sets = [name for name in SETS if name in set(table["set"])]
    labels = [label for label in rows.labels if label in set(top["label"])]
    lines = [(label, *(number(means.get((label, name)), ".3f") for name in sets)) for label in labels]
    yield from markdown(("model", *sets), lines)


def _own_coverage(own: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    for name in SETS:
        for stated, part in own[own["set"] == name].groupby("coverage", sort=False):
            mean = part.mean(numeric_only=True)
            yield (
                f"{name}, {stated:g}",
                f"{mean['n']:,.0f}",
                f"**{number(mean['covered'], '.3f')}**",
                _pair(mean, "covered_mean", "covered_low"),
                number(mean["size"], ".2f"),
                number(mean["singletons"], ".2f"),
                _pair(mean, "brier_before", "brier_after", word=" → "),
                _pair(mean, "ece_before", "ece_after", word=" → "),
                number(mean["in_domain"], ".2f"),
                _pair(mean, "covered_inside", "covered_outside"),
                _pair(mean, "error_inside", "error_outside"),
                number(mean["spread_correlation"], "+.2f"),
            )


def _pair(mean: pd.Series[float], first: str, second: str, word: str = ", ") -> str:
    if np.isnan(mean[first]) and np.isnan(mean[second]):
        return "–"
    return f"{number(mean[first], '.3f')}{word}{number(mean[second], '.3f')}"


def cell_data(rows: Rows) -> Iterator[str]:
    """Yield the differences that cell data make, with their intervals, whatever they are."""
    table = rows.cell
    if table.empty:
        yield "No rows yet.\n"
        return
    overall = table[table["by"] == "all"]
    yield "Differences in points; * where the interval leaves 0 out; in brackets the number of seeds.\n"
    yield from contrasts_at_a_glance(overall, CONTRASTS)
    yield from _contrast_tables(overall, "set", lambda row: row["set"])
    for by, words in (
        ("molecules", "By what is known of the test molecules"),
        ("tasks", "By the share of a task's measured molecules that have profiles"),
    ):
        part = table[(table["by"] == by) & (table["contrast"].isin([c.name for c in GROUPED]))]
        if len(part):
            yield f"## {words}\n"
            yield from _contrast_tables(part, "set, group", lambda row: f"{row['set']}, {row['group']}")


def contrasts_at_a_glance(overall: pd.DataFrame, contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Yield differences on all of a set in one table, marked where their interval leaves 0 out."""
    sets = [name for name in SETS if name in set(overall["set"])]
    lines = []
    for contrast in contrasts:
        own = overall[overall["contrast"] == contrast.name].set_index("set")
        cells = _by_set(own, sets, _difference)
        if len(own):
            lines.append((contrast.name, *cells))
    yield from markdown(("contrast", *sets), lines)


def _by_set(own: pd.DataFrame, sets: list[str], text: Callable[[pd.Series[Any]], str]) -> list[str]:
    """Return a cell of a table for each set, from its row; – where there is none."""
    return [text(own.loc[name]) if name in own.index else "–" for name in sets]


def _difference(row: pd.Series[Any]) -> str:
    clear = row["low"] > 0 or row["high"] < 0
    return f"{number(100 * row['difference'], '+.1f')}{'*' if clear else ''} ({row['seeds']:.0f})"


def _single_and_averaged(row: pd.Series[Any]) -> str:
    return f"{100 * row['single']:.1f} → {100 * row['averaged']:.1f} ({row['seeds']})"


def _with_difference(row: pd.Series[Any]) -> str:
    std = "" if np.isnan(row["std"]) else f" ± {100 * row['std']:.1f}"
    return f"{100 * row['mean']:.1f}{std} ({100 * row['difference']:+.1f})"


def _contrast_tables(part: pd.DataFrame, first: str, words: Callable[[pd.Series[Any]], str]) -> Iterator[str]:
    header = (first, "first", "second", "difference", "95% interval", "p", "better on", "seeds", "molecules")
    for contrast in CONTRASTS:
        own = part[part["contrast"] == contrast.name]
        if own.empty:
            continue
        pair = f"{label_of(*contrast.first)} less {label_of(*contrast.second)}"
        yield f"**{contrast.name[0].upper()}{contrast.name[1:]}**: {pair}.\n"
        yield from markdown(header, [_contrast_line(row, words(row)) for _, row in own.iterrows()])
        clear = own[(own["low"] > 0) | (own["high"] < 0)]
        better, worse = int((clear["low"] > 0).sum()), int((clear["high"] < 0).sum())
        stated = int(own["low"].notna().sum())
        yield (
            f"Of {len(own)} rows {stated} have an interval: above 0 in {better}, below 0 in {worse}, "
            f"holding 0 in {stated - better - worse}.\n"
        )


def _contrast_line(row: pd.Series[Any], words: str) -> tuple[str, ...]:
    values = {name: 100 * row[name] for name in ("first", "second", "difference", "low", "high")}
    return (
        words,
        number(values["first"]),
        number(values["second"]),
        f"**{number(values['difference'], '+.2f')}**",
        f"{number(values['low'], '+.2f')} to {number(values['high'], '+.2f')}",
        number(row["p"], ".2g"),
        f"{row['wins']:.0f} of {row['tasks']:.0f} tasks",
        f"{row['seeds']:.0f}",
        number(row["molecules"], ".0f"),
    )


def planted(rows: Rows) -> Iterator[str]:
    """Yield the scores on planted corpora by what drives an assay, and what the cell data make of them."""
    table = rows.planted
    if table.empty:
        yield "No rows yet.\n"
        return
    keys = ["method", "size", "epochs"]
    for facts, part in table.groupby(keys, sort=False):
        part = part.assign(label=[label_of(*p) for p in zip(part["model"], part["variant"], strict=True)])  # noqa: PLW2901
        method, size, epochs = facts
        corpora = part["corpus_seed"].nunique()
        yield f"{method}, {epochs} epochs, corpora of {size:,} molecules, {corpora} of them; ROC-AUC in %:\n"
        drivers = sorted(part["driver"].unique())
        means = part.groupby(["label", "driver", "corpus_seed"])["score"].mean().groupby(level=[0, 1])
        mean, std = means.mean() * 100, means.std(ddof=1) * 100
        lines = [
            (label, *(_with_spread(mean[label, d], std[label, d]) for d in drivers))
            for label in part["label"].unique()
        ]
        yield from markdown(("model", *(f"{driver} assays" for driver in drivers)), lines)
        yield from _planted_gain(part, drivers)


def _with_spread(mean: float, std: float) -> str:
    return f"{mean:.1f}" if np.isnan(std) else f"{mean:.1f} ± {std:.1f}"


def _planted_gain(part: pd.DataFrame, drivers: list[str]) -> Iterator[str]:
    """Yield cell less structure, with an interval over tasks and corpora."""
    pairs = part.pivot_table(index=["driver", "task"], columns=["label", "corpus_seed"], values="score")
    there = set(part["label"])
    for model in dict.fromkeys(part["model"]):
        first, second = label_of(model, "cell"), label_of(model, "structure")
        if not {first, second} <= there:
            continue
        for driver in drivers:
            gain = 100 * (pairs[first] - pairs[second]).loc[driver].to_numpy()
            low, high = bootstrap_interval(gain)
            interval = "" if np.isnan(low) else f" (95% interval {low:+.1f} to {high:+.1f})"
            yield f"- {model}, {driver} assays: cell less structure **{np.nanmean(gain):+.1f}**{interval}"
    yield ""


def levers(rows: Rows) -> Iterator[str]:
    """Yield what each lever does on valid folds, and by how much it differs from the model without it."""
    table = rows.levers
    if table.empty:
        yield "No rows yet.\n"
        return
    sets = list(dict.fromkeys(table["set"]))
    metric = table.drop_duplicates("set").set_index("set")["metric"]
    grid = table.pivot_table(index="lever", columns=["set", "seed"], values="score") * 100
    against = table.drop_duplicates("lever").set_index("lever")["against"]
    lines = []
    for lever, other in against.items():
        cells = []
        for name in sets:
            own = grid.loc[lever, name].dropna()
            if own.empty:
                cells.append("–")
                continue
            text = f"{own.mean():.1f}"
            if other in grid.index:
                gain = (own - grid.loc[other, name]).mean() * (-1 if metric[name] == "mae" else 1)
                text += f" ({number(gain, '+.1f')})"
            cells.append(text)
        lines.append((str(lever), other or "–", *cells))
    names = (f"{name} (MAE)" if metric[name] == "mae" else name for name in sets)
    yield from markdown(("lever", "against", *names), lines)
    seeds = table["seed"].nunique()
    yield f"Mean of {seeds} seeds; in brackets the difference, above 0 where the lever helps.\n"


def averaged(rows: Rows) -> Iterator[str]:
    """Yield the score of the seeds' mean prediction beside the mean of their scores."""
    table = rows.averaged
    if table.empty:
        yield "No rows yet.\n"
        return
    table = table.assign(
        label=[label_of(*pair) for pair in zip(table["model"], table["variant"], strict=True)]
    )
    sets = [name for name in rows.sets if name in set(table["set"])]
    lines = []
    for label in table["label"].unique():
        own = table[table["label"] == label].set_index("set")
        cells = _by_set(own, sets, _single_and_averaged)
        lines.append((label, *cells))
    yield from markdown(("model", *sets), lines)


def stereo(rows: Rows) -> Iterator[str]:
    """Yield the scores on all test rows, without and only those that have a stereoisomer in train."""
    table = rows.stereo
    if table.empty:
        yield "No rows yet.\n"
        return
    labels = [label_of(*pair) for pair in zip(table["model"], table["variant"], strict=True)]
    for name, part in table.assign(label=labels).groupby("set", sort=False):
        facts = part.drop_duplicates("rows").set_index("rows")
        scores = part.groupby(["label", "rows"])[["score", "shared"]]
        mean, std = 100 * scores.mean(), 100 * scores.std(ddof=1)
        columns = [(group, kind) for kind in ("score", "shared") for group in facts.index]
        seeds = part.groupby("label", sort=False)["seed"].nunique()
        lines = [
            (
                label,
                str(count),
                *(_with_spread(mean[k].loc[label, g], std[k].loc[label, g]) for g, k in columns),
            )
            for label, count in seeds.items()
        ]
        own = [f"{row.Index} ({row.molecules:,} rows, {row.tasks} tasks)" for row in facts.itertuples()]
        yield from markdown((str(name), "seeds", *own, *(f"{g}, same tasks" for g in facts.index)), lines)
    if not (table["variant"] != "").any():
        yield "No model with a backbone is among them: no predictions of one were kept.\n"


def ablation(rows: Rows) -> Iterator[str]:
    """Yield every variant of an ablation against the full method."""
    table = rows.ablation
    if table.empty:
        yield "No rows yet.\n"
        return
    for facts, part in table.groupby(["method", "size", "epochs"], sort=False):
        method, size, epochs = facts
        yield f"{method}: {epochs} epochs; corpora of {size:,} molecules: {part['seed'].nunique()}.\n"
    yield "ROC-AUC in %, mean over tasks; in brackets the difference from the full method there.\n"
    summary = summarize_ablation(table)
    for (study, method), part in summary.groupby(["study", "method"], sort=False):
        yield f"## {method}: {study}\n"
        sets = list(dict.fromkeys(part["set"]))
        lines = []
        for variant, own in part.groupby("variant", sort=False):
            cells = _by_set(own.set_index("set"), sets, _with_difference)
            lines.append((str(variant), *cells))
        yield from markdown(("variant", *sets), lines)
