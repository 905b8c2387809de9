"""Rows of whole and masked molecules."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from cytomol.chem.featurize import featurize
from cytomol.chem.occlusion.masked_molecules import MaskedMolecules
from cytomol.chem.options import FeatureOptions

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C1CC",
    "",
    "[Na+].OC(=O)c1ccccc1",
    "C",
    "C[C@H](F)/C=C/[C@@H](O)C#N",
    "[CH3:1]CO",
]
EVERYTHING = FeatureOptions(morgan_radius=2, morgan_bits=128, counts=True, descriptors=True)


@pytest.mark.parametrize("standardize", ["keep", "parent"])
def test_the_first_row_is_the_whole_molecule(standardize: str) -> None:
    options = FeatureOptions(
        morgan_radius=2, morgan_bits=128, counts=True, descriptors=True, standardize=standardize
    )
    molecules = MaskedMolecules.read(SMILES, options)
    store = molecules.store(options)
    first = store.take(molecules.offsets[:-1])
    plain = featurize(SMILES, options, workers=1, cache=None)
    assert first.errors == plain.errors
    assert first.smiles == plain.smiles
    for name in ("atoms", "atom_offsets", "edges", "edge_features", "edge_offsets"):
        np.testing.assert_array_equal(getattr(first, name), getattr(plain, name))
    for name, block in plain.blocks.items():
        np.testing.assert_array_equal(first.blocks[name], block)


def test_rows_follow_atoms_and_pieces() -> None:
    molecules = MaskedMolecules.read(SMILES, EVERYTHING)
    store = molecules.store(EVERYTHING)
    # aspirin: 13 atoms, and acetyloxy, ring, carboxyl
    assert molecules.offsets[:4].tolist() == [0, 17, 18, 19]
    assert store.atom_counts[:17].tolist() == [13, *[12] * 13, 9, 7, 10]
    assert store.errors[17] != ""
    assert molecules.molecule.tolist() == np.repeat(np.arange(7), np.diff(molecules.offsets)).tolist()
    lone = store.atom_counts[molecules.offsets[4] : molecules.offsets[5]]
    assert lone.tolist() == [1, 0, 0]  # methane; without its atom; without its piece


def test_a_masked_graph_is_the_rest_of_the_graph() -> None:
    options = FeatureOptions(morgan_bits=0, maccs=False)
    molecules = MaskedMolecules.read([SMILES[0]], options)
    store = molecules.store(options)
    whole, mol = store.take([0]), Chem.MolFromSmiles(SMILES[0])
    for atom in range(13):
        part = store.take([1 + atom])
        left = [other for other in range(13) if other != atom]
        np.testing.assert_array_equal(part.atoms, whole.atoms[left])
        bonds = {
            frozenset((left.index(bond.GetBeginAtomIdx()), left.index(bond.GetEndAtomIdx())))
            for bond in mol.GetBonds()
            if atom not in {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}
        }
        assert {frozenset(map(int, edge)) for edge in part.edges.T} == bonds
        assert part.edges.shape[1] == 2 * len(bonds)
        assert (np.diff(part.edges[1]) >= 0).all()  # still sorted by target


def test_large_molecules_are_refused_with_a_reason() -> None:
    molecules = MaskedMolecules.read(["C" * 201, "C" * 1001], EVERYTHING)
    assert molecules.errors[0].startswith("too large to be explained: more than 200 atoms")
    assert "atoms" in molecules.errors[1]
    assert molecules.store(EVERYTHING).valid.tolist() == [False, False]
