"""Quotes that swallow rows: a cell that opens with a stray quote looks like one that holds line ends."""

from __future__ import annotations

import re

from cytomol.chem.smiles_cell import split_cell

__all__ = ["opening_line", "swallows_rows"]

_SMILES = re.compile(r"[A-Za-z0-9@+\-\[\]()\\/%=#$.:*~]+")


def swallows_rows(lines: list[str], separator: str, width: int, smiles: int | None) -> bool:
    """Tell whether the lines of one record read as well as rows of their own, so that it joins rows.

    Parameters
    ----------
    lines
        The record's lines, two or more, of which a quoted cell holds the ends.
    separator, width
        Separator and number of columns of the table.
    smiles
        Number of its column of SMILES, from 0, if that is known.

    Notes
    -----
    A quoted cell may hold line ends. It is a stray quote if every line alone (a quote that does not
    close on the line being a letter) has the table's number of cells, and one of the swallowed lines has
    in the column of SMILES what may be one, or nothing; or if that holds of a line that lies whole inside
    the cell and its SMILES is a molecule, for prose does not have one there. A table of one column has
    nothing to judge by: every line end inside its cells is refused.
    """
    rows = [_cells_alone(line.rstrip("\r\n"), separator) for line in lines]
    if width == 1:
        return sum(bool(line.strip('"\r\n \t')) for line in lines) > 1
    whole = [len(row) == width for row in rows]
    if smiles is None:
        return all(whole)
    if all(whole) and any(_may_be_row(row, smiles) for row in rows[1:]):
        return True
    inside = zip(rows[1:-1], whole[1:-1], strict=True)
    return any(fits and _is_molecule(row[smiles]) for row, fits in inside)


def opening_line(lines: list[str], separator: str) -> int:
    """Return which of a record's lines, from 0, holds the quote that opened its last quoted cell."""
    text, opened, at_start, quoted, line = "".join(lines), 0, True, False, 0
    i = 0
    while i < len(text):
        letter = text[i]
        if quoted:
            if letter == '"' and text[i + 1 : i + 2] == '"':
                i += 1
            elif letter == '"':
                quoted = False
        elif letter == '"' and at_start:
            quoted, opened = True, line
        at_start = not quoted and letter == separator
        line += letter == "\n" or (letter == "\r" and text[i + 1 : i + 2] != "\n")
        i += 1
    return opened


def _cells_alone(line: str, separator: str) -> list[str]:
    """Split one line, where a quote that does not close before a separator or the end is a letter."""
    cells: list[str] = []
    start = 0
    quoted = re.compile(rf'"((?:[^"]|"")*)"(?={re.escape(separator)}|$)')
    while True:
        if found := quoted.match(line, start):
            cells.append(found.group(1).replace('""', '"'))
            end = found.end()
        else:
            end = line.find(separator, start)
            end = len(line) if end < 0 else end
            cells.append(line[start:end])
        if end >= len(line):
            return cells
        start = end + 1


def _may_be_row(cells: list[str], smiles: int) -> bool:
    text = cells[smiles].strip().strip('"').strip()
    if not text:
        return any(letter.isalnum() for cell in cells for letter in cell)
    return bool(_SMILES.fullmatch(text)) or _is_molecule(text)


def _is_molecule(text: str) -> bool:
    from cytomol.chem.parse import parse_smiles

    text = text.strip().strip('"').strip()
    return bool(_SMILES.fullmatch(split_cell(text).smiles)) and parse_smiles(text).mol is not None
