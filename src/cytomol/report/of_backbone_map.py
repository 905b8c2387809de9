"""The map of a backbone's space: molecules and profiles by modality, by what they do, by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytomol.counted import counted
from cytomol.report.elements import Element, Figure, Sentence, Table
from cytomol.report.page import Section
from cytomol.report.svg_figure import draw_points, drawn
from cytomol.report.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["grouped", "map_section", "shown_level"]

_COLOURS = ("blue", "vermillion", "green", "orange", "purple", "sky")
_MARKS = ("o", "^", "s", "D", "v", "P")
MOST = len(_COLOURS)


def map_section(found: Mapping[str, Any]) -> Section | None:
    """Return the map in the colours of modalities, of labels and of nodes; None where nothing was kept.

    Examples
    --------
    >>> map_section({"map": None}) is None
    True
    """
    if not (points := found.get("map")):
        return None
    kind = np.array(points["is"])
    names = points["names"]
    counts = Counter(kind.tolist())
    shown = [
        counted(counts[0], "molecule"),
        *(f"{counted(counts[k], 'profile')} of {names[k]}" for k in range(1, len(names))),
    ]
    near = "neighbours in it are neighbours in the model's space; distances between far groups mean little"
    if points["way"] != "t-SNE":
        near = "it shows the two directions in which they differ most"
    elements: list[Element] = [
        Sentence(f"A sample of {', '.join(shown)}, drawn by {points['way']}: {near}. No structure is kept."),
        _by_modality(points, kind),
    ]
    elements += _own(points)
    elements += _by_label(points, kind, str(found.get("label_kind") or "label"))
    elements += _by_node(points)
    return Section("Its map of molecules and profiles", elements)


def grouped(values: Sequence[str], most: int = MOST) -> list[tuple[str, NDArray[np.int64]]]:
    """Return the commonest values with their places, then the rest as "other", then "" for those without.

    Examples
    --------
    >>> [(name, places.tolist()) for name, places in grouped(["a", "b", "a", "", "c"], most=1)]
    [('a', [0, 2]), ('other', [1, 4]), ('', [3])]
    """
    counts = Counter(value for value in values if value)
    order = sorted(counts, key=lambda name: (-counts[name], name))
    table = np.array(values, dtype=object)
    groups = [(name, np.flatnonzero(table == name)) for name in order[:most]]
    rest = np.flatnonzero(np.isin(table.astype(str), order[most:]))
    groups += [("other", rest)] if len(rest) else []
    without = np.flatnonzero(table == "")
    return groups + ([("", without)] if len(without) else [])


def shown_level(nodes: Sequence[Sequence[int]], most: int = MOST) -> int | None:
    """Return the deepest level, from 0, of which at most ``most`` nodes are in use; None where none is so.

    Examples
    --------
    >>> shown_level([[0, 1, 1], [0, 2, 3]], most=2)
    0
    """
    fitting = [level for level, row in enumerate(nodes) if 2 <= len(set(row) - {-1}) <= most]
    return fitting[-1] if fitting else None


def _by_modality(points: Mapping[str, Any], kind: NDArray[np.int64]) -> Figure:
    names = points["names"]
    if len(names) == 1:
        return _by_measured(points)
    groups = [(names[k], np.flatnonzero(kind == k)) for k in range(len(names))]
    looks = [("quiet", "o"), *zip(_COLOURS, _MARKS, strict=True)]
    return _scatter(
        points,
        [(name, rows, *looks[k % len(looks)]) for k, (name, rows) in enumerate(groups) if len(rows)],
        name="map-modality",
        title="Map of molecules and profiles by modality",
        caption="Molecules and their measured profiles, by modality.",
    )


def _by_measured(points: Mapping[str, Any]) -> Figure:
    """Draw molecules alone, by what was measured of them."""
    return _scatter(
        points,
        _layers(grouped(points["measured"]), "no profile"),
        name="map-modality",
        title="Map of molecules by the modalities that were measured of them",
        caption="Molecules by what was measured of them; this method has no profiles in its space.",
    )


def _by_label(points: Mapping[str, Any], kind: NDArray[np.int64], what: str) -> list[Element]:
    """Return the molecules by label, and how often neighbours share one."""
    values = [label if one == 0 else "" for label, one in zip(points["label"], kind, strict=True)]
    if not any(values):
        return []
    molecules = np.flatnonzero(kind == 0)
    groups = grouped([values[row] for row in molecules])
    layers = _layers([(name, molecules[rows]) for name, rows in groups], f"no known {what}")
    elements: list[Element] = [
        _scatter(
            points,
            layers,
            name="map-label",
            title=f"Map of molecules by {what}",
            caption=f"Molecules by {what}: the {min(MOST, len(groups))} commonest in the sample. Where a "
            "molecule has several, the commonest counts.",
        )
    ]
    if alike := points["alike"]:
        elements.append(
            Sentence(
                f"Of {alike['molecules']:,} molecules with a known {what}, {alike['share']:.0%} have the "
                f"same {what} as the nearest of the others, by chance {alike['chance']:.0%}. "
                "Molecules of like structure count as well."
            )
        )
    return elements


def _by_node(points: Mapping[str, Any]) -> list[Element]:
    """Return all points by their node, of the deepest level that colours can tell apart."""
    if (level := shown_level(points["nodes"])) is None:
        return []
    binary = all(node < 2 ** (level + 1) for node in points["nodes"][level])
    row = points["nodes"][level]
    names = ["" if node < 0 else format(node, f"0{level + 1}b") if binary else str(node) for node in row]
    layers = [
        (name, np.array([at for at, one in enumerate(names) if one == name]), _COLOURS[k], _MARKS[k])
        for k, name in enumerate(sorted(set(names) - {""}))
    ]
    return [
        _scatter(
            points,
            layers,
            name="map-node",
            title="Map of molecules and profiles by node",
            caption=f"Molecules and profiles by their node of level {level + 1}, the deepest with at most "
            f"{MOST} nodes in use; the name is the path from the root.",
        )
    ]


def _layers(
    groups: Sequence[tuple[str, NDArray[np.int64]]], without: str
) -> list[tuple[str, NDArray[np.int64], str, str]]:
    """Return groups with their looks; those without a label first, so that they lie below."""
    looks = list(zip(_COLOURS, _MARKS, strict=True))
    look_of = dict(zip([name for name, _ in groups if name not in {"", "other"}], looks, strict=False))
    below = [(without, rows, "line", "o") for name, rows in groups if not name]
    below += [("other", rows, "quiet", ".") for name, rows in groups if name == "other"]
    return below + [(name, rows, *look_of[name]) for name, rows in groups if name in look_of]


def _own(points: Mapping[str, Any]) -> list[Element]:
    """Return how near profiles lie to their own molecule."""
    rows = [[one["name"], f"{one['profiles']:,}", f"{one['median_percent']:.1f}%"] for one in points["own"]]
    if not rows:
        return []
    caption = (
        "How many of the sampled molecules lie nearer to a profile than its own, median over profiles; by "
        "chance 50%. Most of them were learnt from: it says how well the space fits, not how well it finds."
    )
    return [Table(["modality", "profiles", "molecules nearer"], rows, caption)]


def _scatter(
    points: Mapping[str, Any],
    layers: Sequence[tuple[str, NDArray[np.int64], str, str]],
    *,
    name: str,
    title: str,
    caption: str,
) -> Figure:
    """Draw the map, layer above layer, each with its colour and its mark."""
    x, y = np.array(points["x"]), np.array(points["y"])

    def draw(axes: Axes) -> None:
        for label, rows, shade, mark in layers:
            words = f"{shortened(label, 28)} ({len(rows):,})"
            draw_points(axes, x[rows], y[rows], mark, shade, label=words, size=3.6)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_axis_off()
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, markerscale=1.8, handletextpad=0.2
        )

    says = "; ".join(f"{label}: {counted(len(rows), 'point')}" for label, rows, _, _ in layers)
    return drawn(draw, name=name, title=title, says=says, caption=caption, size=(5.4, 4.6))
