"""A molecule as it is written, or its parent: the largest part of a salt or mixture, uncharged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from cytomol.chem.parse import ParsedMolecule
from cytomol.counted import agreeing

__all__ = ["Standardize", "in_canonical_order", "kept_whole", "parent"]

Standardize: TypeAlias = Literal["keep", "parent"]

_standardize: Any = rdMolStandardize


def in_canonical_order(mol: Chem.Mol) -> Chem.Mol:
    """Return the molecule read again from its canonical SMILES, so that its atoms have one order.

    A few exotic molecules do not survive being written: these come back as they are.
    """
    again: Chem.Mol | None = Chem.MolFromSmiles(Chem.MolToSmiles(mol))
    return mol if again is None or again.GetNumAtoms() != mol.GetNumAtoms() else again


def parent(mol: Chem.Mol) -> ParsedMolecule:
    """Return RDKit's charge parent: cleaned up, the largest part alone, charges neutralised where possible.

    Parameters
    ----------
    mol
        Sanitized molecule; the order of its atoms makes no difference.

    Returns
    -------
    ParsedMolecule
        The parent with its atoms in canonical order, or the reason why there is none.
    """
    try:
        found: Chem.Mol = _standardize.ChargeParent(in_canonical_order(mol))
    except (RuntimeError, ValueError) as error:
        return ParsedMolecule(None, f"no parent molecule: {' '.join(str(error).split())[:200]}")
    if found.GetNumAtoms() == 0:
        return ParsedMolecule(None, "no parent molecule: nothing is left")
    return ParsedMolecule(in_canonical_order(found), "")


def kept_whole(smiles: Iterable[str]) -> str:
    """Say in one line how many molecules have several parts; "" if none has.

    Parameters
    ----------
    smiles
        Valid molecules that are not standardized.
    """
    texts = [text.split(maxsplit=1)[0] for text in smiles if text and not text.isspace()]
    several = sum("." in text for text in texts)
    if not several:
        return ""
    whole = agreeing(
        several, "molecule", "is a salt or mixture and is", "are salts or mixtures and are", of=len(texts)
    )
    return f"{whole} read whole; --standardize parent reads the largest part, uncharged"
