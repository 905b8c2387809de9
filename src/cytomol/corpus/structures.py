"""What a row says of its molecule's structure, and whether two such statements contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

__all__ = [
    "BLOCK",
    "block_of",
    "canonical_of",
    "contradicts",
    "is_inchikey",
    "is_smiles",
    "key_of",
    "smiles_of_inchi",
]

BLOCK = 14  # letters of the first block of an InChIKey, which stands for the connectivity


def is_inchikey(text: str, *, whole: bool = True) -> bool:
    """Whether a text has the form of an InChIKey (or, with ``whole=False``, of its first block)."""
    blocks = text.split("-")
    lengths = [len(block) for block in blocks]
    if not all(block.isascii() and block.isalpha() and block.isupper() for block in blocks):
        return False
    return lengths == [BLOCK, 10, 1] or (not whole and lengths in ([BLOCK], [BLOCK, 10]))


def is_smiles(text: str) -> bool:
    """Whether a text can be read as SMILES."""
    return bool(_canonical(text))


def canonical_of(smiles: Iterable[str]) -> list[str]:
    """Return the canonical SMILES of each molecule, "" for one that does not parse."""
    return [_canonical(text) for text in smiles]


@lru_cache(maxsize=1_000_000)
def key_of(smiles: str) -> str:
    """Return the InChIKey of a SMILES, "" where there is none."""
    from cytomol.chem.keys import inchikey

    return _of_molecule(smiles, inchikey)


def block_of(smiles: str) -> str:
    """Return the first block of the InChIKey of a SMILES, "" where there is none."""
    return key_of(smiles)[:BLOCK]


@lru_cache(maxsize=1_000_000)
def smiles_of_inchi(text: str) -> str:
    """Return the SMILES of an InChI, "" where it is none."""
    if not text.startswith("InChI="):
        return ""
    from rdkit import Chem, rdBase

    from cytomol.chem.keys import canonical_smiles

    convert: Any = Chem.MolFromInchi
    with rdBase.BlockLogs():
        mol = convert(text)
    return "" if mol is None else canonical_smiles(mol)


def contradicts(smiles: str, other: str) -> bool:
    """Whether a SMILES and another statement (SMILES or InChIKey) are of different molecules.

    Stereochemistry, isotopes, charges and salts are forms of one molecule and no contradiction; nor is
    a text that cannot be read.

    Parameters
    ----------
    smiles
        One molecule.
    other
        Another SMILES, or an InChIKey, whole or its first block.
    """
    if not smiles or not other or smiles == other:
        return False
    if is_inchikey(other, whole=False):
        mine = block_of(smiles)
        return bool(mine) and other[:BLOCK] not in (mine, _parent_block(smiles))
    if not _canonical(smiles) or not _canonical(other) or _canonical(smiles) == _canonical(other):
        return False
    mine, theirs = block_of(smiles), block_of(other)
    if not mine or not theirs or mine == theirs:
        return False
    return not {mine, _parent_block(smiles)} & {theirs, _parent_block(other)}


@lru_cache(maxsize=1_000_000)
def _canonical(smiles: str) -> str:
    from cytomol.chem.keys import canonical_smiles

    return _of_molecule(smiles, canonical_smiles)


@lru_cache(maxsize=100_000)
def _parent_block(smiles: str) -> str:
    """Return the first block of the largest organic fragment, uncharged."""
    from rdkit import rdBase
    from rdkit.Chem.MolStandardize import rdMolStandardize

    from cytomol.chem.keys import inchikey

    def parent_key(mol: Any) -> str:
        with rdBase.BlockLogs():
            return inchikey(rdMolStandardize.ChargeParent(mol))

    return _of_molecule(smiles, parent_key)[:BLOCK]


def _of_molecule(smiles: str, function: Callable[[Any], str | None]) -> str:
    from cytomol.chem.parse import parse_smiles

    molecule = parse_smiles(smiles).mol if smiles else None
    return "" if molecule is None else function(molecule) or ""
