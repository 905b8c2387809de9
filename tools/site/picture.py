"""The picture of the rooms, drawn at the build: the site loads no script that draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import pairwise

__all__ = ["drawn", "svg"]

_BLOCK = re.compile(r"^```mermaid\nflowchart BT\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BETWEEN = "·"  # begins the name of a place that an arrow passes
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>'
)
_WIDTH, _HEIGHT, _GAP, _RISE = 104, 34, 26, 78  # of a box, and between boxes and floors


def drawn(text: str) -> str:
    """Return the text of a page with its flow charts (Mermaid's ``flowchart BT``) drawn as SVG."""

    def draw(found: re.Match[str]) -> str:
        pairs = [line.split(" --> ") for line in found[1].strip().splitlines()]
        arrows = [(below.strip(), above.strip()) for below, above in pairs]
        return f"```{{raw}} html\n{svg(arrows)}\n```"

    return _BLOCK.sub(draw, text)


def svg(arrows: Iterable[tuple[str, str]]) -> str:
    """Return a drawing of arrows that all lead upwards.

    Parameters
    ----------
    arrows
        Pairs of names: what stands below, what stands above.

    Examples
    --------
    >>> svg([("chem", "tables")]).count("<rect")
    2
    """
    arrows = sorted(set(arrows))
    heights = _heights(arrows)
    ways = {arrow: _way(*arrow, heights) for arrow in arrows}
    steps = sorted({step for way in ways.values() for step in pairwise(way)})
    floors = _floors(steps, heights)
    wide = max(sum(map(_width, floor)) + _GAP * (len(floor) - 1) for floor in floors)
    place: dict[str, tuple[float, float]] = {}
    for height, floor in enumerate(reversed(floors)):
        x = (wide - sum(map(_width, floor)) - _GAP * (len(floor) - 1)) / 2
        for name in floor:
            place[name] = (x + _width(name) / 2, height * _RISE)
            x += _width(name) + _GAP
    tall = (len(floors) - 1) * _RISE + _HEIGHT
    words = "; ".join(f"{above} builds on {below}" for below, above in arrows)
    lines = [
        f'<svg class="rooms" viewBox="-4 -4 {wide + 8:g} {tall + 8:g}" role="img">',
        f"<title>{escape(words)}</title>",
        _TIP,
        *(_arrow([place[name] for name in way]) for way in ways.values()),
        *(_box(name, *spot) for name, spot in place.items() if name[0] != _BETWEEN),
        "</svg>",
    ]
    return "\n".join(lines)


def _width(name: str) -> float:
    return 8 if name[0] == _BETWEEN else _WIDTH


def _heights(arrows: list[tuple[str, str]]) -> dict[str, int]:
    """Return the floor of each name: above all that it builds on, and near to what builds on it."""
    names = sorted({name for arrow in arrows for name in arrow})
    height = dict.fromkeys(names, 0)
    for _ in names:  # the longest way to a name has at most as many steps
        for below, above in arrows:
            height[above] = max(height[above], height[below] + 1)
    for name in names:
        on_it = [height[up] for low, up in arrows if low == name]
        if on_it and not any(up == name for _, up in arrows):
            height[name] = min(on_it) - 1
    return height


def _way(below: str, above: str, heights: dict[str, int]) -> list[str]:
    """Return the two ends of an arrow, and a place on each floor that it passes, with its height."""
    passed = range(heights[below] + 1, heights[above])
    between = {f"{_BETWEEN}{below} {above} {height}": height for height in passed}
    heights.update(between)
    return [below, *between, above]


def _floors(steps: list[tuple[str, str]], heights: Mapping[str, int]) -> list[list[str]]:
    """Return the names floor by floor, from below, each floor in an order that crosses few arrows."""
    floors: list[list[str]] = [[] for _ in range(max(heights.values()) + 1)]
    for name in sorted(heights):
        floors[heights[name]].append(name)
    for _ in range(12):
        for down in (False, True):
            _sort(floors, steps, down=down)
    return floors


def _sort(floors: list[list[str]], arrows: list[tuple[str, str]], *, down: bool) -> None:
    """Put each floor in the order of the middle of what it is joined to."""
    spot = {n: (i + 0.5) / len(floor) for floor in floors for i, n in enumerate(floor)}
    for floor in reversed(floors) if down else floors:
        middle = {}
        for name in floor:
            joined = [up if down else low for low, up in arrows if name == (low if down else up)]
            middle[name] = sum(spot[other] for other in joined) / len(joined) if joined else spot[name]
        floor.sort(key=lambda name: (middle[name], name))
        spot.update({name: (i + 0.5) / len(floor) for i, name in enumerate(floor)})


def _arrow(way: list[tuple[float, float]]) -> str:
    """Return a line from the top of the first place, through those between, to the bottom of the last."""
    (x, y), *between, (x2, y2) = way
    path = f"M{x:g} {y:g}"
    for next_x, next_y in between:
        path += f"{_bend(x, y, next_x, next_y + _HEIGHT)}V{next_y:g}"
        x, y = next_x, next_y
    return f'<path class="arrow" marker-end="url(#tip)" d="{path}{_bend(x, y, x2, y2 + _HEIGHT + 1)}"/>'


def _bend(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (y - to_y) / 2
    return f"C{x:g} {y - half:g} {to_x:g} {to_y + half:g} {to_x:g} {to_y:g}"


def _box(name: str, x: float, y: float) -> str:
    return (
        f'<rect x="{x - _WIDTH / 2:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{x:g}" y="{y + _HEIGHT / 2 + 5:g}">{escape(name)}</text>'
    )
