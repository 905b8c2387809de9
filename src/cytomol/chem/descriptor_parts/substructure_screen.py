"""A cheap necessary condition for a substructure, so that most searches need not be done.

Every atom has a signature: all that the simple atom queries of SMARTS look at. Whether an atom of a signature
meets a query, and a bond between two signatures a bond of a pattern, is asked of RDKit once and remembered. A
pattern whose atoms or bonds are not all met somewhere in a molecule cannot be part of it. What looks at more
than the signature (ring sizes, what must not be there) counts as met, so no match is ever lost; of recursive
patterns the same is asked as of the pattern. Patterns of one atom or one bond are counted without a search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from rdkit import Chem

from cytomol.chem.descriptor_parts.atom_table import AtomTable
from cytomol.chem.descriptor_parts.smarts_terms import atom_terms, necessary_terms, recursive_pattern

__all__ = ["KIND_QUERIES", "Seen", "SubstructureScreen"]

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
_NONE = 1_000_000  # size of no ring
_MATCHES = 1000  # RDKit stops at so many
_Bond = tuple[int, int, int, bool]  # numbers of the ends' signatures, type, whether in a ring


class Seen(NamedTuple):
    """What a look at a molecule tells.

    Attributes
    ----------
    possible
        Of every pattern, False where it cannot be a substructure.
    counts
        Matches of patterns of one atom or one bond that RDKit would find, each set of atoms once.
    """

    possible: list[bool]
    counts: dict[int, int]


class _Condition(NamedTuple):
    """Bits that must be met, and groups of further conditions of which one must hold."""

    need: int
    groups: list[list[_Condition]]

    def holds(self, met: int) -> bool:
        return self.need & met == self.need and all(
            any(choice.holds(met) for choice in group) for group in self.groups
        )


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
    >>> screen.look(mol, AtomTable.of(mol))
    Seen(possible=[True, False], counts={0: 1})
    """

    def __init__(self, patterns: Sequence[Chem.Mol]) -> None:
        self._atoms: list[tuple[int, Chem.Atom]] = []  # bit, query
        self._bonds: list[tuple[int, int, int, Chem.Bond]] = []  # bit, bits of the ends, query
        self._known: dict[str, int] = {}
        self._bits = 0
        self._rings: dict[int, int] = {}  # atoms of a ring, bit
        self._kept: list[Chem.Mol] = []  # patterns whose atoms and bonds are asked later
        self._numbers: dict[tuple[int, ...], int] = {}
        self._of_signature: dict[int, int] = {}
        self._of_bond: dict[_Bond, int] = {}
        conditions = [self._condition(pattern) for pattern in patterns]
        self._first = [condition.need for condition in conditions]
        self._further = [(i, condition) for i, condition in enumerate(conditions) if condition.groups]
        self._counted = [(i, bit) for i, p in enumerate(patterns) if (bit := self._whole(p))]

    def look(self, mol: Chem.Mol, table: AtomTable) -> Seen:
        """Tell of every pattern whether it may be in a molecule, and of the smallest how often it is."""
        if len(self._of_signature) + len(self._of_bond) > _MOST:
            self._numbers.clear()
            self._of_signature.clear()
            self._of_bond.clear()
        signatures = [self._number(signature) for signature in _signatures(table)]
        met = 0
        masks = []
        for signature, atom in zip(signatures, range(len(signatures)), strict=True):
            mask = self._of_signature.get(signature)
            if mask is None:
                mask = self._of_signature[signature] = self._atom_mask(mol.GetAtomWithIdx(atom))
            masks.append(mask)
            met |= mask
        for k, ((a, b), order, in_ring) in enumerate(
            zip(table.ends, table.orders, table.in_ring, strict=True)
        ):
            key = signatures[a], signatures[b], order, in_ring
            mask = self._of_bond.get(key)
            if mask is None:
                mask = self._of_bond[key] = self._bond_mask(key, mol.GetBondWithIdx(k))
            if mask:
                masks.append(mask)
                met |= mask
        sizes = {len(ring) for ring in mol.GetRingInfo().AtomRings()}
        smallest, odd = min(sizes, default=_NONE), min([size for size in sizes if size % 2], default=_NONE)
        for size, bit in self._rings.items():
            if (odd if size % 2 else smallest) <= size:
                met |= bit
        possible = [need & met == need for need in self._first]
        for i, condition in self._further:
            possible[i] = possible[i] and condition.holds(met)
        if len(masks) > _MATCHES:
            return Seen(possible, {})
        return Seen(
            possible,
            {i: len([1 for mask in masks if mask & bit]) for i, bit in self._counted if possible[i]},
        )

    def _condition(self, pattern: Chem.Mol) -> _Condition:
        """Return what a molecule must have to contain a pattern."""
        self._kept.append(pattern)
        found = [self._of_atom(atom) for atom in pattern.GetAtoms()]
        need, groups = 0, []
        for bit, inner in found:
            need |= bit | inner.need
            groups += inner.groups
        for ring in Chem.GetSSSR(Chem.Mol(pattern)):
            need |= self._ring_bit(len(ring))
        for bond in pattern.GetBonds():
            first, second = found[bond.GetBeginAtomIdx()][0], found[bond.GetEndAtomIdx()][0]
            need |= self._bond_bit(bond, first, second)
        return _Condition(need, groups)

    def _of_atom(self, atom: Chem.Atom) -> tuple[int, _Condition]:
        """Return the bit of what is simple of an atom's query, and what its recursive patterns need."""
        if bit := self._atom_bit(atom):
            return bit, _Condition(0, [])
        simple = necessary_terms(atom.GetSmarts())
        need, groups = 0, []
        for alternatives in atom_terms(atom.GetSmarts()):
            choice = [self._of_terms(terms, simple) for terms in alternatives]
            if len(choice) == 1:
                need |= choice[0].need
                groups += choice[0].groups
            elif all(one.need or one.groups for one in choice):
                groups.append(choice)
        return self._text_bit(simple), _Condition(need, groups)

    def _of_terms(self, terms: list[str], further: list[list[str]]) -> _Condition:
        """Return what an atom needs to meet all of some terms; ``further`` ones hold in any case."""
        need, groups = self._text_bit([*necessary_terms("[" + "&".join(terms) + "]"), *further]), []
        for pattern in [Chem.MolFromSmarts(text) for term in terms if (text := recursive_pattern(term))]:
            if pattern is not None:
                condition = self._condition(pattern)
                need |= condition.need
                groups += condition.groups
        return _Condition(need, groups)

    def _text_bit(self, terms: list[list[str]]) -> int:
        """Return the bit of an atom that meets one of each list of terms; 0 if none of them is simple."""
        simple = [text for one in terms if _is_simple(text := ",".join(one))]
        if not simple:
            return 0
        pattern = Chem.MolFromSmarts(_joined(simple))
        self._kept.append(pattern)
        return self._atom_bit(pattern.GetAtomWithIdx(0))

    def _atom_bit(self, atom: Chem.Atom) -> int:
        description = atom.DescribeQuery()
        if not _names(description) <= _ATOM_QUERIES:
            return 0
        text = "atom " + description
        if text not in self._known:
            self._known[text] = self._next()
            self._atoms.append((self._known[text], atom))
        return self._known[text]

    def _bond_bit(self, bond: Chem.Bond, first: int, second: int) -> int:
        description = bond.DescribeQuery()
        if not _names(description) <= _BOND_QUERIES:
            return 0
        text = f"bond {first} {second} {description}"
        if text not in self._known:
            self._known[text] = self._next()
            self._bonds.append((self._known[text], first, second, bond))
        return self._known[text]

    def _ring_bit(self, size: int) -> int:
        """Return the bit of a ring of a size, which may be the outline of smaller ones fused together.

        One of these is no larger than it, and one is odd if it is.
        """
        if size not in self._rings:
            self._rings[size] = self._next()
        return self._rings[size]

    def _whole(self, pattern: Chem.Mol) -> int:
        """Return the bit that tells a pattern of one atom or one bond from all else; 0 if none does."""
        bits = [self._atom_bit(atom) for atom in pattern.GetAtoms()]
        if len(bits) == 1:
            return bits[0]
        if len(bits) != 2 or pattern.GetNumBonds() != 1 or not all(bits):
            return 0
        bond = pattern.GetBondWithIdx(0)
        return self._bond_bit(bond, bits[bond.GetBeginAtomIdx()], bits[bond.GetEndAtomIdx()])

    def _next(self) -> int:
        self._bits += 1
        return 1 << (self._bits - 1)

    def _number(self, signature: tuple[int, ...]) -> int:
        return self._numbers.setdefault(signature, len(self._numbers))

    def _atom_mask(self, atom: Chem.Atom) -> int:
        return sum(bit for bit, query in self._atoms if query.Match(atom))

    def _bond_mask(self, key: _Bond, bond: Chem.Bond) -> int:
        one, other = self._of_signature[key[0]], self._of_signature[key[1]]
        mask = 0
        for bit, first, second, query in self._bonds:
            ends = (first & one == first and second & other == second) or (
                first & other == first and second & one == second
            )
            if ends and query.Match(bond):
                mask |= bit
        return mask


def _signatures(table: AtomTable) -> Iterator[tuple[int, ...]]:
    """Yield all that the simple queries look at, atom by atom."""
    beside = [0] * len(table.numbers)  # hydrogens that are atoms
    if 1 in table.numbers:
        for a, b in table.ends:
            beside[a] += table.numbers[b] == 1
            beside[b] += table.numbers[a] == 1
    return zip(
        table.numbers,
        table.hydrogens,
        table.charges,
        table.degrees,
        beside,
        table.rings,
        table.aromatic,
        table.valences,
        table.isotopes,
        strict=True,
    )


def _joined(terms: Sequence[str]) -> str:
    return "[" + ";".join(["*", *dict.fromkeys(terms)]) + "]"


@cache
def _is_simple(term: str) -> bool:
    """Tell whether an atom's signature decides a term."""
    pattern = Chem.MolFromSmarts(_joined([term]))
    return pattern is not None and _names(pattern.GetAtomWithIdx(0).DescribeQuery()) <= _ATOM_QUERIES


def _names(description: str) -> set[str]:
    """Return the kinds of query in RDKit's description of one."""
    return {line.split()[0] for line in description.splitlines() if line.strip()}
