"""Experiment: a molecule or gene and its own profile."""

from __future__ import annotations

from typing import Any

import numpy as np

from cytomol.context.criteria.base import Criterion, Inputs, criteria
from cytomol.context.edges import Edges

__all__ = ["ProfileCriterion"]


@criteria.register("profile")
class ProfileCriterion(Criterion):
    """Join every profile with the molecule or gene that it was measured for, with weight 1."""

    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return one edge per profile."""
        parts = [
            Edges(inputs.entity_nodes(m), inputs.profile_nodes(m), np.ones(len(m), np.float32))
            for m in inputs.corpus.modalities.values()
            if inputs.has_nodes(m)
        ]
        return Edges.concatenate(parts), {}
