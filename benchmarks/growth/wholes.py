"""What the page says of propagation by edge, and of whole pretrainings by phase."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.growth.points import Row

__all__ = ["edge_times", "whole_pretrainings"]

_EDGE = re.compile(r"an edge and step: ([\d.]+) ns in the program, ([\d.]+) ns in the system")
_PHASE = re.compile(r"(?P<name>[a-z ]+) (?P<seconds>[\d,]+) s (?P<mb>[\d,]+) MB")
_NAMES = {
    "pretrain": "InfoAlign",
    "pretrain_links": "InfoAlign, without edges of computed similarity",
    "pretrain_whole": "InfoAlign, a whole epoch",
    "pretrain_chmr": "CHMR",
}

_WHY = """\
### Why propagation grows faster than its edges

Each molecule has ten neighbours at every size; what grows is the time of an edge. In a step every neighbour's
profile is read from where it lies, and neighbours in structure lie anywhere in the table: the larger the
table, the less of it is in the processor's caches, and each edge waits for memory. With the ten next ones
of the table for neighbours, the same arithmetic takes about the same time an edge at any size. What the
system takes is for memory, which it hands out for large tables anew in every step. Nanoseconds of the
processor for an edge in a step:
"""

_WHOLE = """\
## Whole pretrainings

One process reads a corpus, prepares all of it and learns, for one epoch of every molecule or for five short
ones: molecules from all over the corpus, whose walks may lead anywhere. Features come from the cache, as in
any second training, and no molecule is held out to validate (without InChIKeys in the corpus that computes
them, which takes time and no memory). MB are the most that the process held in a phase, libraries included;
other work ran beside, so the seconds compare nothing.
"""


def edge_times(rows: Sequence[Row]) -> list[str]:
    """Say why propagation grows faster than its edges, by the nanoseconds of an edge in a step."""
    far, near = _nanoseconds(rows, "propagation_far"), _nanoseconds(rows, "propagation_near")
    both = sorted(set(far) & set(near))
    if not both:
        return []
    lines = [
        _WHY,
        "| molecules | neighbours anywhere | and the system | the ten next | and the system |",
        "|---:|---:|---:|---:|---:|",
    ]
    for molecules in both:
        cells = (f"{time:.1f}" for time in (*far[molecules], *near[molecules]))
        lines.append(f"| {molecules:,} | {' | '.join(cells)} |")
    return ["\n".join(lines) + "\n"]


def _nanoseconds(rows: Sequence[Row], step: str) -> dict[int, tuple[float, float]]:
    """Return the time of an edge in a step, in the program and in the system, by molecules."""
    told = {row.value: _EDGE.search(row.note) for row in rows if row.step == step}
    return {size: (float(found[1]), float(found[2])) for size, found in told.items() if found}


def whole_pretrainings(rows: Sequence[Row]) -> list[str]:
    """Return a table of phases for each whole pretraining."""
    chosen = [row for row in rows if row.step in _NAMES and row.axis == "molecules"]
    if not chosen:
        return []
    parts = [_WHOLE]
    for row in sorted(chosen, key=lambda row: (list(_NAMES).index(row.step), row.value)):
        phases = [found for part in row.note.split("; ") if (found := _PHASE.fullmatch(part))]
        lines = [
            f"{_NAMES[row.step]}, {row.value:,} molecules, at most {row.peak_mb:,.0f} MB:\n",
            f"| | {' | '.join(phase['name'] for phase in phases)} |",
            f"|---|{'---:|' * len(phases)}",
            f"| seconds | {' | '.join(phase['seconds'] for phase in phases)} |",
            f"| MB | {' | '.join(phase['mb'] for phase in phases)} |",
        ]
        last = row.note.rpartition("; ")[2]
        parts.append("\n".join(lines) + f"\n\nHeld {last}.\n")
    return parts
