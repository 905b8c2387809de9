"""What a corpus held when a backbone learnt from it, counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from cytomol.context import ContextGraph
from cytomol.corpus.schema import Corpus, Modality
from cytomol.training.dataset.data import PretrainData

__all__ = ["learnt_from"]


def learnt_from(corpus: Corpus, data: PretrainData) -> dict[str, Any]:
    """Count molecules, profiles, relations and edges of a corpus that a backbone has learnt from.

    Parameters
    ----------
    corpus
        As it was learnt from: without what was left out.
    data
        What training made of it.

    Returns
    -------
    ``molecules`` by what became of them, ``genes``, ``modalities`` and ``relations`` (a table each), and
    ``context`` (nodes, edges, edges by criterion; None where no walk is taken).
    """
    valid = np.asarray(data.store.valid)
    profiled = np.zeros(len(corpus), np.bool_)
    for modality in corpus.modalities.values():
        if modality.entity == "molecule":
            profiled[modality.rows] = True
    return {
        "molecules": {
            "corpus": len(corpus),
            "valid": int(valid.sum()),
            "train": len(data.train),
            "validation": len(data.validation),
            "profiled": int((profiled & valid).sum()),
        },
        "genes": len(corpus.genes),
        "modalities": [_modality(modality, data) for modality in corpus.modalities.values()],
        "relations": [
            {
                "name": relation.name,
                "source": relation.source_entity,
                "target": relation.target_entity,
                "links": len(relation),
            }
            for relation in corpus.relations.values()
        ],
        "context": _context(data.graph),
    }


def _modality(modality: Modality, data: PretrainData) -> dict[str, Any]:
    return {
        "name": modality.name,
        "kind": modality.kind,
        "entity": modality.entity,
        "features": modality.width,
        "profiles": len(modality),
        "entities": len(np.unique(modality.rows)),
        "corrected": modality.name in data.corrections,
    }


def _context(graph: ContextGraph) -> dict[str, Any] | None:
    if not graph.edge_count:
        return None
    return {
        "nodes": graph.node_count,
        "edges": graph.edge_count,
        "criteria": {name: int(facts["edges"]) for name, facts in graph.report.items() if facts["edges"]},
    }
