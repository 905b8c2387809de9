"""A cheap necessary condition for a substructure, so that most searches need not be done.

Every atom has a signature: all that the simple atom queries of SMARTS look at. Whether an atom of a signature
meets a query, and a bond between two signatures a bond of a pattern, is asked of RDKit once and remembered. A
pattern whose atoms or bonds are not all met somewhere in a molecule cannot be part of it. Queries that look
at more than the signature (recursive ones, ring sizes) count as met, so no match is ever lost; of an atom
that is a choice of recursive queries, one of these must pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rdkit import Chem

from cytomol.chem.descriptor_parts.atom_table import AtomTable

__all__ = ["KIND_QUERIES", "SubstructureScreen"]

KIND_QUERIES = frozenset(
    {
        *("AtomAnd", "AtomOr", "AtomNull", "AtomAtomicNum", "AtomType", "AtomFormalCharge"),
        *("AtomAliphatic", "AtomAromatic", "AtomIsAliphatic", "AtomIsAromatic", "AtomNegativeFormalCharge"),
    }
)
"""Atom queries that look at element, charge and aromaticity alone, by RDKit's name."""

# Atom queries that the signature decides; everything else counts as met.
_ATOM_QUERIES = {
    *KIND_QUERIES,
    "AtomHCount",
    "AtomExplicitDegree",
    "AtomTotalDegree",
    "AtomInRing",
    "AtomTotalValence",
    "AtomIsotope",
    "AtomInNRings",
}
_BOND_QUERIES = {
    "BondOr",
    "BondAnd",
    "BondOrder",
    "BondNull",
    "BondInRing",
    "SingleOrAromaticBond",
    "DoubleOrAromaticBond",
}
_MOST = 200_000  # remembered answers
Signature = tuple[int, ...]


class SubstructureScreen:
    """Tells which of some patterns a molecule may contain.

    Parameters
    ----------
    patterns
        Query molecules from SMARTS.

    Examples
    --------
    >>> from rdkit import Chem
    >>> screen = SubstructureScreen([Chem.MolFromSmarts("C=O"), Chem.MolFromSmarts("C#N")])
    >>> mol = Chem.MolFromSmiles("CC=O")
    >>> screen.possible(mol, AtomTable.of(mol))
    [True, False]
    """

    def __init__(self, patterns: Sequence[Chem.Mol]) -> None:
        self._atoms: list[tuple[int, Any]] = []  # bit, query
        self._bonds: list[tuple[int, int, int, Any]] = []  # bit, bits of the ends, query
        self._known: dict[str, int] = {}
        self._bits = 0
        self._kept: list[Chem.Mol] = []  # patterns whose atoms and bonds are asked later
        self._of_signature: dict[Signature, int] = {}
        self._of_bond: dict[tuple[Signature, Signature, int, bool], int] = {}
        self._first = [self._need(pattern) for pattern in patterns]
        self._further = [(i, groups) for i, p in enumerate(patterns) if (groups := self._choices(p))]

    def possible(self, mol: Chem.Mol, table: AtomTable) -> list[bool]:
        """Return, for every pattern, False where it cannot be a substructure."""
        if len(self._of_signature) + len(self._of_bond) > _MOST:
            self._of_signature.clear()
            self._of_bond.clear()
        signatures = _signatures(mol, table)
        met = 0
        for signature, atom in dict(zip(signatures, table.atoms, strict=True)).items():
            mask = self._of_signature.get(signature)
            if mask is None:
                mask = self._of_signature[signature] = self._atom_mask(atom)
            met |= mask
        keys = {}
        for bond, order, (a, b) in zip(table.bonds, table.orders, table.ends, strict=True):
            keys[signatures[a], signatures[b], order, bond.IsInRing()] = bond
        for key, bond in keys.items():
            mask = self._of_bond.get(key)
            if mask is None:
                mask = self._of_bond[key] = self._bond_mask(key, bond)
            met |= mask
        possible = [need & met == need for need in self._first]
        for i, groups in self._further:
            if possible[i]:
                possible[i] = all(any(need & met == need for need in group) for group in groups)
        return possible

    def _choices(self, pattern: Chem.Mol) -> list[list[int]]:
        """Return a group of sets of bits, of which one must be met, for each choice of recursive queries."""
        groups = []
        for atom in pattern.GetAtoms():
            for choice in _recursive_choices(atom.GetSmarts()):
                parts = [Chem.MolFromSmarts(smarts) for smarts in choice]
                if all(part is not None for part in parts):
                    groups.append([self._need(part) for part in parts])
        return groups

    def _need(self, pattern: Chem.Mol) -> int:
        need, bits = 0, []
        for atom in pattern.GetAtoms():
            bits.append(self._bit("atom " + atom.DescribeQuery(), atom, self._atoms, _ATOM_QUERIES))
            need |= bits[-1]
        for bond in pattern.GetBonds():
            first, second = bits[bond.GetBeginAtomIdx()], bits[bond.GetEndAtomIdx()]
            if _names(bond.DescribeQuery()) <= _BOND_QUERIES:
                text = f"bond {first} {second} {bond.DescribeQuery()}"
                if text not in self._known:
                    self._known[text] = self._next()
                    self._bonds.append((self._known[text], first, second, bond))
                need |= self._known[text]
        self._kept.append(pattern)
        return need

    def _bit(self, text: str, query: Any, queries: list[tuple[int, Any]], names: set[str]) -> int:
        if not _names(query.DescribeQuery()) <= names:
            return 0
        if text not in self._known:
            self._known[text] = self._next()
            queries.append((self._known[text], query))
        return self._known[text]

    def _next(self) -> int:
        self._bits += 1
        return 1 << (self._bits - 1)

    def _atom_mask(self, atom: Chem.Atom) -> int:
        return sum(bit for bit, query in self._atoms if query.Match(atom))

    def _bond_mask(self, key: tuple[Signature, Signature, int, bool], bond: Chem.Bond) -> int:
        one, other = self._of_signature[key[0]], self._of_signature[key[1]]
        mask = 0
        for bit, first, second, query in self._bonds:
            ends = (first & one == first and second & other == second) or (
                first & other == first and second & one == second
            )
            if ends and query.Match(bond):
                mask |= bit
        return mask


