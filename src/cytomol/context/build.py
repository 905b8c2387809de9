"""Build the context graph of a corpus."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytomol.context.criteria import Inputs, criteria
from cytomol.context.edges import Edges, merge_edges, symmetric_csr
from cytomol.context.graph import ContextGraph
from cytomol.corpus.schema import Corpus
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.options.context import ContextOptions

if TYPE_CHECKING:
    from cytomol.chem.store import MoleculeStore

__all__ = ["build_context"]


def build_context(
    corpus: Corpus,
    store: MoleculeStore,
    options: ContextOptions | None = None,
    *,
    fingerprints: NDArray[np.uint8] | None = None,
    progress: Callable[[str], None] | None = None,
) -> ContextGraph:
    """Join the molecules, genes and profiles of a corpus by every edge criterion.

    InfoAlign (Liu et al., ICLR 2025), section 3.1.

    Parameters
    ----------
    corpus
        Molecules, genes, profiles, relations.
    store
        The corpus's molecules, row-aligned; its Morgan fingerprints are compared.
    options
        Thresholds and switches; None takes the defaults.
    fingerprints
        Packed fingerprints that say which molecules are alike, shape (molecules, bytes); None takes the
        store's.
    progress
        Called with the name of each criterion before it is applied.

    Returns
    -------
    ContextGraph
        Symmetric, without self-loops; where several criteria join two nodes, the largest weight counts.

    Raises
    ------
    InputError
        If store and corpus differ in length, or a relation has weights outside [-1, 1].
    ConfigError
        If an unknown criterion is asked for.

    Examples
    --------
    >>> from cytomol.chem.featurize import featurize
    >>> from cytomol.corpus.planted import generate_planted
    >>> corpus = generate_planted(200).corpus
    >>> context = build_context(corpus, featurize(corpus.smiles))
    >>> context.spaces[:2]
    ('molecule', 'gene')
    """
    options = ContextOptions() if options is None else options
    if len(store) != len(corpus.molecules):
        featurized = counted(len(store), "featurized molecule", comma=False)
        raise InputError(f"{featurized} for a corpus of {len(corpus.molecules)}")
    offsets, nodes = _offsets(corpus, options)
    inputs = Inputs(corpus, store, options, offsets, fingerprints)
    names = criteria.names() if options.criteria is None else list(options.criteria)
    chosen = {name: criteria[name] for name in names}
    parts: list[Edges] = []
    report: dict[str, dict[str, Any]] = {}
    for name, criterion in chosen.items():
        if progress is not None:
            progress(name)
        began = time.perf_counter()
        edges, facts = criterion().edges(inputs)
        parts.append(merge_edges([edges], nodes))
        del edges  # as large as what is left of them
        report[name] = {"edges": len(parts[-1]), "seconds": round(time.perf_counter() - began, 3), **facts}
    merged = merge_edges(parts, nodes)
    parts.clear()
    graph = symmetric_csr(merged, nodes)
    return ContextGraph(*graph, spaces=tuple(offsets), offsets=offsets, report=report)


def _offsets(corpus: Corpus, options: ContextOptions) -> tuple[dict[str, int], int]:
    """Return the first node of molecules, genes and each modality's profiles, and the number of nodes.

    Profiles that sit on their genes have no nodes of their own.
    """
    sizes = {"molecule": len(corpus.molecules), "gene": len(corpus.genes)}
    for name, modality in corpus.modalities.items():
        if name in sizes:
            raise InputError(f"a modality is called {name!r}, as the entities are", hint="rename it")
        if modality.entity == "gene" and options.gene_profiles == "node":
            continue
        sizes[name] = len(modality)
    offsets, nodes = {}, 0
    for name, size in sizes.items():
        offsets[name] = nodes
        nodes += size
    return offsets, nodes
