"""Computed similarity: genes whose perturbation does the same to cells."""

from __future__ import annotations

from typing import Any

from cytomol.context.criteria.base import Criterion, Inputs, criteria
from cytomol.context.edges import Edges

__all__ = ["GeneSimilarityCriterion"]


@criteria.register("gene_similarity")
class GeneSimilarityCriterion(Criterion):
    """Join genes whose profiles of one modality are alike (cosine of row-standardised features).

    Pairs and thresholds are those of the profiles; of several pairs of profiles the strongest counts.
    """

    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return the pairs of genes, over all modalities measured on genes."""
        parts, facts = [], {}
        for modality in inputs.corpus.modalities.values():
            if modality.entity != "gene":
                continue
            nodes = inputs.entity_nodes(modality)
            for name, similar in inputs.similar_profiles(modality).items():
                parts.append(Edges(nodes[similar.i], nodes[similar.j], similar.similarity))
                facts[name] = similar.report()
        return Edges.concatenate(parts), facts
