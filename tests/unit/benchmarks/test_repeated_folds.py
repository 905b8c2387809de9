"""Folds of the repeated cross-validation divide no scaffold and no molecule."""

from __future__ import annotations

import numpy as np
from benchmarks.quality.repeated.folds import blocks_of, inner_valid, outer_folds, unscorable
from hypothesis import given, settings
from hypothesis import strategies as st


def test_a_block_joins_rows_of_one_scaffold_or_one_molecule() -> None:
    # benzenes; two spellings of a tautomer with scaffolds of their own; a chain
    smiles = ["Cc1ccccc1", "Oc1ccccc1", "Oc1ccccn1", "O=c1cccc[nH]1", "Nc1ccccn1", "CCO"]
    blocks = blocks_of(smiles)
    assert blocks[0] == blocks[1]
    assert blocks[2] == blocks[3] == blocks[4]  # by way of the tautomer
    assert len({blocks[0], blocks[2], blocks[5]}) == 3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4))
def test_no_block_is_divided_and_repeats_differ(seed: int, repeat: int) -> None:
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 60, 200)
    labels = random.integers(0, 2, (200, 2)).astype(float)
    tested = outer_folds(blocks, labels, "classification", folds=5, repeat=repeat)
    other = outer_folds(blocks, labels, "classification", folds=5, repeat=repeat + 1)
    assert all(len(set(tested[blocks == block])) == 1 for block in np.unique(blocks))
    assert (tested != other).any()
    assert np.ptp(np.bincount(tested, minlength=5)) <= 10
    seen = tested != 2
    valid = inner_valid(blocks, labels, "classification", seen, repeat=repeat, fold=2)
    assert not valid[~seen].any()
    assert 0.08 < valid[seen].mean() < 0.2
    assert not set(blocks[valid]) & set(blocks[seen & ~valid])


def test_unscorable_pairs_are_counted() -> None:
    nan = np.nan
    labels = np.array([[0, 0, nan], [1, 1, nan], [0, nan, 1], [1, 0, 0]])
    tested = np.array([0, 0, 1, 1])
    # task 1: its only active is in fold 0, task 2: nothing is measured in fold 0
    assert unscorable(labels, tested, "classification") == 4
    assert unscorable(labels, tested, "regression") == 2


def test_the_division_that_scores_most_is_taken() -> None:
    labels = np.zeros((50, 1))
    labels[[0, 10, 20, 30, 40]] = 1.0
    found = [outer_folds(np.arange(50), labels, "classification", folds=3, repeat=r) for r in range(10)]
    assert [unscorable(labels, each, "classification") for each in found] == [0] * 10
