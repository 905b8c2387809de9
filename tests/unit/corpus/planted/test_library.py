"""Every fragment fits every core; molecules are distinct and tell their core by their rings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import Descriptors
from rdkit.Chem.Scaffolds import MurckoScaffold

from cytomol.corpus.planted.fragments import CORES, DECORATIONS, PHARMACOPHORES, SMALL_DECORATIONS, assemble
from cytomol.corpus.planted.library import (
    CORE_TABLE,
    FIRST_GROUPS,
    choose_cores,
    lipophilicity,
    sample_molecules,
)


@pytest.mark.parametrize("core", [core for _, core in CORE_TABLE])
def test_core_is_one_ring_system_with_three_places(core: str) -> None:
    bare = Chem.MolFromSmiles(assemble(core, "", "", ""))
    marked = Chem.MolFromSmiles(assemble(core, "F", "Cl", "Br"))
    assert {"F", "Cl", "Br"} <= {atom.GetSymbol() for atom in marked.GetAtoms()}
    assert marked.GetNumAtoms() == bare.GetNumAtoms() + 3
    rings = [set(ring) for ring in bare.GetRingInfo().AtomRings()]
    joined = rings.pop()
    while rings:
        touching = next(ring for ring in rings if ring & joined)  # StopIteration: a second ring system
        rings.remove(touching)
        joined |= touching


def test_cores_are_distinct() -> None:
    scaffolds = {MurckoScaffold.MurckoScaffoldSmiles(assemble(core, "", "", "")) for _, core in CORE_TABLE}
    assert len(scaffolds) == len(CORE_TABLE) == 7 * len(CORES)


def test_fragments_hold_no_fused_ring() -> None:
    for fragment in [*DECORATIONS, *SMALL_DECORATIONS, *(group.smiles for group in FIRST_GROUPS)]:
        mol = Chem.MolFromSmiles(fragment)
        assert mol is not None, fragment
        assert mol.GetRingInfo().NumRings() <= 1, fragment


def test_look_alikes_are_close_and_not_forms() -> None:
    forms = {Chem.CanonSmiles(f"*{form}") for one in PHARMACOPHORES for form, _ in one.forms}
    others = {Chem.CanonSmiles(f"*{like}") for one in PHARMACOPHORES for _, like in one.forms}
    others |= {Chem.CanonSmiles(f"*{fragment}") for fragment in DECORATIONS}
    assert not forms & others
    for one in PHARMACOPHORES:
        for form, like in one.forms:
            sizes = [Chem.MolFromSmiles(fragment).GetNumHeavyAtoms() for fragment in (form, like)]
            assert abs(sizes[0] - sizes[1]) <= 3


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_combination_parses(data: st.DataObject) -> None:
    core = data.draw(st.sampled_from(CORE_TABLE))[1]
    first = data.draw(st.sampled_from(FIRST_GROUPS)).smiles
    second, third = data.draw(st.sampled_from(DECORATIONS)), data.draw(st.sampled_from(SMALL_DECORATIONS))
    mol = Chem.MolFromSmiles(assemble(core, first, second, third))
    assert mol is not None
    parts = sum(Chem.MolFromSmiles(one).GetNumHeavyAtoms() for one in (first, second, third) if one)
    assert mol.GetNumHeavyAtoms() == parts + Chem.MolFromSmiles(assemble(core, "", "", "")).GetNumHeavyAtoms()


def test_molecules_are_distinct_canonical_and_drug_like() -> None:
    drawn = sample_molecules(600, np.random.default_rng(0))
    assert drawn["smiles"].is_unique
    assert all(Chem.CanonSmiles(smiles) == smiles for smiles in drawn["smiles"])
    weights = [Descriptors.MolWt(Chem.MolFromSmiles(smiles)) for smiles in drawn["smiles"]]
    assert np.mean(np.array(weights) < 550) > 0.95
    assert 250 < np.median(weights) < 450


def test_molecules_are_what_their_recipe_says() -> None:
    drawn = sample_molecules(200, np.random.default_rng(1))
    for row in drawn.itertuples():
        group = FIRST_GROUPS[row.first]
        raw = assemble(
            CORE_TABLE[row.core][1], group.smiles, DECORATIONS[row.second], SMALL_DECORATIONS[row.third]
        )
        assert Chem.CanonSmiles(raw) == row.smiles
        assert (row.pharmacophore, row.binds) == (group.pharmacophore, group.binds)
        expected = sum(
            map(lipophilicity, (group.smiles, DECORATIONS[row.second], SMALL_DECORATIONS[row.third]))
        )
        assert row.lipophilicity == pytest.approx(expected, abs=1e-5)


def test_no_scaffold_belongs_to_two_cores() -> None:
    drawn = sample_molecules(1500, np.random.default_rng(2))
    scaffolds = drawn["smiles"].map(MurckoScaffold.MurckoScaffoldSmiles)
    assert (drawn.groupby(scaffolds)["core"].nunique() == 1).all()


@pytest.mark.parametrize(("size", "count"), [(200, 16), (5_000, 32), (1_000_000, 56)])
def test_larger_libraries_have_more_cores(size: int, count: int) -> None:
    cores = choose_cores(size, np.random.default_rng(0))
    assert len(np.unique(cores)) == count
    chemotypes = [CORE_TABLE[core][0] for core in cores]
    assert {chemotypes.count(name) for name in CORES} == {count // len(CORES)}


def test_same_seed_same_molecules() -> None:
    first, second, other = (sample_molecules(300, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.equals(second)
    assert set(first["smiles"]) != set(other["smiles"])
