"""Computed similarity: profiles of one modality that look alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from cytomol.context.criteria.base import Criterion, Inputs, criteria
from cytomol.context.edges import Edges

__all__ = ["ProfileSimilarityCriterion"]


@criteria.register("profile_similarity")
class ProfileSimilarityCriterion(Criterion):
    """Join profiles of the same modality by the cosine of their row-standardised features."""

    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return the pairs above each modality's own threshold."""
        parts, facts = [], {}
        for modality in inputs.corpus.modalities.values():
            if not inputs.has_nodes(modality):
                continue
            first = np.int32(inputs.offsets[modality.name])
            for name, similar in inputs.similar_profiles(modality).items():
                parts.append(Edges(first + similar.i, first + similar.j, similar.similarity))
                facts[name] = similar.report()
        return Edges.concatenate(parts), facts
