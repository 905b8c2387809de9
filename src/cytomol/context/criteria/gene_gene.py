"""Biology: genes that interact with or regulate each other."""

from __future__ import annotations

from typing import Any

from cytomol.context.criteria.base import Criterion, Inputs, criteria, relation_edges
from cytomol.context.edges import Edges

__all__ = ["GeneGeneCriterion"]


@criteria.register("gene_gene")
class GeneGeneCriterion(Criterion):
    """Join genes by the relations between them; weight |w|, whichever direction the effect has."""

    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return one edge per link."""
        return relation_edges(inputs, "gene", "gene")
