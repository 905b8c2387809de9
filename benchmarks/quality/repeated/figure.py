"""The figure of repeated cross-validation: a panel a set, a line a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from benchmarks.quality.repeated.differences import OURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FILE", "TITLE", "repeated_figure"]

TITLE = "The recipe against single models over repeated folds"
FILE = "benchmarks-repeated.svg"
_COLOURS = {"ahead": "#0072B2", "open": "#777777", "behind": "#D55E00"}
_MARKERS = {"ahead": "o", "open": "D", "behind": "s"}
_SAID = {"ahead": "cytomol significantly ahead", "open": "open", "behind": "significantly behind"}
_COLUMNS = 3


def repeated_figure(table: pd.DataFrame) -> Figure:
    """Draw what ours is better by than each single model, with both intervals."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    own = table[(table["family"] == "single") & (table["first"] == OURS) & table["low"].notna()]
    sets, models = list(own["set"].unique()), sorted(own["second"].unique(), reverse=True)
    lines = -(-len(sets) // _COLUMNS)
    size = (7.5, lines * (0.19 * len(models) + 0.55) + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(lines, _COLUMNS, sharey=True, squeeze=False)
    for axes, name in zip(grid.flat, sets, strict=False):
        _panel(axes, own[own["set"] == name], models)
        axes.set_title(name, fontsize=9, loc="left")
    for axes in grid.flat[len(sets) :]:
        axes.set_axis_off()
    grid[0, 0].set_yticks(range(len(models)), models)
    handles = [
        Line2D([], [], marker=_MARKERS[word], color=colour, markersize=4.5, label=_SAID[word])
        for word, colour in _COLOURS.items()
    ]
    handles.append(Line2D([], [], color="#444444", linewidth=4, alpha=0.3, label="Tukey's interval"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    figure.supxlabel("what cytomol is better by, in points; 95% intervals that hold together", fontsize=9)
    return figure


def _panel(axes: Axes, own: pd.DataFrame, models: list[str]) -> None:
    for row in own.itertuples():
        place, word = models.index(str(row.second)), str(row.verdict)
        colour = _COLOURS[word]
        axes.plot([100 * row.tukey_low, 100 * row.tukey_high], [place] * 2, color="#444444", lw=5, alpha=0.3)
        axes.plot([100 * row.low, 100 * row.high], [place] * 2, color=colour, linewidth=1.5)
        axes.plot(100 * row.difference, place, _MARKERS[word], color=colour, markersize=4.5)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
