"""Who has to find whom: molecules that were held out with their profiles, and those to learn from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.parse import parse_smiles
from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.corpus.schema import Corpus, Modality
from cytomol.counted import agreeing
from cytomol.errors import InputError

__all__ = ["Candidates", "find_candidates", "held_out_scaffolds", "learnable_profiles", "modality_of"]

_FEWEST = 2


@dataclass(frozen=True, eq=False)
class Candidates:
    """Held-out molecules, one a connectivity, each with one profile.

    Attributes
    ----------
    modality
        All profiles of the corpus.
    smiles, blocks
        Of each candidate: its SMILES, and the first block of its InChIKey.
    profile
        Row of ``modality`` of each candidate: the first of its connectivity, int64, shape (candidates,).
    rest
        Profiles of the other molecules, from which baselines may learn, bool, shape (profiles,).
    """

    modality: Modality
    smiles: tuple[str, ...]
    blocks: tuple[str, ...]
    profile: NDArray[np.int64]
    rest: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def values(self) -> NDArray[np.float32]:
        """Profiles of the candidates, float32, shape (candidates, width)."""
        return self.modality.values[self.profile]


def find_candidates(
    corpus: Corpus, blocks: Sequence[str], name: str | None, held_out: Collection[str]
) -> Candidates:
    """Return the held-out molecules of a corpus that have a profile.

    Parameters
    ----------
    corpus
        The corpus.
    blocks
        First InChIKey block of each molecule of it, "" without one.
    name
        Modality; None where there is just one of molecules.
    held_out
        Blocks of the molecules that are held out.

    Raises
    ------
    InputError
        If there is no such modality, or fewer than two held-out molecules have a profile.
    """
    modality = modality_of(corpus, name)
    named = np.array(blocks, dtype=str)[modality.rows]
    measured = ~np.isnan(modality.values).all(axis=1)
    listed = np.isin(named, sorted(held_out)) & (named != "")
    _, first = np.unique(np.where(listed & measured, named, ""), return_index=True)
    first = np.sort(first)
    first = first[(listed & measured)[first]]
    smiles = [corpus.smiles[row] for row in modality.rows[first]]
    valid = np.array([parse_smiles(text).mol is not None for text in smiles], dtype=np.bool_)
    first = first[valid] if len(first) else first
    if len(first) < _FEWEST:
        raise InputError(
            f"{agreeing(len(first), 'held-out molecule', 'has', 'have')} a profile of {modality.name}",
            hint="there must be two at least: hold others out, or choose another modality",
        )
    kept = [text for text, is_valid in zip(smiles, valid, strict=True) if is_valid]
    return Candidates(
        modality, tuple(kept), tuple(named[first].tolist()), first.astype(np.int64), measured & ~listed
    )


def modality_of(corpus: Corpus, name: str | None) -> Modality:
    """Return a modality of molecules; the only one where none is named.

    Raises
    ------
    InputError
        If there is no such modality, or several and none is named.
    """
    known = {one: modality for one, modality in corpus.modalities.items() if modality.entity == "molecule"}
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is None or name not in known:
        what = "has several modalities" if name is None else f"has no modality {name!r} of molecules"
        raise InputError(
            f"the corpus {what}" if known else "the corpus has no profiles of molecules",
            hint=f"choose one with --modality: {', '.join(known)}" if known else "give one that has",
        )
    return known[name]


def learnable_profiles(
    modality: Modality,
    blocks: Sequence[str],
    *,
    left_out: Collection[str] = (),
    listed: Collection[str] | None = None,
) -> NDArray[np.bool_]:
    """Return the profiles that may be learnt from, bool, shape (profiles,).

    Parameters
    ----------
    modality
        The profiles.
    blocks
        First InChIKey block of each molecule of the corpus.
    left_out
        Blocks of molecules whose profiles may not.
    listed
        Blocks of the molecules that alone may; None for all.

    Raises
    ------
    InputError
        If none is left.
    """
    named = np.array(blocks, dtype=str)[modality.rows]
    rows = ~np.isnan(modality.values).all(axis=1) & ~np.isin(named, sorted(left_out))
    if listed is not None:
        rows &= np.isin(named, sorted(listed)) & (named != "")
    if not rows.any():
        raise InputError(
            f"no profile of {modality.name} is left to learn from", hint="hold fewer out, or list others"
        )
    return np.asarray(rows)


def held_out_scaffolds(smiles: Sequence[str], blocks: Sequence[str], share: float, seed: int = 0) -> set[str]:
    """Return the blocks of a share of the molecules, whole scaffolds drawn by chance.

    Parameters
    ----------
    smiles, blocks
        Molecules, and the first InChIKey block of each.
    share
        Of the molecules, between 0 and 1.
    seed
        Of the draw.

    Examples
    --------
    >>> sorted(held_out_scaffolds(["c1ccccc1", "Cc1ccccc1", "C1CC1", "C1CCC1"], list("abcd"), 0.5)) != []
    True
    """
    scaffold_of: dict[str, str] = {}
    for text, block in zip(smiles, blocks, strict=True):
        if block and block not in scaffold_of:
            scaffold_of[block] = murcko_scaffold(text) or f"acyclic {block}"
    names = sorted(set(scaffold_of.values()))
    members: dict[str, list[str]] = {name: [] for name in names}
    for block, scaffold in scaffold_of.items():
        members[scaffold].append(block)
    chosen: set[str] = set()
    for number in np.random.default_rng(seed).permutation(len(names)):
        if len(chosen) >= share * len(scaffold_of):
            break
        chosen.update(members[names[number]])
    return chosen
