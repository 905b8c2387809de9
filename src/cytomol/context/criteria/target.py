"""Experiment: a molecule and the genes that it targets."""

from __future__ import annotations

from typing import Any

from cytomol.context.criteria.base import Criterion, Inputs, criteria, relation_edges
from cytomol.context.edges import Edges

__all__ = ["TargetCriterion"]


@criteria.register("target")
class TargetCriterion(Criterion):
    """Join molecules with genes by the relations between them; weight |w|, 1 for annotated targets."""

    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return one edge per link."""
        return relation_edges(inputs, "molecule", "gene")
