"""What the page says of propagation by edge, and of whole pretrainings by phase."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.growth.points import Row

__all__ = ["edge_times", "whole_pretrainings"]

_STEPS = 5  # of a propagation
_EDGES = re.compile(r"([\d.]+) edges per molecule")
_PHASE = re.compile(r"(?P<name>[a-z ]+) (?P<seconds>[\d,]+) s (?P<mb>[\d,]+) MB")

_WHY = """\
### Why propagation grows faster than its edges

Edges for each molecule do not grow; the time of an edge does. In a step every neighbour's profile is read
from where it lies, and neighbours in structure lie anywhere in the table: once the table no longer fits the
processor's caches, each edge waits for memory. Beside it the same arithmetic on as many edges, to neighbours
that lie side by side:
"""

_WHOLE = """\
## Whole pretrainings

One process reads a corpus, prepares it and learns: four short epochs of the default model on 25,000 molecules
of the corpus, whose walks may lead anywhere, and one epoch of all molecules with a small encoder (width 64,
two layers). Features come from the cache, as in any second training. MB are the most that the process held in
a phase, libraries included.
"""


def edge_times(rows: Sequence[Row]) -> list[str]:
    """Say why propagation grows faster than its edges, by the nanoseconds of an edge in a step."""
    far = _nanoseconds(rows, "propagation")
    near = _nanoseconds(rows, "propagation_near")
    if not far or not near:
        return []
    lines = [
        _WHY,
        "| molecules | edges for each | ns an edge and step | the same, neighbours side by side |",
        "|---:|---:|---:|---:|",
    ]
    for molecules, (edges, ns) in far.items():
        beside = f"{near[molecules][1]:.1f}" if molecules in near else "–"
        lines.append(f"| {molecules:,} | {edges:.2f} | {ns:.1f} | {beside} |")
    return ["\n".join(lines) + "\n"]


def _nanoseconds(rows: Sequence[Row], step: str) -> dict[int, tuple[float, float]]:
    """Return edges for each molecule, and the time of an edge in a step, by molecules."""
    found = {}
    for row in sorted(rows, key=lambda row: row.value):
        told = _EDGES.search(row.note)
        if row.step == step and row.axis == "molecules" and told:
            edges = float(told[1])
            found[row.value] = edges, 1e9 * row.seconds / (row.value * edges * _STEPS)
    return found


def whole_pretrainings(rows: Sequence[Row]) -> list[str]:
    """Return a table of phases for each whole pretraining."""
    chosen = [row for row in rows if row.step.startswith("pretrain") and row.axis == "molecules"]
    if not chosen:
        return []
    parts = [_WHOLE]
    for row in sorted(chosen, key=lambda row: (row.step, row.value)):
        method = "CHMR" if row.step.endswith("chmr") else "InfoAlign"
        phases = [found for part in row.note.split("; ") if (found := _PHASE.fullmatch(part))]
        lines = [
            f"{method}, {row.value:,} molecules, at most {row.peak_mb:,.0f} MB:\n",
            f"| | {' | '.join(phase['name'] for phase in phases)} |",
            f"|---|{'---:|' * len(phases)}",
            f"| seconds | {' | '.join(phase['seconds'] for phase in phases)} |",
            f"| MB | {' | '.join(phase['mb'] for phase in phases)} |",
        ]
        last = row.note.rpartition("; ")[2]
        parts.append("\n".join(lines) + f"\n\nHeld {last}.\n")
    return parts
