"""Candidates: one a connectivity, none to learn from, whole scaffolds held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.schema import Corpus
from cytomol.errors import InputError
from cytomol.evaluate.matching.candidates import (
    find_candidates,
    held_out_scaffolds,
    learnable_profiles,
    modality_of,
)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return generate_planted(200).corpus


def blocks_of(corpus: Corpus) -> list[str]:
    return [key[:14] for key in corpus.molecules["inchikey"]]


def test_nothing_of_a_candidate_is_left_to_learn_from(corpus: Corpus) -> None:
    blocks = blocks_of(corpus)
    found = find_candidates(corpus, blocks, "morphology", set(blocks[:80]))
    assert 0 < len(found) == len(set(found.blocks)) <= 80
    learnt = {blocks[row] for row in found.modality.rows[found.rest]}
    assert learnt
    assert not learnt & set(blocks[:80])
    assert [corpus.smiles[row] for row in found.modality.rows[found.profile]] == list(found.smiles)


def test_the_first_profile_of_a_connectivity_stands_for_it(corpus: Corpus) -> None:
    blocks, modality = blocks_of(corpus), corpus.modalities["morphology"]
    twice = replace(
        modality,
        rows=np.concatenate([modality.rows, modality.rows]),
        values=np.concatenate([modality.values, modality.values + 1]),
    )
    doubled = replace(corpus, modalities={"morphology": twice})
    once, both = (find_candidates(one, blocks, "morphology", set(blocks[:80])) for one in (corpus, doubled))
    assert once.blocks == both.blocks
    np.testing.assert_array_equal(once.values, both.values)


def test_profiles_without_a_value_ask_and_teach_nothing(corpus: Corpus) -> None:
    blocks, modality = blocks_of(corpus), corpus.modalities["morphology"]
    values = modality.values.copy()
    values[::2] = np.nan
    holed = replace(corpus, modalities={"morphology": replace(modality, values=values)})
    found = find_candidates(holed, blocks, None, set(blocks[:80]))
    assert (found.profile % 2 == 1).all()
    assert not found.rest[::2].any()


def test_scaffolds_are_held_out_whole(corpus: Corpus) -> None:
    blocks = blocks_of(corpus)
    chosen = held_out_scaffolds(corpus.smiles, blocks, 0.3, seed=1)
    assert 0.3 * len(set(blocks)) <= len(chosen) < 0.6 * len(set(blocks))
    scaffolds: dict[str, set[bool]] = {}
    for smiles, block in zip(corpus.smiles, blocks, strict=True):
        scaffolds.setdefault(murcko_scaffold(smiles) or block, set()).add(block in chosen)
    assert all(len(sides) == 1 for sides in scaffolds.values())
    assert chosen == held_out_scaffolds(corpus.smiles, blocks, 0.3, seed=1)
    assert chosen != held_out_scaffolds(corpus.smiles, blocks, 0.3, seed=2)


def test_listed_molecules_alone_teach(corpus: Corpus) -> None:
    blocks, modality = blocks_of(corpus), corpus.modalities["morphology"]
    rows = learnable_profiles(modality, blocks, left_out=blocks[:20], listed=set(blocks[10:60]))
    assert {blocks[row] for row in modality.rows[rows]} <= set(blocks[20:60])
    with pytest.raises(InputError, match="no profile of morphology is left"):
        learnable_profiles(modality, blocks, left_out=set(blocks))


def test_a_modality_must_be_named_and_known(corpus: Corpus) -> None:
    with pytest.raises(InputError, match=r"several modalities.*morphology"):
        modality_of(corpus, None)
    with pytest.raises(InputError, match="no modality 'gene_knockout' of molecules"):
        modality_of(corpus, "gene_knockout")
    with pytest.raises(InputError, match="no profiles of molecules"):
        modality_of(replace(corpus, modalities={}), None)


def test_one_candidate_is_none(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="0 held-out molecules have a profile of morphology"):
        find_candidates(corpus, blocks_of(corpus), "morphology", {"A" * 14})
