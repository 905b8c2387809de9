"""Figures drawn by matplotlib as SVG inside a page: its fonts and colours, a name for readers by ear."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cytomol.report.elements import Figure, escaped
from cytomol.report.palette import SERIES, colour, with_variables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_points", "drawn", "on_log_axis"]

_ID = re.compile(r"\b(id=\"|xlink:href=\"#|url\(#)")
_HEADER = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_OPENING = re.compile(r"<svg\b[^>]*?\bviewBox=\"([^\"]+)\"[^>]*>", re.DOTALL)
_FONT = re.compile(r"font: ([\d.]+px) [^;\"]+")
_LONG = re.compile(r"(\d+\.\d\d)\d+")
_TAG = re.compile(r"<[^>]*>")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


def drawn(
    draw: Callable[[Axes], None],
    *,
    name: str,
    title: str,
    says: str,
    caption: str,
    size: tuple[float, float] = (4.3, 3.1),
    margins: tuple[float, float, float, float] | None = None,
) -> Figure:
    """Draw a figure for a page.

    Parameters
    ----------
    draw
        Draws into the axes that it is given, in colours of :func:`~cytomol.report.palette.colour` and the
        series' own; names need no escaping, and a "$" is a dollar.
    name
        Of the figure, different for every figure of a page: letters, digits and hyphens.
    title, says
        What it is, and what can be seen in it, for whoever cannot see it.
    caption
        Below the figure.
    size
        Width and height in inches; 4.3 inches are 413 pixels.
    margins
        Left, bottom, right and top in inches, for figures whose labels are known to fit; by default they are
        measured, which takes half of the time.

    Examples
    --------
    >>> def draw(axes):
    ...     _ = axes.plot([1, 2])
    >>> figure = drawn(draw, name="line", title="A line", says="It rises.", caption="From 1 to 2")
    >>> "var(--blue)" in figure.svg, ">A line</title>" in figure.svg
    (True, True)
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    text = io.StringIO()
    with mpl.rc_context(_settings()):
        canvas = Canvas(figsize=size, layout="constrained" if margins is None else None)
        FigureCanvasSVG(canvas)
        if margins is not None:
            left, bottom, right, top = margins
            canvas.subplots_adjust(left / size[0], bottom / size[1], 1 - right / size[0], 1 - top / size[1])
        draw(canvas.add_subplot())
        canvas.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return Figure(_inlined(text.getvalue(), name=name, title=title, says=says), caption)


def draw_points(
    axes: Axes, x: Any, y: Any, marker: str, shade: str, *, label: str, size: float = 4.0
) -> None:
    """Draw many points that may lie above each other: without edges, and a little transparent.

    Parameters
    ----------
    axes
        What to draw into.
    x, y
        Places, shape (n,) each.
    marker
        matplotlib's sign for their form.
    shade
        A name of :func:`~cytomol.report.palette.colour`.
    label
        In the legend.
    size
        In points.
    """
    axes.plot(x, y, marker, color=colour(shade), markeredgewidth=0, markersize=size, alpha=0.8, label=label)


def on_log_axis(axes: Axes, ticks: list[float], *, which: str = "x") -> None:
    """Make an axis logarithmic and label just these ticks, as plain numbers."""
    axis: Any = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis.set_ticks(ticks, [f"{tick:,g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def _settings() -> Any:
    """Return matplotlib's options: text as text, thin grey axes, the colours of the house."""
    from cycler import cycler

    return {
        "svg.fonttype": "none",
        "svg.hashsalt": "cytomol",
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.labelsize": 9,
        "axes.labelcolor": colour("ink"),
        "axes.edgecolor": colour("quiet"),
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=[colour(name) for name in SERIES]),
        "axes.unicode_minus": True,
        "grid.color": colour("line"),
        "grid.linewidth": 0.6,
        "text.color": colour("ink"),
        "xtick.color": colour("quiet"),
        "ytick.color": colour("quiet"),
        "xtick.labelcolor": colour("ink"),
        "ytick.labelcolor": colour("ink"),
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "lines.linewidth": 1.6,
        "lines.markersize": 4,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "path.simplify_threshold": 0.3,
    }


def _inlined(svg: str, *, name: str, title: str, says: str) -> str:
    """Return matplotlib's file as an element of a page, with names and ids of its own."""
    svg = _COMMENT.sub("", _METADATA.sub("", _HEADER.sub("", svg)))
    svg = _ID.sub(lambda found: f"{found[1]}{name}-", svg)
    svg = _FONT.sub(r"font-size: \1", svg)
    # coordinates are cut, labels between the tags stay as they are
    svg = with_variables(_TAG.sub(lambda tag: _LONG.sub(r"\1", tag[0]), svg))
    box = _OPENING.search(svg)
    assert box is not None, "matplotlib wrote no viewBox"
    width, height = box[1].split()[2:]
    opening = (
        f'<svg role="img" aria-labelledby="{name}-title {name}-says" viewBox="{box[1]}" width="{width}pt" '
        f'height="{height}pt"><title id="{name}-title">{escaped(title)}</title>'
        f'<desc id="{name}-says">{escaped(says)}</desc>'
    )
    return (opening + svg[box.end() :]).strip()
