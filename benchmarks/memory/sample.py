"""A part of a corpus, drawn at random: its molecules with all that is known of them, and every gene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cytomol.corpus import Corpus

__all__ = ["sample"]


def sample(corpus: Corpus, molecules: int, seed: int = 0) -> Corpus:
    """Return a corpus of so many molecules; the order of rows stays."""
    keep = np.zeros(len(corpus), np.bool_)
    keep[np.random.default_rng(seed).permutation(len(corpus))[:molecules]] = True
    place = np.cumsum(keep) - 1
    modalities = {}
    for name, modality in corpus.modalities.items():
        if modality.entity == "molecule":
            kept = modality.take(keep[modality.rows])
            modalities[name] = replace(kept, rows=place[kept.rows])
        else:
            modalities[name] = modality
    relations = {}
    for name, relation in corpus.relations.items():
        stays, ends = np.ones(len(relation), np.bool_), {}
        for end, entity in (("source", relation.source_entity), ("target", relation.target_entity)):
            if entity == "molecule":
                rows = getattr(relation, end)
                stays &= keep[rows]
                ends[end] = place[rows]
        relations[name] = replace(relation, **ends).take(stays)
    kept_molecules = corpus.molecules[keep].reset_index(drop=True)
    return replace(corpus, molecules=kept_molecules, modalities=modalities, relations=relations)
