"""A SMILES becomes a molecule, or a reason why not; RDKit's log stays off the user's screen."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from cytomol.chem.smiles_cell import split_cell
from cytomol.counted import counted

__all__ = [
    "EMPTY",
    "MAX_ATOMS",
    "ParsedMolecule",
    "parse_quietly",
    "parse_smiles",
    "refusal",
    "smiles_text",
    "without_atom_maps",
]

EMPTY = "empty SMILES"
MAX_ATOMS = 1000
"""Heavy atoms beyond which a text is no small molecule, where nothing else is said."""

_CHARACTERS_PER_ATOM = 50
_ATOM_MAP = re.compile(r":\d+\]")
_TIMESTAMP = re.compile(r"^\[\d\d:\d\d:\d\d\] (.*)$")
_LONGEST_REASON = 300


@dataclass(frozen=True)
class ParsedMolecule:
    """Result of parsing one SMILES.

    Attributes
    ----------
    mol
        Sanitized molecule, or None when the SMILES is invalid.
    reason
        Why it is invalid, in one line; "" when it is valid.
    """

    mol: Chem.Mol | None
    reason: str


def parse_smiles(smiles: str | None) -> ParsedMolecule:
    """Parse one SMILES with RDKit's default sanitization.

    Blank around the SMILES is dropped, and a blank ends it: what follows is a CXSMILES extension in
    bars, or else a name, which is ignored (see :func:`cytomol.chem.smiles_cell.split_cell`). Salts
    and mixtures are one molecule of several parts; dummy atoms, metals, isotopes, radicals and charges
    are kept. None, NaN and blank text are an empty SMILES; anything else that is not text is invalid.
    So is a text too long, or with branches too deep, for a molecule of `MAX_ATOMS`: RDKit would spend
    gigabytes on it.

    Parameters
    ----------
    smiles
        SMILES, or whatever a table held in its place.

    Returns
    -------
    ParsedMolecule
        The molecule, or the reason why there is none. Nothing is raised and nothing is printed.
    """
    block = rdBase.BlockLogs()
    try:
        return parse_quietly(smiles)
    finally:
        del block


def parse_quietly(smiles: Any, *, max_atoms: int = MAX_ATOMS) -> ParsedMolecule:
    """Parse as `parse_smiles` does; the caller holds ``rdBase.BlockLogs`` for a whole chunk."""
    if reason := refusal(smiles, max_atoms):
        return ParsedMolecule(None, reason)
    cell = split_cell(smiles)
    text = cell.structure
    try:
        mol = Chem.MolFromSmiles(text)
    except (RuntimeError, ValueError) as error:  # broken invariants inside RDKit come as these
        return ParsedMolecule(None, _one_line(str(error)) or type(error).__name__)
    if mol is None:
        if cell.extension and Chem.MolFromSmiles(cell.smiles) is not None:
            return ParsedMolecule(None, _one_line(f"invalid CXSMILES extension {cell.extension}"))
        return ParsedMolecule(None, _reason(text))
    if mol.GetNumAtoms() == 0:
        return ParsedMolecule(None, "SMILES without atoms")
    return ParsedMolecule(mol, "")


def without_atom_maps(smiles: Any) -> Any:
    """Return a SMILES without atom-map numbers: RDKit takes carbons of different numbers for different."""
    if not isinstance(smiles, str) or ":" not in smiles:
        return smiles
    parts = smiles.split(maxsplit=1)
    return " ".join([_ATOM_MAP.sub("]", part) if not i else part for i, part in enumerate(parts)])


def smiles_text(smiles: Any) -> str:
    """Return the text that stands for an input in a store: "" for a missing value, else its text."""
    if isinstance(smiles, str):
        return smiles
    return "" if _is_missing(smiles) else str(smiles)


def _is_missing(value: Any) -> bool:
    """Tell None, NaN, NaT and pandas' NA (which is the only scalar here that compares to no truth)."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float) and math.isnan(value)


def refusal(smiles: Any, max_atoms: int) -> str:
    """Say why a value cannot be a SMILES before RDKit sees it; "" if it may be one."""
    if not isinstance(smiles, str):
        return EMPTY if _is_missing(smiles) else f"not text but {type(smiles).__name__}: {str(smiles)[:40]}"
    text = smiles.strip()
    return (_foreign_character(text) or _endless(text, max_atoms)) if text else EMPTY


def _endless(text: str, max_atoms: int) -> str:
    """Say why a text cannot be a molecule of so many atoms; "" if it may be one."""
    if len(text) <= max_atoms:
        return ""
    if len(text) > _CHARACTERS_PER_ATOM * max_atoms:
        most = counted(max_atoms, "atom")
        return f"text of {len(text):,} characters, too long for a molecule of at most {most}"
    depth = deepest = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    if deepest > max_atoms:  # each branch begins at another atom
        most = counted(max_atoms, "atom")
        return f"branches nested {deepest:,} deep, too deep for a molecule of at most {most}"
    return ""


def _foreign_character(text: str) -> str | None:
    """Name a character that no SMILES holds: RDKit cuts some of them off in silence ("Cé" as "C")."""
    if text.isascii() and text.isprintable():
        return None
    body = split_cell(text).smiles
    if body.isascii() and body.isprintable():
        # A name after the SMILES may be in any script, but must be encodable for RDKit.
        surrogate = next((c for c in text if "\ud800" <= c <= "\udfff"), None) if not text.isascii() else None
        return None if surrogate is None else f"character {surrogate!a} is not valid text"
    position, character = next(
        (i, c) for i, c in enumerate(body, start=1) if not (c.isascii() and c.isprintable())
    )
    return f"character {character!a} at position {position} does not belong in a SMILES"


def _reason(text: str) -> str:
    """Parse an invalid SMILES again and return what RDKit says of it."""
    # RDKit cuts its messages by bytes, which may split a letter of the name.
    text = text.encode("ascii", errors="replace").decode("ascii")
    reason = ""
    if hasattr(rdBase, "CaptureErrorLog"):  # names ring closures and positions, which exceptions do not
        with rdBase.CaptureErrorLog() as capture:
            Chem.MolFromSmiles(text)
        reason = _condense(capture.messages)
    if not reason:
        try:
            rdMolStandardize.ValidateSmiles(text)
        except (RuntimeError, ValueError) as error:
            reason = _one_line(str(error))
    return reason or "RDKit cannot parse it and gives no reason"


def _condense(log: str) -> str:
    """Return the distinct messages of RDKit's log in one line, without times and the drawn pointer."""
    messages: list[str] = []
    for line in log.splitlines():
        match = _TIMESTAMP.match(line)
        text = match.group(1).strip() if match else ""
        # Lines with a blank-free text are the SMILES itself and the pointer drawn under it.
        if " " not in text:
            continue
        text = text.split(" while parsing: ")[0].rstrip(":")  # the input stands in the row itself
        if text not in messages:
            messages.append(text)
    if len(messages) > 1:  # the closing summary only repeats the input
        messages = [m for m in messages if "Failed parsing SMILES" not in m] or messages
    prefix = "SMILES Parse Error: "
    joined = "; ".join(m.removeprefix(prefix) if i else m for i, m in enumerate(messages))
    return _one_line(joined)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
