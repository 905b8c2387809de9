"""What a stress test was given: the corpus in two halves, one to learn from and one to be asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.keys import connectivity_block, inchikey
from cytomol.chem.parse import parse_smiles
from cytomol.corpus.lift import mean_by_row
from cytomol.corpus.schema import Corpus
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.evaluate.missing.hiding_patterns import Hideable
from cytomol.evaluate.sets import BenchmarkSet
from cytomol.training.dataset.exclude import listed_blocks
from cytomol.training.dataset.prepare import corpus_digest

__all__ = ["Asked", "StressInputs"]

_ASKED_SHARE = 0.2  # of the scaffolds with profiles, where the user names no molecules
_MOST = 3000  # molecules of a modality that are looked for among each other
_FEWEST = 2  # molecules of a modality that can be told apart


@dataclass(frozen=True)
class Asked:
    """Profiles of one modality that no model has seen, one for each connectivity.

    Attributes
    ----------
    rows
        Molecules, int64, shape (n,).
    values
        Their profiles in measured units, float32, shape (n, width); NaN where not measured.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32]


@dataclass(frozen=True)
class StressInputs:
    """What was read, once for all jobs.

    Attributes
    ----------
    corpus
        The whole corpus.
    learnt
        The profiles that may be learnt from, of which some are hidden in pretraining.
    kept_back
        The profiles of the molecules that are asked about, of which some are hidden in use.
    left_out
        Those molecules, bool, shape (molecules,).
    sets
        Tables of assays; the molecules of their valid and test folds are left out.
    """

    corpus: Corpus
    learnt: Hideable
    kept_back: Hideable
    left_out: NDArray[np.bool_]
    sets: tuple[BenchmarkSet, ...]

    @classmethod
    def build(
        cls,
        corpus: Corpus,
        sets: Sequence[BenchmarkSet],
        plates: Mapping[str, NDArray[np.str_]],
        held_out: Sequence[Path],
    ) -> StressInputs:
        """Divide a corpus.

        Parameters
        ----------
        corpus
            The corpus.
        sets
            Tables of assays.
        plates
            Plate of each profile, by modality.
        held_out
            Files of molecules to be asked about; without any, a fifth of the scaffolds with profiles.

        Raises
        ------
        InputError
            If fewer than two molecules with a profile are left on one side.
        """
        whole = Hideable.of(corpus, plates)
        blocks = whole.blocks
        listed: set[str] = set().union(*(listed_blocks(path) for path in held_out))
        for data in sets:
            scored = np.flatnonzero(np.isin(data.folds, data.scored_folds))
            listed |= {block for row in scored if (block := _block(data.smiles[row]))}
        left_out = np.isin(blocks, sorted(listed)) & (blocks != "")
        if not held_out:
            left_out |= _fifth_of_scaffolds(whole)
            left_out = np.isin(blocks, np.unique(blocks[left_out & (blocks != "")])) | left_out
        sides = [_side(whole, keep) for keep in (~left_out, left_out)]
        sides[0] = replace(sides[0], corpus=sides[0].corpus.without_relations_of(left_out))
        for side, verb in zip(sides, ("learn from", "ask about"), strict=True):
            number = sum(len(m) for m in side.corpus.modalities.values() if m.entity == "molecule")
            if number < _FEWEST:
                raise InputError(
                    f"{counted(number, 'profile', comma=False)} of molecules to {verb}",
                    hint="the corpus needs profiles of molecules, some of them held out",
                )
        return cls(corpus, sides[0], sides[1], left_out, tuple(sets))

    @cached_property
    def asked(self) -> dict[str, Asked]:
        """What is asked about, at most 3,000 molecules each; modalities with fewer than two are absent."""
        found = {}
        for name, modality in self.kept_back.corpus.modalities.items():
            if modality.entity == "gene" or not len(modality):
                continue
            rows, values = mean_by_row(modality)
            _, first = np.unique(self.kept_back.molecules[rows], return_index=True)
            first = np.sort(first)
            first = first[~np.isnan(values[first]).all(axis=1)]
            if len(first) > _MOST:  # so that neither memory nor chance depend on the size of a corpus
                first = np.sort(np.random.default_rng(len(first)).permutation(first)[:_MOST])
            if len(first) >= _FEWEST:
                found[name] = Asked(rows[first], values[first])
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the profiles that may be learnt from."""
        return corpus_digest(self.learnt.corpus)

    @cached_property
    def rows_of_sets(self) -> dict[str, NDArray[np.int64]]:
        """Molecule of the corpus of each row of a set, -1 for none, by the set's name."""
        blocks = self.learnt.blocks
        place = {block: row for row, block in reversed(list(enumerate(blocks))) if block}
        return {
            data.name: np.array([place.get(_block(smiles), -1) for smiles in data.smiles], np.int64)
            for data in self.sets
        }


def _side(whole: Hideable, keep: NDArray[np.bool_]) -> Hideable:
    """Return the profiles of some molecules (and of all genes) with their plates."""
    corpus, plates = whole.corpus, whole.plates
    kept = {name: keep[corpus.modalities[name].rows] for name in plates if _of_molecules(corpus, name)}
    remaining = {name: plate[kept[name]] if name in kept else plate for name, plate in plates.items()}
    return Hideable(corpus.without_profiles_of(~keep), whole.blocks, remaining)


def _of_molecules(corpus: Corpus, name: str) -> bool:
    return corpus.modalities[name].entity == "molecule"


def _fifth_of_scaffolds(whole: Hideable) -> NDArray[np.bool_]:
    """Return the profiled molecules of a fifth of the scaffolds; always the same ones."""
    corpus, profiled = whole.corpus, np.zeros(len(whole.corpus), np.bool_)
    for name, modality in corpus.modalities.items():
        if _of_molecules(corpus, name):
            profiled[modality.rows] = True
    scaffolds = whole.scaffolds
    names = np.unique(scaffolds[profiled])
    drawn = np.random.default_rng(len(names)).permutation(names)[: round(_ASKED_SHARE * len(names))]
    return profiled & np.isin(scaffolds, drawn)


def _block(smiles: str) -> str:
    """Return the connectivity of a molecule; "" if it cannot be read."""
    mol = parse_smiles(smiles).mol
    return "" if mol is None else connectivity_block(inchikey(mol))
