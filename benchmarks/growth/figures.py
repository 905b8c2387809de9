"""Log-log figures of the study; colour, marker and dash each tell the curves apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.growth.series import Series

__all__ = ["draw"]

# Okabe and Ito's colours, which stay apart without colour vision; markers and dashes do so in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h")
_DASHES = ("-", "--", "-.", ":")

_AXES = {
    "molecules": "molecules",
    "modalities": "modalities",
    "width": "features of a profile",
    "walk_length": "steps of a walk",
}


def draw(path: Path, panels: Sequence[tuple[str, Sequence[Series]]], what: str) -> None:
    """Draw one panel per axis and write them as SVG.

    Parameters
    ----------
    path
        File.
    panels
        Axis and its series.
    what
        "seconds" or "memory".
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Text stays text, and equal rows give equal files.
    with mpl.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(6.4 if len(panels) == 1 else 3.4 * len(panels), 5.2), layout="constrained")
        for place, (axis, series) in enumerate(panels):
            _panel(figure.add_subplot(1, len(panels), place + 1), axis, series, what)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})


def _panel(panel, axis: str, series: Sequence[Series], what: str) -> None:  # type: ignore[no-untyped-def]
    for place, one in enumerate(series):
        costs = getattr(one, what)
        shown = [(v, cost) for v, cost in zip(one.values, costs, strict=True) if cost > 0]
        if shown:
            panel.plot(
                *zip(*shown, strict=True),
                color=_COLOURS[place % len(_COLOURS)],
                marker=_MARKERS[place % len(_MARKERS)],
                linestyle=_DASHES[place // 2 % len(_DASHES)],
                markersize=5,
                linewidth=1.2,
                label=one.label,
            )
    if axis == "molecules" and series:
        _guide(panel, [v for one in series for v in one.values])
    panel.set(xscale="log", yscale="log", xlabel=_AXES[axis])
    panel.set_ylabel("time (s)" if what == "seconds" else "memory beyond the libraries (MB)")
    if axis != "molecules":
        ticks = sorted({v for one in series for v in one.values})
        panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        panel.set_xticks([], minor=True)
    panel.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    panel.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)


def _guide(panel, values: Sequence[int]) -> None:  # type: ignore[no-untyped-def]
    """Draw the slope of n log n, at a height that has no meaning."""
    low, high = min(values), max(values)
    if low == high:
        return
    height = panel.get_ylim()[0] if panel.get_ylim()[0] > 0 else 1e-3
    line = [height * n * math.log(n) / (low * math.log(low)) for n in (low, high)]
    panel.plot((low, high), line, color="#888888", linewidth=2.5, alpha=0.5, label="slope of n log n")