def _signatures(mol: Chem.Mol, table: AtomTable) -> list[Signature]:
    rings = mol.GetRingInfo()
    beside = [0] * len(table.numbers)  # hydrogens that are atoms
    if 1 in table.numbers:
        for a, b in table.ends:
            beside[a] += table.numbers[b] == 1
            beside[b] += table.numbers[a] == 1
    return [
        (
            number,
            hydrogens,
            charge,
            degree,
            around,
            rings.NumAtomRings(i),
            aromatic,
            atom.GetTotalValence(),
            atom.GetIsotope(),
        )
        for i, (atom, number, hydrogens, charge, degree, aromatic, around) in enumerate(
            zip(
                table.atoms,
                table.numbers,
                table.hydrogens,
                table.charges,
                table.degrees,
                table.aromatic,
                beside,
                strict=True,
            )
        )
    ]


def _names(description: str) -> set[str]:
    """Return the kinds of query in RDKit's description of one."""
    return {line.split()[0] for line in description.splitlines() if line.strip()}


def _recursive_choices(smarts: str) -> Iterator[list[str]]:
    """Yield the choices of recursive queries, one of each of which an atom must meet."""
    if not (smarts.startswith("[") and smarts.endswith("]")):
        return
    for part in _split(smarts[1:-1], ";"):
        found = []
        for choice in _split(part, ","):
            inner = [one[2:-1] for one in _split(choice, "&") if one.startswith("$(") and _whole(one)]
            if not inner:
                break
            found.append(inner[0])
        else:
            yield found


def _whole(choice: str) -> bool:
    """Return whether the bracket that opens a recursive query closes at its end."""
    depth = 0
    for i, letter in enumerate(choice):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and i > 0:
            return i == len(choice) - 1
    return False


def _split(text: str, mark: str) -> list[str]:
    """Split at a mark outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
