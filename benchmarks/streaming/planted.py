"""Molecules without end, all of them valid and no two alike, and an assay of some of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["planted", "write_assay", "write_molecules"]

_PARTS = ("C", "N", "O", "S", "CC", "CN", "CO", "C(C)", "C(F)", "C(Cl)", "C(=O)", "c1ccc(cc1)", "C(O)")
_MOST = len(_PARTS) ** 6


def planted(number: int) -> str:
    """Return a valid SMILES, another text for each number below 13**6.

    >>> planted(0), planted(1)
    ('CCCCCCCF', 'CNCCCCCF')
    """
    text = "C"
    for _ in range(6):
        number, place = divmod(number, len(_PARTS))
        text += _PARTS[place]
    return text + "F"


def write_molecules(path: Path, rows: int) -> None:
    """Write the first molecules with their ids."""
    with path.open("w", encoding="utf-8") as handle:
        handle.write("id,smiles\n")
        handle.writelines(f"m{row},{planted(row)}\n" for row in range(rows))


def write_assay(path: Path, rows: int = 1000) -> None:
    """Write molecules from all over the planted ones, with a value that their structure decides."""
    with path.open("w", encoding="utf-8") as handle:
        handle.write("smiles,value\n")
        handle.writelines(f"{smiles},{value:.2f}\n" for smiles, value in _assay(rows))


def _assay(rows: int) -> Iterator[tuple[str, float]]:
    for row in range(rows):
        smiles = planted(row * (_MOST // rows))
        yield smiles, smiles.count("N") - smiles.count("O") + 0.1 * len(smiles)
