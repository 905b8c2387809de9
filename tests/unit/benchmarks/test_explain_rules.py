"""Atoms of planted binding groups, on molecules put together here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmarks.cells.explain import atom_auc
from benchmarks.cells.explain_rules import baselines, pattern_rules, pharmacophore_atoms, planted_rules
from rdkit import Chem

from cytomol.corpus.planted.fragments import CORES, PHARMACOPHORES, Pharmacophore, assemble


@pytest.mark.parametrize("group", PHARMACOPHORES, ids=lambda group: group.name)
def test_the_binding_group_is_found_at_every_core(group: Pharmacophore) -> None:
    for cores in CORES.values():
        for core in cores:
            for form, _ in group.forms:
                # the group's atoms are those that carry an isotope
                mol = Chem.MolFromSmiles(assemble(core, _marked(form), "Cc5ccccc5", "F"))
                truth = np.array([atom.GetIsotope() == 99 for atom in mol.GetAtoms()])
                for atom in mol.GetAtoms():
                    atom.SetIsotope(0)
                plain = Chem.MolToSmiles(mol, canonical=False)
                again = Chem.MolFromSmiles(plain)
                order = again.GetSubstructMatch(mol)
                expected = np.zeros(len(truth), bool)
                expected[[order[atom] for atom in np.flatnonzero(truth)]] = True
                found = pharmacophore_atoms(plain, core, group.name)
                assert found.sum() == expected.sum(), (core, form)
                assert (found == expected).mean() > 0.8, (core, form)


def _marked(form: str) -> str:
    """Write each atom of a fragment with isotope 99, hydrogens as they were; rings get the digit 9."""
    mol = Chem.MolFromSmiles("*" + form)
    text = Chem.MolToSmiles(mol, canonical=False, rootedAtAtom=0, allHsExplicit=True)
    return text.removeprefix("[*]").replace("[", "[99").replace("]1", "]9")


def test_molecules_without_the_group_have_no_atoms() -> None:
    truth = pd.DataFrame(
        {"core": ["c1{0}nc2cc{1}c{2}cc2o1"] * 2, "pharmacophore": ["acid"] * 2, "binds": [True, False]}
    )
    rules = planted_rules(["OC(=O)c1nc2cc(F)ccc2o1", "COC(=O)c1nc2cc(F)ccc2o1"], truth)
    assert rules.atoms["acid"][0].tolist() == [True] * 3 + [False] * 10
    assert not rules.atoms["acid"][1].any()
    assert rules.labels.tolist() == [[1, 0, 0, 0, 1], [0, 0, 0, 0, 1]]


def test_patterns_and_scores_of_atoms() -> None:
    rules = pattern_rules(["N#Cc1ccccc1", "CC"])
    assert rules.atoms["nitrile"][0].tolist() == [True, True] + [False] * 6
    assert rules.labels.tolist() == [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    known = baselines("N#Cc1ccccc1", np.random.default_rng(0))
    assert known["degree"][:3].tolist() == [1, 2, 3]
    assert known["heteroatom"].sum() == 1
    truth = np.array([True, False, False])
    assert atom_auc(truth, np.array([1.0, 1.0, 0.0])) == 0.75  # a tie is half
    assert np.isnan(atom_auc(np.ones(3, bool), np.zeros(3)))
