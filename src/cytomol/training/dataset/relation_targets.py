"""Relations of molecules as a target: which genes a molecule is linked to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.fingerprints import pack_bits
from cytomol.corpus.schema import Corpus
from cytomol.errors import ConfigError
from cytomol.training.dataset.targets import BitTarget

__all__ = ["MOLECULES_PER_GENE", "relation_targets"]

MOLECULES_PER_GENE = 10
"""Molecules that a gene must be linked to; rarer genes teach nothing that holds elsewhere."""


def relation_targets(
    corpus: Corpus, names: tuple[str, ...], valid: NDArray[np.bool_], held: NDArray[np.bool_]
) -> dict[str, BitTarget]:
    """Return a target space of 0/1 per gene for each named relation of molecules with genes.

    A molecule without any link of the relation says nothing; one with links says 0 for the other genes,
    which is true of most and not known of all.

    Parameters
    ----------
    corpus
        The corpus.
    names
        Relations.
    valid, held
        Valid molecules, and those held out to validate, bool, shape (molecules,).

    Raises
    ------
    ConfigError
        If a relation does not exist, does not link molecules with genes, or links too few.
    """
    targets = {}
    for name in names:
        links = corpus.relations.get(name)
        if links is None or {links.source_entity, links.target_entity} != {"molecule", "gene"}:
            known = [n for n, r in corpus.relations.items() if r.source_entity != r.target_entity]
            raise ConfigError(
                f"no relation of molecules and genes is called {name!r}",
                where="relation_targets",
                hint=f"there are: {', '.join(known) or 'none'}",
            )
        forward = links.source_entity == "molecule"
        molecule, gene = (links.source, links.target) if forward else (links.target, links.source)
        pairs = np.unique(np.stack([molecule, gene], axis=1), axis=0)
        pairs = pairs[valid[pairs[:, 0]]]
        _, column, count = np.unique(pairs[:, 1], return_inverse=True, return_counts=True)
        often = count >= MOLECULES_PER_GENE
        if not often.any():
            raise ConfigError(
                f"no gene is linked to {MOLECULES_PER_GENE} molecules by {name!r}",
                where="relation_targets",
                hint="leave the relation out",
            )
        place = np.cumsum(often) - 1
        kept = often[column]
        bits = np.zeros((len(corpus), int(often.sum())), dtype=np.uint8)
        bits[pairs[kept, 0], place[column[kept]]] = 1
        linked = np.asarray(bits.any(axis=1))
        targets[name] = BitTarget(0, pack_bits(bits), bits.shape[1], linked & ~held, linked)
    return targets
