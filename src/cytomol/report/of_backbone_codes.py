"""How a backbone's tree divides its molecules, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytomol.report.elements import Figure, Sentence, Table
from cytomol.report.page import Section
from cytomol.report.palette import colour
from cytomol.report.svg_figure import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["codes_section", "level_facts"]

_NAMED = 0.045  # share of the width from which on a node carries its name


def codes_section(found: Mapping[str, Any]) -> Section | None:
    """Return how the levels are used; None for a backbone without codes.

    Examples
    --------
    >>> codes_section({"codes": None}) is None
    True
    """
    codes = found.get("codes")
    if not codes or not codes["molecules"]:
        return None
    facts = [level_facts(counts) for counts in codes["levels"]]
    rows = [
        [str(level), f"{one['nodes']}", f"{one['used']}", f"{one['perplexity']:.1f}", f"{one['fullest']:.1%}"]
        for level, one in enumerate(facts, start=1)
    ]
    last = facts[-1]
    said = (
        f"{last['used']} of {last['nodes']} nodes of the last level hold a molecule; as evenly filled ones "
        f"they would be {last['perplexity']:.1f}, and the fullest holds {last['fullest']:.1%} of "
        f"{codes['molecules']:,} molecules."
    )
    caption = "Use of each level; the perplexity is the number of nodes if all were equally full."
    return Section(
        "How its codes are used",
        [
            Sentence(said),
            _icicle(codes),
            Table(["level", "nodes", "used", "perplexity", "fullest node"], rows, caption),
            Sentence(
                "What the molecules of a node have in common: cytomol hierarchy DIR --corpus CORPUS -o tree.",
                "quiet",
            ),
        ],
    )


def level_facts(counts: Sequence[int]) -> dict[str, float]:
    """Return how a level is used: its nodes, those in use, their perplexity, the share of the fullest.

    Examples
    --------
    >>> level_facts([2, 2, 0, 0])
    {'nodes': 4, 'used': 2, 'perplexity': 2.0, 'fullest': 0.5}
    """
    table = np.asarray(counts, np.float64)
    share = table[table > 0] / max(1.0, table.sum())
    entropy = float(-(share * np.log(share)).sum())
    return {
        "nodes": len(table),
        "used": len(share),
        "perplexity": float(np.exp(entropy)),
        "fullest": float(share.max(initial=0.0)),
    }


def _icicle(codes: Mapping[str, Any]) -> Figure:
    """Draw the levels below each other, each node as wide as it has molecules."""
    levels, total, binary = codes["levels"], codes["molecules"], codes["binary"]

    def draw(axes: Axes) -> None:
        for level, counts in enumerate(levels, start=1):
            order = range(len(counts)) if binary else np.argsort(counts, kind="stable")[::-1]
            left = 0.0
            for node in order:
                share = counts[node] / total
                if share:
                    _node(axes, left, share, level, format(node, f"0{level}b") if binary else str(node))
                left += share
        axes.set_xlim(0, 1)
        axes.set_ylim(len(levels) + 0.5, 0.5)
        axes.set_yticks(range(1, len(levels) + 1))
        axes.set_ylabel("level")
        axes.set_xlabel("share of molecules")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.grid(visible=False)

    below = ", under its parent" if binary and len(levels) > 1 else ""
    return drawn(
        draw,
        name="codes",
        title="Molecules in each node of the tree, level by level",
        says="; ".join(
            f"level {level}: {sum(count > 0 for count in counts)} of {len(counts)} nodes used, the fullest "
            f"holds {max(counts) / total:.0%}"
            for level, counts in enumerate(levels, start=1)
        ),
        caption=f"Each box is a node{below}; it is as wide as its share of {total:,} molecules. Nodes "
        "without any have no box.",
        margins=(0.5, 0.45, 0.2, 0.05),
        size=(6.2, 0.6 + 0.38 * max(2, len(levels))),
    )


def _node(axes: Axes, left: float, share: float, level: int, name: str) -> None:
    from matplotlib.patches import Rectangle

    box = Rectangle(
        (left, level - 0.46), share, 0.92, facecolor=colour("sky"), edgecolor=colour("paper"), linewidth=0.8
    )
    axes.add_patch(box)
    if share > _NAMED * (1 + 0.25 * len(name)):
        # letters on the box, which is light in both schemes
        axes.text(left + share / 2, level, name, ha="center", va="center", fontsize=8, color="#101010")
