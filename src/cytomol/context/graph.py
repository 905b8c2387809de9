"""The context graph: molecules, genes and profiles, joined by whatever relates them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import counted

__all__ = ["ContextGraph"]


@dataclass(frozen=True)
class ContextGraph:
    """Undirected weighted graph in compressed rows.

    The nodes of a space are consecutive: node = offsets[space] + row, where row counts molecules, genes,
    or the profiles of a modality's table.

    Attributes
    ----------
    indptr
        Where the neighbours of each node begin, int64, shape (nodes + 1,).
    indices
        Neighbours, rising for each node, int32, shape (2 x edges,).
    weights
        Edge weights in (0, 1], float32, shape (2 x edges,).
    spaces
        "molecule", "gene", then the names of the modalities.
    offsets
        First node of each space.
    report
        By criterion: edges, thresholds, seconds.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float32]
    spaces: tuple[str, ...]
    offsets: dict[str, int]
    report: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    @property
    def edge_count(self) -> int:
        """Number of undirected edges."""
        return len(self.indices) // 2

    def degree(self) -> NDArray[np.int64]:
        """Return the number of neighbours of each node, shape (nodes,)."""
        return np.diff(self.indptr)

    def space_of(self, nodes: NDArray[Any]) -> NDArray[np.int64]:
        """Return the space of each node as its position in ``spaces``; same shape as ``nodes``."""
        starts = np.array([self.offsets[space] for space in self.spaces], np.int64)
        return np.searchsorted(starts, nodes, side="right") - 1

    def span(self, space: str) -> tuple[int, int]:
        """Return the first node of a space and the node after its last."""
        place = self.spaces.index(space)
        later = self.spaces[place + 1 :]
        return self.offsets[space], self.offsets[later[0]] if later else self.node_count

    def neighbours(self, node: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the neighbours of a node and the weights of the edges to them."""
        row = slice(self.indptr[node], self.indptr[node + 1])
        return self.indices[row], self.weights[row]

    def text(self) -> str:
        """Return nodes, edges and what each criterion gave, one line each."""
        alone = int((self.degree() == 0).sum())
        nodes, edges = counted(self.node_count, "node"), counted(self.edge_count, "edge")
        lines = [f"context graph: {nodes} ({alone:,} alone), {edges}"]
        for space in self.spaces:
            first, end = self.span(space)
            lines.append(f"  {space}: {counted(end - first, 'node')}")
        for name, facts in self.report.items():
            if facts["edges"] or _indexed(facts):
                lines += _criterion_text(name, facts)
        return "\n".join(lines)


def _indexed(facts: Mapping[str, Any]) -> bool:
    """Return whether anything was searched for with an index, which is said even if nothing was found."""
    tables = [facts, *(table for table in facts.values() if isinstance(table, dict))]
    return any(table.get("search") == "index" for table in tables)


def _criterion_text(name: str, facts: Mapping[str, Any]) -> list[str]:
    """Return a line for a criterion, and one for each table that it looked at."""
    details = {key: value for key, value in facts.items() if key not in {"edges", "seconds"}}
    plain = {key: value for key, value in details.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in details.items() if isinstance(value, dict)}
    head = f"  {name}: {counted(facts['edges'], 'edge')} in {facts['seconds']:.1f} s"
    return [
        head + (f" ({_facts_text(plain)})" if plain else ""),
        *(f"    {table}: {_facts_text(found)}" for table, found in tables.items()),
    ]


def _facts_text(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_value_text(value)}" for key, value in facts.items())


def _value_text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}"
