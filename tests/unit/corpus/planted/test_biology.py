"""The tree of mechanisms nests, and structure leads to its leaves by the rule that is written down."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.corpus.planted.biology import (
    DEPTH,
    RESPONSE_WIDTH,
    Biology,
    molecule_biology,
    path_bits,
    plant_biology,
)
from cytomol.corpus.planted.library import CORE_TABLE, sample_molecules
from cytomol.corpus.planted.pathways import plant_genes


@pytest.fixture(scope="module")
def biology() -> Biology:
    return plant_biology(np.arange(len(CORE_TABLE)), np.random.default_rng(0))


def test_path_bits_spell_the_leaf() -> None:
    leaves = np.arange(2**DEPTH)
    spelled = [int("".join(map(str, bits)), 2) for bits in path_bits(leaves)]
    assert spelled == leaves.tolist()


def test_every_leaf_has_one_rule(biology: Biology) -> None:
    assert sorted(biology.leaf_of.ravel()) == list(range(2**DEPTH))
    for row in biology.targets.itertuples():
        assert biology.leaf_of[row.core_class, row.pharmacophore] == row.target
        assert row.path == f"{row.target:05b}"
        assert row.path.startswith(f"{row.mechanism:04b}")
        assert row.path.startswith(f"{row.family:02b}")


def test_neither_core_nor_pharmacophore_tells_the_family(biology: Biology) -> None:
    targets = biology.targets
    assert (targets.groupby("core_class")["family"].nunique() == 2).all()
    assert (targets.groupby("pharmacophore")["family"].nunique() == 4).all()
    assert (targets.groupby("family")["pharmacophore"].nunique() == 4).all()


def test_responses_nest(biology: Biology) -> None:
    """On average, the deeper two paths part, the closer the responses."""
    response = biology.leaf_response
    distance = np.linalg.norm(response[:, None] - response[None], axis=2)
    leaves = np.arange(len(response))
    parted = np.array([[int(a ^ b).bit_length() for b in leaves] for a in leaves])  # 0 same, 5 at the root
    means = [distance[parted == level].mean() for level in range(DEPTH + 1)]
    assert means[0] == 0
    assert np.all(np.diff(means) > 0)


def test_most_core_classes_follow_a_hint_only(biology: Biology) -> None:
    chemotypes = np.array([name for name, _ in CORE_TABLE])
    share = [np.bincount(biology.core_class[chemotypes == name]).max() / 7 for name in set(chemotypes)]
    assert 4 / 7 <= np.mean(share) < 0.9
    assert np.bincount(biology.core_class).tolist() == [7] * 8


def test_molecules_follow_the_rule(biology: Biology) -> None:
    drawn = sample_molecules(1000, np.random.default_rng(0))
    table, response = molecule_biology(drawn, biology, np.random.default_rng(1))
    binds = drawn["binds"].to_numpy()
    for row, molecule in zip(table.itertuples(), drawn.itertuples(), strict=True):
        if not molecule.binds:
            assert (row.target, row.mechanism, row.family, row.path, row.efficacy) == (-1, -1, -1, "", 0)
        elif row.explained:
            expected = biology.leaf_of[biology.core_class[molecule.core], molecule.pharmacophore]
            assert (row.target, row.path) == (expected, f"{expected:05b}")
            assert (row.mechanism, row.family) == (expected >> 1, expected >> 3)
    assert 0.005 < 1 - table["explained"][binds].mean() < 0.06
    assert response.shape == (1000, RESPONSE_WIDTH)
    # but for what belongs to the molecule alone, the response is efficacy times the leaf's
    efficacy = table["efficacy"].to_numpy()[:, None]
    rest = response - efficacy * biology.leaf_response[table["target"]]
    assert rest[:, :-1].std() == pytest.approx(0.12, rel=0.05)
    assert np.all(table["efficacy"][binds] > 0.3)


def test_look_alikes_are_cliffs(biology: Biology) -> None:
    drawn = sample_molecules(1000, np.random.default_rng(0))
    _, response = molecule_biology(drawn, biology, np.random.default_rng(1))
    size = np.linalg.norm(response[:, :-1], axis=1)
    binds = drawn["binds"].to_numpy()
    assert np.median(size[binds]) > 3 * np.median(size[~binds])


def test_genes(biology: Biology) -> None:
    genes, response = plant_genes(300, biology, np.random.default_rng(2))
    assert genes["gene_id"].is_unique
    assert (genes["target"].value_counts().drop(-1) == 2).all()
    targets = genes["role"] == "target"
    assert (genes["mechanism"][targets] == genes["target"][targets] // 2).all()
    known = genes["family"] >= 0
    assert (genes["family"][known] == genes["mechanism"][known] // 4).all()
    for gene in np.flatnonzero(targets):
        cosine = np.corrcoef(response[gene], biology.leaf_response[genes["target"][gene]])[0, 1]
        assert cosine > 0.9
    bystanders = (genes["role"] == "bystander").to_numpy()
    assert np.linalg.norm(response[bystanders], axis=1).max() < 1
