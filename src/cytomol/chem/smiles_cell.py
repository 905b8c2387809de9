"""What a cell of SMILES means when it holds a blank: one rule for every reader and for the parser."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["SmilesCell", "split_cell"]

# A CXSMILES extension stands between bars right after the first blank. What opens with a bar and does not
# close so is an extension still, and an invalid one: it may be cut off, and would be another molecule.
_EXTENSION = re.compile(r"\|[^|]*\|(?=\s|$)|\|.*", re.DOTALL)

_BLANK = re.compile(r"[ \t]")


class SmilesCell(NamedTuple):
    """A cell taken apart.

    Attributes
    ----------
    smiles
        Up to the first blank.
    extension
        CXSMILES extension with its bars, or "".
    name
        The rest.
    """

    smiles: str
    extension: str
    name: str

    @property
    def structure(self) -> str:
        """The SMILES with its extension: what decides the molecule."""
        return f"{self.smiles} {self.extension}" if self.extension else self.smiles


def split_cell(text: str) -> SmilesCell:
    """Take apart ``SMILES``, ``SMILES name``, ``SMILES |extension|`` or ``SMILES |extension| name``."""
    text = text.strip()
    if " " not in text and "\t" not in text:  # nearly all, and every molecule passes here
        return SmilesCell(text, "", "")
    smiles, *more = _BLANK.split(text, maxsplit=1)
    rest = more[0].strip() if more else ""
    if found := _EXTENSION.match(rest):
        return SmilesCell(smiles, found.group(), rest[found.end() :].strip())
    return SmilesCell(smiles, "", rest)
