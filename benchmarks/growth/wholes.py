"""What the page says of propagation by edge, and of whole pretrainings by phase."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.growth.points import Row

__all__ = ["edge_times", "whole_pretrainings"]

_STEPS = 5  # of a propagation
_EDGES = 10  # of a molecule
_PHASE = re.compile(r"(?P<name>[a-z ]+) (?P<seconds>[\d,]+) s (?P<mb>[\d,]+) MB")

_WHY = """\
### Why propagation grows faster than its edges

Each molecule has ten neighbours at every size; what grows is the time of an edge. In a step every neighbour's
profile is read from where it lies, and neighbours in structure lie anywhere in the table: the larger the
table, the less of it is in the processor's caches, and each edge waits for memory. Ten random neighbours of
each molecule show the same; with the ten next molecules of the table for neighbours, the same arithmetic has
what it reads at hand. Nanoseconds of an edge in a step:
"""

_WHOLE = """\
## Whole pretrainings

One process reads a corpus, prepares it and learns for five short epochs: 4,096 molecules from all over the
corpus, whose walks may lead anywhere. Features come from the cache, as in any second training, and no
molecule is held out to validate (without InChIKeys in the corpus that computes them, which takes time and no
memory). MB are the most that the process held in a phase, libraries included.
"""


def edge_times(rows: Sequence[Row]) -> list[str]:
    """Say why propagation grows faster than its edges, by the nanoseconds of an edge in a step."""
    found = {
        step: _nanoseconds(rows, step) for step in ("propagation", "propagation_far", "propagation_near")
    }
    if not all(found.values()):
        return []
    lines = [
        _WHY,
        "| molecules | neighbours in structure | anywhere | side by side |",
        "|---:|---:|---:|---:|",
    ]
    for molecules in sorted(set().union(*found.values())):
        cells = (f"{times[molecules]:.1f}" if molecules in times else "–" for times in found.values())
        lines.append(f"| {molecules:,} | {' | '.join(cells)} |")
    return ["\n".join(lines) + "\n"]


def _nanoseconds(rows: Sequence[Row], step: str) -> dict[int, float]:
    """Return the time of an edge in a step, by molecules."""
    return {
        row.value: 1e9 * row.seconds / (row.value * _EDGES * _STEPS)
        for row in rows
        if row.step == step and row.axis == "molecules"
    }


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
