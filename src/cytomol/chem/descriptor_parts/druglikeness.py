"""QED and the fragment counts with searches shared and screened.

The definitions (patterns, weights, terms) are RDKit's: ``QED`` and ``Fragments``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rdkit import Chem
from rdkit.Chem import QED, Fragments, rdMolDescriptors

from cytomol.chem.descriptor_parts.atom_table import AROMATIC, SINGLE, AtomTable
from cytomol.chem.descriptor_parts.substructure_screen import SubstructureScreen

__all__ = ["Searches", "aromatic_rings", "fragment_patterns", "qed", "strict_is_usual"]

_qed: Any = QED
_STRICT = rdMolDescriptors.NumRotatableBondsOptions.Strict
_ALIPHATIC_RINGS = "[$([A&R][!a])]"
_FEW_RINGS = 8  # in a molecule of so many RDKit's search finds as many as there are


@cache
def fragment_patterns() -> dict[str, Chem.Mol]:
    """Return RDKit's patterns of the fragment counts by descriptor."""
    found = {}
    for name, function in Fragments.fns:
        defaults = getattr(function, "__defaults__", None)
        if defaults and len(defaults) == 2 and defaults[0] is True and isinstance(defaults[1], Chem.Mol):
            found[name] = defaults[1]
    return found


@cache
def _screen() -> SubstructureScreen:
    return SubstructureScreen([*fragment_patterns().values(), *_qed.Acceptors, *_qed.StructuralAlerts])


class Searches:
    """Counts of fragments, acceptors and alerts of a molecule; only what passes the screen is searched."""

    def __init__(self, mol: Chem.Mol, table: AtomTable) -> None:
        self._mol = mol
        possible, self._counts = _screen().look(mol, table)
        fragments, acceptors = len(fragment_patterns()), len(_qed.Acceptors)
        self._fragments = possible[:fragments]
        self._acceptors = possible[fragments : fragments + acceptors]
        self._alerts = possible[fragments + acceptors :]

    def fragments(self) -> dict[str, float]:
        """Return the fragment counts by descriptor."""
        mol, counts = self._mol, self._counts
        return {
            name: (counts[i] if i in counts else len(mol.GetSubstructMatches(pattern, uniquify=True)))
            if self._fragments[i]
            else 0
            for i, (name, pattern) in enumerate(fragment_patterns().items())
        }

    def acceptors(self) -> int:
        """Return QED's number of hydrogen bond acceptors."""
        mol = self._mol
        return sum(
            len(mol.GetSubstructMatches(pattern))
            for pattern, maybe in zip(_qed.Acceptors, self._acceptors, strict=True)
            if maybe
        )

    def alerts(self) -> int:
        """Return QED's number of structural alerts."""
        mol = self._mol
        return sum(
            mol.HasSubstructMatch(pattern)
            for pattern, maybe in zip(_qed.StructuralAlerts, self._alerts, strict=True)
            if maybe
        )


@cache
def strict_is_usual() -> bool:
    """Return whether this RDKit's usual definition of rotatable bonds is the strict one, which QED uses."""
    count, kinds = rdMolDescriptors.CalcNumRotatableBonds, rdMolDescriptors.NumRotatableBondsOptions
    probes = [
        Chem.MolFromSmiles(smiles)
        for smiles in ("CC(=O)NC", "O=C(Nc1ccccc1)c1ccccc1", "c1ccccc1C#Cc1ccccc1CC#CCC")
    ]

    def counts(kind: Any) -> list[int]:
        return [count(mol, kind) for mol in probes]

    others = (kinds.NonStrict, kinds.StrictLinkages)
    usual = [count(mol) for mol in probes]
    return usual == counts(_STRICT) and all(usual != counts(other) for other in others)


def qed(mol: Chem.Mol, table: AtomTable, searches: Searches, logp: float, rotatable: int) -> float:
    """Return QED from properties that are known already. Hydrogens must not be atoms."""
    properties = _qed.QEDproperties(
        MW=rdMolDescriptors._CalcMolWt(mol),
        ALOGP=logp,
        HBA=searches.acceptors(),
        HBD=rdMolDescriptors.CalcNumHBD(mol),
        PSA=rdMolDescriptors.CalcTPSA(mol),
        ROTB=rotatable,
        AROM=aromatic_rings(mol, table),
        ALERTS=searches.alerts(),
    )
    return float(_qed.qed(mol, qedProperties=properties))


def aromatic_rings(mol: Chem.Mol, table: AtomTable) -> int:
    """Return QED's number of aromatic rings: those left without the aliphatic atoms of rings.

    QED deletes the ring atoms that are not aromatic and have a neighbour that is not, and looks for rings in
    what is left. Of few rings there are as many as bonds more than a tree of the atoms would have.

    Examples
    --------
    >>> from rdkit import Chem
    >>> mol = Chem.MolFromSmiles("C1CCc2ccccc2C1")
    >>> aromatic_rings(mol, AtomTable.of(mol))
    1
    """
    if table.plain and _aliphatic_rings_are_usual():
        count = _rings_left(table)
        if count <= _FEW_RINGS:
            return count
    return len(Chem.GetSSSR(Chem.DeleteSubstructs(Chem.Mol(mol), _qed.AliphaticRings)))


@cache
def _aliphatic_rings_are_usual() -> bool:
    return bool(Chem.MolToSmarts(_qed.AliphaticRings) == _ALIPHATIC_RINGS)


def _rings_left(table: AtomTable) -> int:
    """Return the number of independent rings that pass no aliphatic ring atom beside another such atom."""
    deleted = {
        atom
        for atom, (rings, aromatic) in enumerate(zip(table.rings, table.aromatic, strict=True))
        if rings
        and not aromatic
        and any(not table.aromatic[b] and order in {SINGLE, AROMATIC} for order, b in table.neighbours[atom])
    }
    root = list(range(len(table.numbers)))
    rings = 0
    for (a, b), in_ring in zip(table.ends, table.in_ring, strict=True):
        if not in_ring or a in deleted or b in deleted:
            continue
        one, other = _root_of(root, a), _root_of(root, b)
        if one == other:
            rings += 1
        root[one] = other
    return rings


def _root_of(root: list[int], atom: int) -> int:
    while root[atom] != atom:
        root[atom] = root[root[atom]]
        atom = root[atom]
    return atom
