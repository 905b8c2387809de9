"""Relations between molecules that a corpus brings along."""

from __future__ import annotations

from typing import Any

from cytomol.context.criteria.base import Criterion, Inputs, criteria, relation_edges
from cytomol.context.edges import Edges

__all__ = ["MoleculeMoleculeCriterion"]


@criteria.register("molecule_molecule")
class MoleculeMoleculeCriterion(Criterion):
    """Join molecules by the relations between them (none in the published corpora); weight |w|."""

    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return one edge per link."""
        return relation_edges(inputs, "molecule", "molecule")
