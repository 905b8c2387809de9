"""QED, fragment counts and the spacial score with searches shared and screened.

The definitions (patterns, weights, terms) are RDKit's: ``QED``, ``Fragments`` and ``SpacialScore``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rdkit import Chem
from rdkit.Chem import QED, Fragments, rdMolDescriptors, rdmolops

from cytomol.chem.descriptor_parts.atom_table import AtomTable
from cytomol.chem.descriptor_parts.substructure_screen import SubstructureScreen

__all__ = ["Searches", "fragment_patterns", "qed", "spacial_score", "strict_is_usual"]

_qed: Any = QED
_chem: Any = Chem
_STRICT = rdMolDescriptors.NumRotatableBondsOptions.Strict
_WEIGHT = {Chem.HybridizationType.SP: 1, Chem.HybridizationType.SP2: 2, Chem.HybridizationType.SP3: 3}


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
        possible = _screen().possible(mol, table)
        fragments, acceptors = len(fragment_patterns()), len(_qed.Acceptors)
        self._fragments = possible[:fragments]
        self._acceptors = possible[fragments : fragments + acceptors]
        self._alerts = possible[fragments + acceptors :]

    def fragments(self) -> dict[str, float]:
        """Return the fragment counts by descriptor."""
        mol = self._mol
        return {
            name: len(mol.GetSubstructMatches(pattern, uniquify=True)) if maybe else 0
            for (name, pattern), maybe in zip(fragment_patterns().items(), self._fragments, strict=True)
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


def qed(mol: Chem.Mol, searches: Searches, logp: float, rotatable: int) -> float:
    """Return QED from properties that are known already. Hydrogens must not be atoms."""
    aromatic = Chem.DeleteSubstructs(Chem.Mol(mol), _qed.AliphaticRings)
    properties = _qed.QEDproperties(
        MW=rdMolDescriptors._CalcMolWt(mol),
        ALOGP=logp,
        HBA=searches.acceptors(),
        HBD=rdMolDescriptors.CalcNumHBD(mol),
        PSA=rdMolDescriptors.CalcTPSA(mol),
        ROTB=rotatable,
        AROM=len(Chem.GetSSSR(aromatic)),
        ALERTS=searches.alerts(),
    )
    return float(_qed.qed(mol, qedProperties=properties))


def spacial_score(mol: Chem.Mol, table: AtomTable) -> float:
    """Return the spacial score by heavy atom (Krzyzanowski et al., J. Med. Chem. 2023)."""
    own = Chem.Mol(mol)
    rdmolops.FindPotentialStereoBonds(own)
    centres = _chem.FindMolChiralCenters(
        own, includeUnassigned=True, includeCIP=False, useLegacyImplementation=False
    )
    stereo = {atom for atom, _ in centres}
    for k, ends in enumerate(table.ends):
        bond = own.GetBondWithIdx(k)
        if bond.GetBondType() == Chem.BondType.DOUBLE and bond.GetStereo() != Chem.BondStereo.STEREONONE:
            stereo.update(ends)
    score = 0
    for i, (atom, degree) in enumerate(zip(table.atoms, table.degrees, strict=True)):
        ring = 2 if not table.aromatic[i] and atom.IsInRing() else 1
        score += _WEIGHT.get(atom.GetHybridization(), 4) * (1 + (i in stereo)) * ring * degree**2
    return score / own.GetNumHeavyAtoms()
