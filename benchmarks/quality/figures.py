"""Figures of the page: models against the best baseline, what cell data add, and coverage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.quality.contrasts import GROUPED
from benchmarks.quality.plan import SETS
from benchmarks.quality.published import PUBLISHED
from benchmarks.quality.repeated.figure import FILE, TITLE, repeated_figure
from benchmarks.quality.rows import LEAKY, OURS, Rows, refitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "figures"]

_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#999999"
_MARKERS = ("o", "s", "^", "D", "v")
_COLOURS = (_BLUE, _GREEN, "#CC79A7", _ORANGE, "#56B4E9")


def figures(rows: Rows) -> dict[str, str]:
    """Return the figures that there are rows for: file names by title."""
    repeated = rows.repeated_differences
    drawn = {TITLE: FILE} if len(repeated) and repeated["low"].notna().any() else {}
    return {title: name for title, name, _ in _panels(rows)} | drawn


def _panels(rows: Rows) -> Iterator[tuple[str, str, Callable[[Axes, Rows], None]]]:
    if any(rows.best(name, rows.baselines()) for name in rows.sets):
        yield "Models against the best baseline", "benchmarks-models.svg", _models
    if len(rows.cell):
        yield "What the cell data add", "benchmarks-cell.svg", _cell
    if len(rows.coverage) and (rows.coverage["label"] == OURS).any():
        yield "Stated and observed coverage", "benchmarks-coverage.svg", _coverage


def draw(rows: Rows, folder: Path) -> None:
    """Write the figures that there are rows for."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    # text stays text, and equal rows give equal files
    with mpl.rc_context({"svg.hashsalt": "cytomol", "svg.fonttype": "none", "font.size": 9}):
        for _, name, panel in _panels(rows):
            figure = Figure(figsize=(7.5, 0.42 * len(rows.sets) + 1.8), layout="constrained")
            axes = figure.add_subplot()
            panel(axes, rows)
            axes.grid(axis="x", color="#dddddd")
            axes.set_axisbelow(True)
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2, frameon=False, fontsize=8)
            figure.savefig(folder / name, metadata={"Date": None})
        if TITLE in figures(rows):
            repeated_figure(rows.repeated_differences).savefig(folder / FILE, metadata={"Date": None})


def _rows_of(axes: Axes, names: list[str]) -> dict[str, float]:
    places = {name: float(place) for place, name in enumerate(reversed(names))}
    axes.set_yticks(list(places.values()), list(places))
    axes.set_ylim(-0.6, len(names) - 0.4)
    return places


def _models(axes: Axes, rows: Rows) -> None:
    """Draw every model as points beyond the best baseline."""
    places = _rows_of(axes, rows.sets)
    told: set[str] = set()

    def dot(
        name: str, value: float | None, label: str, marker: str, colour: str, *, fill: str = "full"
    ) -> None:
        best = rows.best(name, rows.baselines())
        zero = None if best is None else rows.cell_of(name, best)
        if value is not None and zero is not None:
            ahead = rows.sign(name) * (value - zero.mean)
            text = "" if label in told else label
            axes.plot(ahead, places[name], marker, color=colour, label=text, markersize=6, fillstyle=fill)
            told.add(label)

    for name in rows.sets:
        for label in rows.baselines():
            cell = rows.cell_of(name, label)
            dot(name, None if cell is None else cell.mean, "baselines", ".", _GREY)
        for known in PUBLISHED.values():
            dot(name, known[name].mean if name in known else None, "published", "x", _ORANGE)
        leaky, ours, refit = (rows.cell_of(name, label) for label in (LEAKY, OURS, refitted(OURS)))
        dot(name, None if leaky is None else leaky.mean, LEAKY, "D", _ORANGE, fill="none")
        dot(name, rows.target(name), "to reach", "|", "black")
        dot(name, None if ours is None else ours.mean, OURS, "D", _BLUE)
        dot(name, None if refit is None else refit.mean, refitted(OURS), "D", _BLUE, fill="none")
    axes.set_xlim(left=max(axes.get_xlim()[0], -12))
    axes.set_xlabel("points beyond the best baseline of the campaign (ROC-AUC in %, MAE times -100)")


def _cell(axes: Axes, rows: Rows) -> None:
    """Draw the differences that cell data make, with their intervals."""
    table = rows.cell[rows.cell["by"] == "all"]
    places = _rows_of(axes, [name for name in SETS if name in set(table["set"])])
    for order, contrast in enumerate(GROUPED):
        own = table[table["contrast"] == contrast.name]
        for at, row in enumerate(own.itertuples()):
            place = places[str(row.set)] + 0.3 - 0.15 * order
            axes.plot([100 * row.low, 100 * row.high], [place, place], color=_COLOURS[order], linewidth=1.5)
            text = contrast.name if at == 0 else ""
            marker = _MARKERS[order]
            axes.plot(100 * row.difference, place, marker, color=_COLOURS[order], markersize=4.5, label=text)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("difference in points, 95% interval")


def _coverage(axes: Axes, rows: Rows) -> None:
    """Draw the observed share beside the stated one."""
    own = rows.coverage[rows.coverage["label"] == OURS]
    places = _rows_of(axes, [name for name in SETS if name in set(own["set"])])
    for order, (stated, part) in enumerate(own.groupby("coverage")):
        means = part.groupby("set")["covered"].mean()
        axes.axvline(float(stated), color=_COLOURS[order], linewidth=0.8, linestyle="--")
        axes.plot(
            means,
            [places[str(name)] for name in means.index],
            _MARKERS[order],
            color=_COLOURS[order],
            label=f"stated {stated:g}",
        )
    axes.set_xlabel("share of measured values within")
