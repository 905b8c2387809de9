"""The colours of reports: Okabe and Ito's for what is compared, greys for the rest, each with its dark twin.

Okabe and Ito's colours can be told apart by colour-blind readers. A figure is drawn in the colours of light
paper; :func:`with_variables` replaces them by CSS variables, so that the page's style decides what they are.

References
----------
Okabe & Ito, "Color Universal Design" (2008), https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["COLOURS", "SERIES", "Colour", "colour", "style_variables", "with_variables"]


@dataclass(frozen=True)
class Colour:
    """A colour on light paper and on dark.

    Attributes
    ----------
    light, dark
        As #rrggbb; no two colours share one.
    """

    light: str
    dark: str


COLOURS = {
    "ink": Colour("#1c1f23", "#e8e8e6"),  # text, axes, atoms
    "quiet": Colour("#595f69", "#a7adb6"),  # second text; 6:1 on its paper
    "line": Colour("#d3d7dd", "#3d434c"),  # rules and grids
    "faint": Colour("#f3f4f6", "#23272e"),  # panels
    "paper": Colour("#ffffff", "#16191d"),
    "link": Colour("#00568a", "#7cc4f0"),
    "blue": Colour("#0072b2", "#4aa8e0"),
    "vermillion": Colour("#d55e00", "#f08030"),
    "green": Colour("#009e73", "#2fc49a"),
    "orange": Colour("#e69f00", "#f2b431"),
    "sky": Colour("#56b4e9", "#84ccf4"),
    "purple": Colour("#cc79a7", "#de9cc2"),
    "yellow": Colour("#f0e442", "#f4ec6a"),
}
"""The colours by name; a page knows each as the CSS variable of that name, ``--blue``."""

SERIES = ("blue", "vermillion", "green", "orange", "purple", "sky", "quiet")
"""Names of the colours of series, in the order in which they are used."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_NAMES = {pair.light: name for name, pair in COLOURS.items()} | {"#000000": "ink"}


def colour(name: str) -> str:
    """Return what a figure is drawn with, #rrggbb.

    Examples
    --------
    >>> colour("blue")
    '#0072b2'
    """
    return COLOURS[name].light


def with_variables(svg: str) -> str:
    """Return an SVG whose known colours are CSS variables, others as they were.

    Examples
    --------
    >>> with_variables("<path style='fill: #0072b2; stroke: #123456'/>")
    "<path style='fill: var(--blue); stroke: #123456'/>"
    """

    def replaced(found: re.Match[str]) -> str:
        name = _NAMES.get(found[0].lower())
        return found[0] if name is None else f"var(--{name})"

    return _HEX.sub(replaced, svg)


def style_variables(*, dark: bool) -> str:
    """Return the declarations of all variables, for a rule of a style sheet.

    Examples
    --------
    >>> style_variables(dark=False).split(";")[0]
    '--ink:#1c1f23'
    """
    return ";".join(f"--{name}:{pair.dark if dark else pair.light}" for name, pair in COLOURS.items())
