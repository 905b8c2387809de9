"""Relations as targets: bits per gene, and which molecules train."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.corpus.schema import Corpus, Relation
from cytomol.errors import ConfigError
from cytomol.training.dataset.relation_targets import MOLECULES_PER_GENE, relation_targets

MOLECULES, GENES = 40, 6


def corpus(pairs: np.ndarray, ends: str = "molecule-gene") -> Corpus:
    left, right = ends.split("-")
    source, target = (
        (pairs.T if left == "molecule" else pairs.T[::-1]) if len(pairs) else np.zeros((2, 0), int)
    )
    weight = np.ones(len(pairs), dtype=np.float32)
    same = Relation("like", "molecule", "molecule", np.array([0]), np.array([1]), np.ones(1, np.float32))
    return Corpus(
        molecules=pd.DataFrame({"mol_id": [f"m{i}" for i in range(MOLECULES)], "smiles": ["C"] * MOLECULES}),
        genes=pd.DataFrame({"gene_id": [f"g{i}" for i in range(GENES)]}),
        modalities={},
        relations={
            "targets": Relation("targets", left, right, source, target, weight),  # type: ignore[arg-type]
            "like": same,
        },
    )


def draw(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return links (gene 0 often, the last ones rarely, some of them twice), valid and held molecules."""
    rng = np.random.default_rng(seed)
    shares = np.linspace(0.8, 0.05, GENES)
    pairs = np.argwhere(rng.random((MOLECULES, GENES)) < shares)
    pairs = np.concatenate([pairs, pairs[::5]])
    return rng.permutation(pairs), rng.random(MOLECULES) < 0.9, rng.random(MOLECULES) < 0.2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("ends", ["molecule-gene", "gene-molecule"])
def test_bits_are_the_links_to_genes_with_enough_molecules(ends: str, seed: int) -> None:
    pairs, valid, held = draw(seed)
    found = relation_targets(corpus(pairs, ends), ("targets",), valid, held)["targets"]
    links = {(m, g) for m, g in pairs.tolist() if valid[m]}
    often = [g for g in range(GENES) if sum(of == g for _, of in links) >= MOLECULES_PER_GENE]
    expected = np.array([[(m, g) in links for g in often] for m in range(MOLECULES)])
    bits = np.unpackbits(found.packed, axis=1, bitorder="little")[:, : found.width]
    assert (found.first, found.width) == (0, len(often))
    np.testing.assert_array_equal(bits.astype(bool), expected)
    np.testing.assert_array_equal(found.known, expected.any(axis=1))
    np.testing.assert_array_equal(found.train, expected.any(axis=1) & ~held)


def test_held_molecules_never_train_but_validate() -> None:
    pairs, valid, held = draw(3)
    target = relation_targets(corpus(pairs), ("targets",), valid, held)["targets"]
    nodes = np.arange(MOLECULES)[:, None]
    weights = np.ones((MOLECULES, 1), dtype=np.float32)
    trained = target.sums(nodes, weights, validation=False).rows.numpy()
    checked = target.sums(nodes, weights, validation=True).rows.numpy()
    assert not held[trained].any()
    assert held[checked].any()
    assert set(trained) == set(checked[~held[checked]])


@pytest.mark.parametrize("name", ["nothing", "like"])
def test_a_name_that_is_no_relation_of_molecules_and_genes(name: str) -> None:
    pairs, valid, held = draw(0)
    message = f"no relation of molecules and genes is called '{name}'.*there are: targets"
    with pytest.raises(ConfigError, match=message):
        relation_targets(corpus(pairs), ("targets", name), valid, held)


def test_links_too_rare_to_learn_from() -> None:
    pairs = np.argwhere(np.ones((MOLECULES_PER_GENE - 1, GENES)))
    everything = np.ones(MOLECULES, dtype=bool)
    for links in (pairs, pairs[:0]):
        with pytest.raises(ConfigError, match=f"no gene is linked to {MOLECULES_PER_GENE} molecules"):
            relation_targets(corpus(links), ("targets",), everything, ~everything)


def test_without_names_there_are_none() -> None:
    everything = np.ones(MOLECULES, dtype=bool)
    assert relation_targets(corpus(draw(0)[0]), (), everything, ~everything) == {}
