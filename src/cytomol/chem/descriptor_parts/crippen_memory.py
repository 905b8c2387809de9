"""Crippen's contributions of atoms, remembered by their surroundings.

The type of an atom (Wildman and Crippen, JCICS 39, 868, 1999) rests on the atom and the kinds of its
neighbours (element, charge, aromatic), that of oxygen and of its hydrogens on the same of the neighbours too.
What RDKit said of such surroundings once it says again, so it is asked only for molecules with new ones.
Whether its patterns reach no further is looked up in RDKit's table; where they do, or a hydrogen is an atom,
nothing is remembered.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from rdkit import Chem, RDConfig
from rdkit.Chem import rdMolDescriptors

from cytomol.chem.descriptor_parts.atom_table import AtomTable
from cytomol.chem.descriptor_parts.substructure_screen import KIND_QUERIES

__all__ = ["contributions"]

Pair = tuple[float, float]
_MOST = 200_000  # remembered surroundings
_OXYGEN = 8
_known: dict[Any, tuple[Pair, Pair, Pair]] = {}  # without hydrogens; with; of one hydrogen


def contributions(mol: Chem.Mol, table: AtomTable) -> tuple[float, float, list[Pair]]:
    """Return MolLogP, MolMR, and each atom's pair of contributions in the molecule as it is.

    Examples
    --------
    >>> from rdkit import Chem
    >>> mol = Chem.MolFromSmiles("CO")
    >>> round(contributions(mol, AtomTable.of(mol))[0], 4)
    -0.3915
    """
    if 1 in table.numbers or not _near_sighted():
        logp, refraction = rdMolDescriptors.CalcCrippenDescriptors(mol)
        return logp, refraction, rdMolDescriptors._CalcCrippenContribs(mol)
    keys = _surroundings(table)
    if not all(key in _known for key in keys):
        _learn(mol, table, keys)
    found = [_known[key] for key in keys]
    logp = refraction = 0.0
    for _, (one, other), _ in found:
        logp += one
        refraction += other
    for (_, _, (one, other)), hydrogens in zip(found, table.hydrogens, strict=True):
        for _ in range(hydrogens):
            logp += one
            refraction += other
    return logp, refraction, [bare for bare, _, _ in found]


def _surroundings(table: AtomTable) -> list[Any]:
    """Return what the type of each atom rests on."""
    atoms = list(
        zip(table.numbers, table.hydrogens, table.charges, table.degrees, table.aromatic, strict=True)
    )
    kinds = list(zip(table.numbers, table.charges, table.aromatic, strict=True))
    near = table.neighbours
    first: list[Any] = [
        (atom, *sorted([(order, kinds[b]) for order, b in beside]))
        for atom, beside in zip(atoms, near, strict=True)
    ]
    return [
        (own, *sorted([(order, atoms[b], first[b]) for order, b in beside])) if number == _OXYGEN else own
        for number, own, beside in zip(table.numbers, first, near, strict=True)
    ]


def _learn(mol: Chem.Mol, table: AtomTable, keys: list[Any]) -> None:
    """Ask RDKit for the contributions in the molecule without and with hydrogens."""
    if len(_known) > _MOST:
        _known.clear()
    bare = rdMolDescriptors._CalcCrippenContribs(mol)
    full = rdMolDescriptors._CalcCrippenContribs(Chem.AddHs(mol))
    place = len(keys)  # hydrogens follow, in the order of their atoms
    for i, (key, hydrogens) in enumerate(zip(keys, table.hydrogens, strict=True)):
        _known[key] = (bare[i], full[i], full[place] if hydrogens else (0.0, 0.0))
        place += hydrogens


@cache
def _near_sighted() -> bool:
    """Return whether no pattern of RDKit's table reaches further than the surroundings kept here."""
    path = Path(RDConfig.RDDataDir) / "Crippen.txt"
    if not path.is_file():
        return False
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if line.startswith("#") or len(fields) < 4 or not fields[0] or fields[1] == "SMARTS":
            continue
        pattern = Chem.MolFromSmarts(fields[1])
        if pattern is None or pattern.GetNumBonds() != pattern.GetNumAtoms() - 1 or "$" in fields[1]:
            return False
        allowed = {"O": 2, "H": 3 if fields[1].startswith("[#1]O") else 1}.get(fields[0][0], 1)
        reach = max(Chem.GetDistanceMatrix(pattern)[0])
        branches = pattern.GetAtomWithIdx(0).GetDegree()
        if (
            reach > allowed
            or (reach > 1 and branches > 1)
            or not _plain_ends(pattern, fields[0][0], fields[1])
        ):
            return False
    return True


def _plain_ends(pattern: Chem.Mol, kind: str, smarts: str) -> bool:
    """Return whether the farther atoms of a pattern are asked for their kind alone."""
    full = {"O": 1, "H": 2 if smarts.startswith("[#1]O") else 1}.get(kind, 0)
    distances = Chem.GetDistanceMatrix(pattern)[0]
    return all(
        {line.split()[0] for line in atom.DescribeQuery().splitlines()} <= KIND_QUERIES
        for atom, distance in zip(pattern.GetAtoms(), distances, strict=True)
        if distance > full
    )
