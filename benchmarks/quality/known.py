"""What the corpus knows of the molecules of a set: a profile of their own, or of one like them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmarks.quality.backbones import corpus_folder, evaluated_molecules
from numpy.typing import NDArray

from cytomol.evaluate.sets import load_set
from cytomol.files import atomic_file

__all__ = ["GROUPS", "NEAR", "Known", "known"]

NEAR = 0.5
"""Tanimoto coefficient (Morgan, radius 2) from which on a molecule is near another."""

GROUPS = ("own profile", "near a profile", "far from all")


class Known(NamedTuple):
    """Every row of a set.

    own: whether a molecule of its connectivity has a profile in the corpus, bool, shape (n,); similarity:
    Tanimoto coefficient with the nearest molecule whose profile stays in pretraining, float32, shape (n,).
    """

    own: NDArray[np.bool_]
    similarity: NDArray[np.float32]

    def group(self, name: str) -> NDArray[np.bool_]:
        """Return the rows of a group of :data:`GROUPS`."""
        near = self.similarity >= NEAR
        return {GROUPS[0]: self.own, GROUPS[1]: ~self.own & near, GROUPS[2]: ~self.own & ~near}[name]


def known(name: str, work: Path) -> Known:
    """Return what is known of a set's molecules; it is kept in the work folder."""
    path = work / "known" / f"{name}.npz"
    if path.exists():
        with np.load(path) as kept:
            return Known(kept["own"], kept["similarity"])
    from cytomol.chem.keys import connectivity_block, inchikey
    from cytomol.chem.parse import parse_smiles
    from cytomol.chem.similarity import tanimoto_top_k
    from cytomol.predict.uncertainty import domain_fingerprints

    profiled, reference = _profiled(work)
    smiles = load_set(name).smiles
    molecules = (parse_smiles(text).mol for text in smiles)
    blocks = ["" if mol is None else connectivity_block(inchikey(mol)) for mol in molecules]
    own = np.array([block in profiled for block in blocks], dtype=bool)
    bits = domain_fingerprints(smiles, workers=1, cache="default")
    result = Known(own, tanimoto_top_k(reference, 1, queries=bits)[1][:, 0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, own=result.own, similarity=result.similarity)
    return result


@lru_cache(maxsize=1)
def _profiled(work: Path) -> tuple[frozenset[str], NDArray[np.uint8]]:
    """Return the connectivity of molecules with profiles, and fingerprints of those not evaluated."""
    from cytomol.corpus import read_corpus
    from cytomol.predict.uncertainty import domain_fingerprints
    from cytomol.training.dataset.exclude import connectivity_blocks, listed_blocks

    corpus = read_corpus(corpus_folder())
    has = np.zeros(len(corpus), dtype=bool)
    for modality in corpus.modalities.values():
        if modality.entity == "molecule":
            has[modality.rows] = True
    blocks = connectivity_blocks(corpus)
    evaluated = listed_blocks(evaluated_molecules(work))
    rows = np.flatnonzero(has)
    kept = [corpus.smiles[row] for row in rows if blocks[row] not in evaluated]
    profiled = frozenset(blocks[row] for row in rows if blocks[row])
    return profiled, domain_fingerprints(kept, workers=1, cache="default")
