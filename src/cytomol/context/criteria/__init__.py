"""Edge criteria: why two nodes of the context graph are joined."""

from cytomol.context.criteria import (
    gene_gene,
    gene_similarity,
    molecule_molecule,
    profile,
    profile_similarity,
    readout,
    structure,
    target,
)
from cytomol.context.criteria.base import Criterion, Inputs, criteria

__all__ = [
    "Criterion",
    "Inputs",
    "criteria",
    "gene_gene",
    "gene_similarity",
    "molecule_molecule",
    "profile",
    "profile_similarity",
    "readout",
    "structure",
    "target",
]
