"""The report on an ablation: what each part of a method is worth, study by study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cytomol.assays.metrics import metrics
from cytomol.counted import agreeing, counted
from cytomol.errors import InputError
from cytomol.evaluate.ablation import RECORD, ROWS
from cytomol.evaluate.ablation_rows import COLUMNS, AblationRows, summarize_ablation
from cytomol.evaluate.rows import read_table_of
from cytomol.evaluate.significance import Paired, compare
from cytomol.evaluate.variants import FULL
from cytomol.report.elements import Code, Element, Facts, Figure, Fold, Heading, Row, Sentence, Table
from cytomol.report.page import Page, Section
from cytomol.report.palette import colour
from cytomol.report.report_kinds import report_kinds
from cytomol.report.results_record import read_record
from cytomol.report.svg_figure import drawn
from cytomol.report.wording import figure_name, number_or_dash, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AblationReport"]

_PART = ["study", "method"]


@report_kinds.register("ablation")
class AblationReport:
    """The report on an ablation.

    Examples
    --------
    >>> import tempfile
    >>> AblationReport().recognises(Path(tempfile.mkdtemp()))
    False
    """

    def recognises(self, directory: Path) -> bool:
        """Say whether a directory holds the rows of an ablation."""
        return (directory / RECORD).is_file() and (directory / ROWS).is_file()

    def page(self, directory: Path) -> Page:
        """Return the report, a function of the directory alone.

        Raises
        ------
        InputError
            If its rows or its record cannot be read.
        """
        rows, record = _rows(directory / ROWS), read_record(directory / RECORD)
        fold = "test" if (rows["fold"] == "test").any() else "valid"
        scored = rows[rows["fold"] == fold]
        parts = [(str(key[0]), str(key[1]), part) for key, part in scored.groupby(_PART, sort=False)]
        compared = {(study, method): _compared(part) for study, method, part in parts}
        sections = [
            Section("In short", _in_short(compared)),
            *(_study(study, method, part, compared[study, method]) for study, method, part in parts),
            Section("Every mean", [Fold("As numbers", [_means(rows)])]),
            Section("How it was run", _run(record, rows)),
        ]
        variants = rows.drop_duplicates([*_PART, "variant"])
        return Page("An ablation", f"{counted(len(variants), 'variant')}, {fold} fold", sections)


def _rows(path: Path) -> pd.DataFrame:
    """Return the rows, cells of numbers as numbers."""
    frame = read_table_of(path, COLUMNS, set(COLUMNS) - set(AblationRows.numbers))
    if frame.empty:
        raise InputError("holds no result yet", where=str(path), hint="go on with --resume")
    return frame


def _compared(part: pd.DataFrame) -> dict[tuple[str, str], Paired]:
    """Return what each variant is better by than the full method on each set, over tasks and seeds."""
    found = {}
    for name, of_set in part.groupby("set", sort=False):
        grids = {
            str(variant): rows.pivot_table(index="task", columns="seed", values="score")
            for variant, rows in of_set.groupby("variant", sort=False)
        }
        if FULL not in grids:
            continue
        sign = 1.0 if metrics[str(of_set["metric"].iloc[0])].higher_is_better else -1.0
        for variant, grid in grids.items():
            if variant != FULL:
                difference: Any = sign * (grid - grids[FULL])
                found[variant, str(name)] = compare(difference.to_numpy(np.float64))
    return found


def _in_short(compared: Mapping[tuple[str, str], Mapping[tuple[str, str], Paired]]) -> list[Element]:
    """Return which parts matter, as far as the intervals tell."""
    everything = [
        (f"{variant} of {study} ({method}) on {name}", one)
        for (study, method), found in compared.items()
        for (variant, name), one in found.items()
    ]
    if not everything:
        return [Sentence("No variant stands beside its full method yet.", "said")]
    worse = sorted((one.difference, label) for label, one in everything if one.high < 0)
    better = sorted(((one.difference, label) for label, one in everything if one.low > 0), reverse=True)
    said = (
        f"Of {counted(len(everything), 'comparison')} with the full method, "
        f"{agreeing(len(worse), 'variant', 'is', 'are', comma=False)} worse and {len(better)} better by more "
        "than their 95% interval; the others cannot be told apart from it."
    )
    lines = []
    if worse:
        lines.append(f"Most is lost by {worse[0][1]} ({worse[0][0]:+.4f}).")
    if better:
        lines.append(f"Most is won by {better[0][1]} ({better[0][0]:+.4f}).")
    without = sum(bool(np.isnan(one.low)) for _, one in everything)
    if without:
        have = agreeing(without, "comparison", "has", "have", comma=False)
        lines.append(f"{have} neither five tasks nor five seeds, so no interval.")
    return [Sentence(said, "said"), *map(Sentence, lines)]


def _study(
    study: str, method: str, part: pd.DataFrame, compared: Mapping[tuple[str, str], Paired]
) -> Section:
    """Return a study: a figure for each set, and the differences as a table."""
    sets = list(map(str, part["set"].unique()))
    figures = [
        _figure(study, method, name, {key[0]: one for key, one in compared.items() if key[1] == name}, number)
        for number, name in enumerate(sets)
        if any(key[1] == name for key in compared)
    ]
    rows = [
        [
            variant,
            name,
            f"{one.difference:+.4f}",
            "–" if np.isnan(one.low) else f"{one.low:+.4f} to {one.high:+.4f}",
            f"{one.wins} of {one.tasks}",
            f"{one.seeds}",
        ]
        for (variant, name), one in compared.items()
    ]
    head = ["variant", "set", "better by", "95% interval", "tasks won", "seeds"]
    elements: list[Element] = [Row(figures)]
    if rows:
        table = Table(head, rows, "What each variant is better by than the full method")
        elements.append(Fold("As numbers", [table]))
    else:
        elements.append(Sentence("The full method has no rows here, so nothing can be compared."))
    return Section(f"{study}, {method}", elements)


def _figure(study: str, method: str, name: str, found: Mapping[str, Paired], number: int) -> Figure:
    """Draw what variants are better by, the worst on top."""
    order = sorted(found, key=lambda variant: (-found[variant].difference, variant))

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=colour("quiet"), linewidth=1)
        for place, variant in enumerate(order):
            one = found[variant]
            surely = not np.isnan(one.low) and (one.low > 0 or one.high < 0)
            shade = colour("quiet" if not surely else "blue" if one.difference > 0 else "vermillion")
            if not np.isnan(one.low):
                axes.plot([one.low, one.high], [place, place], color=shade, linewidth=1.6)
            axes.plot([one.difference], [place], "o" if surely else "s", color=shade, markersize=4.5)
        axes.set_yticks(range(len(order)), [shortened(variant, 32) for variant in order])
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.grid(axis="y", visible=False)
        axes.locator_params(axis="x", nbins=4)
        axes.set_xlabel("better than the full method by")
        axes.set_title(shortened(name, 40))

    says = "; ".join(f"{variant}: {found[variant].difference:+.4f}" for variant in order[::-1])
    return drawn(
        draw,
        name=figure_name("study", study, method, number),
        title=f"Variants of {study} beside the full {method} on {name}",
        says=says,
        caption=f"{name}: coloured dots have a 95% interval that leaves 0 out; squares cannot be told apart.",
        size=(4.6, 0.85 + 0.26 * max(2, len(order))),
    )


def _means(rows: pd.DataFrame) -> Table:
    """Return the summary as a table."""
    summary = summarize_ablation(rows)
    names = ["study", "method", "variant", "set", "fold", "metric"]
    table = [
        [
            *(str(one[name]) for name in names),
            f"{one['mean']:.4f}",
            number_or_dash(one["std"]),
            str(one["seeds"]),
        ]
        for _, one in summary.iterrows()
    ]
    return Table([*names, "mean", "std", "seeds"], table, "Means over tasks and seeds, deviation over seeds")


def _run(record: Mapping[str, Any], rows: pd.DataFrame) -> list[Element]:
    """Return the command, what it took, and what the variants change."""
    jobs = rows.drop_duplicates([*_PART, "variant", "seed", "set"])
    trained = jobs.drop_duplicates(["model", "seed"])["seconds_pretrain"].sum()
    tuned = jobs["seconds_finetune"].sum()
    sets, methods = list(record.get("sets", {})), list(rows["method"].unique())
    which = "both" if len(methods) > 1 else methods[0]
    studies = ",".join(rows["study"].unique())
    left, seeds = record.get("exclude") or [], rows["seed"].nunique()
    facts = [
        ("pretrainings", f"{trained:,.0f} s in all"),
        ("fine-tunings", f"{tuned:,.0f} s in all"),
        ("CORPUS", f"SHA-256 {record.get('corpus', 'unknown')}"),
        *(("FILE, left out", f"SHA-256 {digest}") for digest in left),
    ]
    words = f"cytomol ablate CORPUS {' '.join(map(str, sets))} --method {which} --study {studies}"
    elements: list[Element] = [
        Code(f"{words}{' --exclude-profiles-of FILE' * len(left)} --seeds {seeds} -o DIR --resume"),
        Facts(facts),
    ]
    if not left:
        elements.append(
            Sentence(
                "No molecule's profiles were left out, so scores may owe something to what was measured."
            )
        )
    for method, options in record.get("options", {}).items():
        table = [[str(name), str(value)] for name, value in sorted(options.items())]
        elements.append(
            Fold(f"Options of {method}", [Heading(str(method)), Table(["option", "value"], table, "All")])
        )
    return elements
