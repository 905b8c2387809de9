"""Rules whose atoms are known: what was planted, and what a pattern finds in real molecules."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem

from cytomol.corpus.planted.fragments import PHARMACOPHORES, assemble

__all__ = [
    "PATTERNS",
    "Rules",
    "baselines",
    "pattern_rules",
    "pharmacophore_atoms",
    "planted_atoms",
    "planted_rules",
]

PATTERNS = {
    "carboxylic acid": "C(=O)[OX2H1]",
    "sulfonamide": "S(=O)(=O)[NX3]",
    "nitrile": "C#N",
    "halogen on an aromatic ring": "[F,Cl,Br,I;$(*c)]",
    "piperazine": "N1CCNCC1",
}
"""Rules of real molecules: name -> SMARTS."""

_HALOGEN = Chem.MolFromSmarts("[F,Cl,Br,I]")
_ATOM = re.compile(r"\[[^\]]+\]|Br|Cl|[BCNOSPFIbcnosp]")


@dataclass(frozen=True)
class Rules:
    """Labels that follow from the structure, and the atoms that they follow from.

    Attributes
    ----------
    smiles
        Molecules, length n.
    atoms
        Rule -> which atoms of each molecule fulfil it, bool, shape (atoms,); none where it does not hold.
    """

    smiles: list[str]
    atoms: dict[str, list[NDArray[np.bool_]]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The rules."""
        return list(self.atoms)

    @property
    def labels(self) -> NDArray[np.float64]:
        """Whether each molecule fulfils each rule, 0 or 1, shape (n, rules)."""
        return np.array([[float(mask.any()) for mask in self.atoms[name]] for name in self.names]).T


def pharmacophore_atoms(smiles: str, core: str, pharmacophore: str) -> NDArray[np.bool_]:
    """Return which atoms of a planted molecule are its binding group, bool, shape (atoms,).

    The group stands at the first place of the core; of the forms that fit there, the largest is it.
    """
    return planted_atoms(smiles, core, pharmacophore)[0]


def planted_atoms(smiles: str, core: str, pharmacophore: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which atoms are the binding group, and which the core; all others are decoration."""
    mol = Chem.MolFromSmiles(smiles)
    group, rest = np.zeros(mol.GetNumAtoms(), bool), np.zeros(mol.GetNumAtoms(), bool)
    before = len(_ATOM.findall(re.sub(r"\{\d\}", "", core.split("{0}", maxsplit=1)[0])))
    for form, size in _forms(pharmacophore):
        match = mol.GetSubstructMatch(_query(core, form))
        if match:
            of_group = set(match[before : before + size])
            group[list(of_group)] = True
            rest[[atom for atom in match if atom not in of_group]] = True
            break
    return group, rest


def _forms(pharmacophore: str) -> list[tuple[str, int]]:
    """Return the binding forms of a group with their sizes, the largest first."""
    forms = [form for group in PHARMACOPHORES if group.name == pharmacophore for form, _ in group.forms]
    return sorted(((form, len(_ATOM.findall(form))) for form in forms), key=lambda one: -one[1])


@cache
def _query(core: str, form: str) -> Chem.Mol:
    return Chem.MolFromSmiles(assemble(core, form, "", ""))


def planted_rules(smiles: list[str], truth: pd.DataFrame) -> Rules:
    """Return the planted binding groups, one rule each, and halogens.

    Parameters
    ----------
    smiles
        Molecules, length n.
    truth
        Rows of the planted truth of the molecules, length n.
    """
    masks = _masks(smiles, _HALOGEN)
    empty = [np.zeros_like(mask) for mask in masks]
    rules = Rules(smiles, {group.name: list(empty) for group in PHARMACOPHORES} | {"halogen": masks})
    columns = zip(truth["core"], truth["pharmacophore"], truth["binds"], strict=True)
    for row, (core, pharmacophore, binds) in enumerate(columns):
        if binds:
            rules.atoms[pharmacophore][row] = pharmacophore_atoms(smiles[row], core, pharmacophore)
    return rules


def pattern_rules(smiles: list[str]) -> Rules:
    """Return what patterns find in molecules."""
    return Rules(
        smiles, {name: _masks(smiles, Chem.MolFromSmarts(smarts)) for name, smarts in PATTERNS.items()}
    )


def baselines(smiles: str, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Return scores of atoms that know nothing of a model: chance, heavy neighbours, being no carbon."""
    mol = Chem.MolFromSmiles(smiles)
    score: dict[str, Callable[[Chem.Atom], float]] = {
        "degree": lambda atom: float(atom.GetDegree()),
        "heteroatom": lambda atom: float(atom.GetAtomicNum() != 6),
    }
    found = {name: np.array([of_atom(atom) for atom in mol.GetAtoms()]) for name, of_atom in score.items()}
    return {"random": rng.random(mol.GetNumAtoms()), **found}


def _masks(smiles: list[str], pattern: Chem.Mol) -> list[NDArray[np.bool_]]:
    masks = []
    for text in smiles:
        mol = Chem.MolFromSmiles(text)
        mask = np.zeros(mol.GetNumAtoms(), bool)
        for match in mol.GetSubstructMatches(pattern):
            mask[list(match)] = True
        masks.append(mask)
    return masks
