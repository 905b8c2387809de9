"""Lists of SMILES: one molecule a line, then perhaps a CXSMILES extension, then perhaps a name."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cytomol.chem.smiles_cell import split_cell
from cytomol.errors import InputError
from cytomol.tables.columns import SMILES_NAMES
from cytomol.tables.text import cut_lines

__all__ = ["is_header", "parse_smi", "parse_smi_lines"]


def parse_smi(content: str, *, where: str, smiles_col: str | None = None) -> tuple[pd.DataFrame, str]:
    """Read lines of ``SMILES [extension] [name]``.

    An empty line, and one that begins with a blank, is a row whose molecule is empty: the name never
    becomes the molecule. A first line that begins with the word "smiles" is a header.

    Parameters
    ----------
    content
        The text; lines end at carriage returns and line feeds alone.
    where
        The source, for errors.
    smiles_col
        "smiles" (the first field, as by default), "name" (all that follows), or the number of a field,
        counted from 1; fields are cut at tabs where a line has tabs, else at blanks.

    Returns
    -------
    tuple
        The columns as text, and which of them holds the SMILES.
    """
    lines = cut_lines(content)
    if lines and is_header(lines[0]):
        lines = lines[1:]
    frame, column = parse_smi_lines(lines, where=where, smiles_col=smiles_col)
    if smiles_col is not None and smiles_col.isdigit() and int(smiles_col) > 1 and not any(frame[column]):
        raise InputError(
            f"no line has a field {int(smiles_col)}", where=where, hint="choose with --smiles-col"
        )
    return frame, column


def is_header(line: str) -> bool:
    """Say whether a list's first line names its columns."""
    words = line.split()
    return bool(words) and words[0].lower() in SMILES_NAMES and not line[0].isspace()


def parse_smi_lines(
    lines: Sequence[str], *, where: str, smiles_col: str | None = None
) -> tuple[pd.DataFrame, str]:
    """Read some lines of a list, without their ends and without a header; see :func:`parse_smi`."""
    if smiles_col is None or smiles_col in {"smiles", "name", "1"}:
        cells = [_two_cells(line) for line in lines]
        frame = pd.DataFrame(cells, columns=["smiles", "name"], dtype=str)
        return frame, "name" if smiles_col == "name" else "smiles"
    if not (smiles_col.isascii() and smiles_col.isdigit() and 1 < int(smiles_col) < 1000):
        raise InputError(
            f"has no column {smiles_col!r}",
            where=where,
            hint="a list of SMILES has smiles and name; choose with --smiles-col, or a field by its number",
        )
    number = int(smiles_col)
    rows = [_fields(line, number) for line in lines]
    names = [f"field{i}" for i in range(1, number)]
    return pd.DataFrame(rows, columns=[*names, "smiles", "name"], dtype=str), "smiles"


def _two_cells(line: str) -> tuple[str, str]:
    if line[:1] in {"", " ", "\t"}:
        return "", line.strip()
    cell = split_cell(line)
    return cell.structure, cell.name


def _fields(line: str, number: int) -> list[str]:
    """Return the fields before the molecule, the molecule, and the rest of the line."""
    separator = "\t" if "\t" in line else None
    fields = line.split(separator, number - 1)
    fields += [""] * (number - len(fields))
    if separator is None:
        cell = split_cell(fields[-1])
        return [*fields[:-1], cell.structure, cell.name]
    molecule, _, rest = fields[-1].partition(separator)
    return [*fields[:-1], molecule, rest]
