"""Read molecules, one per row, from any of the formats in which they come."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cytomol.errors import InputError
from cytomol.files import gunzip, require_file
from cytomol.tables.columns import SMILES_NAMES, find_column, smiles_column_of
from cytomol.tables.read import check_sheet, format_of, parse_table
from cytomol.tables.sdf import parse_sdf
from cytomol.tables.smi import parse_smi
from cytomol.tables.sniff import NAMES, refuse_other_kind, sniff_bytes, sniff_text
from cytomol.tables.text import decode_text, read_bytes

__all__ = ["MoleculeTable", "find_column", "read_molecules", "smiles_column"]

_LISTS = {"smi", "smiles", "ism"}
_SD_FILES = {"sdf", "sd", "mol"}
_STDIN = "standard input"


@dataclass(frozen=True)
class MoleculeTable:
    """Rows of an input, in its order, each with a SMILES (possibly empty or invalid).

    Attributes
    ----------
    frame
        All columns of the input; cells of text files are strings as they stand there.
    smiles_col
        Name of the column that holds the SMILES.
    where
        The file's name, for messages.
    errors
        Reason, by row number, where a record could not be read as a molecule (SD files).
    """

    frame: pd.DataFrame
    smiles_col: str
    where: str
    errors: dict[int, str] = field(default_factory=dict)

    @property
    def smiles(self) -> list[str]:
        """SMILES of every row; an absent value is the empty string."""
        column = self.frame[self.smiles_col]
        return ["" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]

    def __len__(self) -> int:
        return len(self.frame)

    def kept(self, names: Sequence[str] | None) -> pd.DataFrame:
        """Return the columns that an output begins with, as they stand: the SMILES and ``names``, or all.

        Raises
        ------
        InputError
            If there is no such column.
        """
        if names is None:
            return self.frame
        found = [find_column(self.frame, name, where=self.where, option="--keep") for name in names]
        return self.frame[list(dict.fromkeys([self.smiles_col, *found]))]


def read_molecules(
    path: str | Path, *, smiles_col: str | None = None, sheet: str | None = None
) -> MoleculeTable:
    """Read a CSV, TSV, Parquet, Excel, ``.smi`` or ``.sdf`` file (gzipped or not), or ``-``.

    Every record is a row, and every cell of a text file the text that stands in its own row.

    Parameters
    ----------
    path
        The file; what standard input (``-``) holds is told by its content.
    smiles_col
        Column with the SMILES; by default "smiles" in any case, or a common synonym. In an SD file a
        data item whose text is read instead of the structures; in a list of SMILES "smiles", "name" or
        the number of a field.
    sheet
        Sheet of an Excel workbook; by default the first.

    Raises
    ------
    InputError
        If the file cannot be read, is of another kind than its name says, would lose or join rows, or
        holds no such column, or no row at all.
    """
    if str(path) == "-":
        data, where = sys.stdin.buffer.read(), _STDIN
        if sniff_bytes(data) == "gzip":
            data = gunzip(data, where=where)
        kind = _kind_of_stream(data, smiles_col)
    else:
        path = require_file(path, what="molecule file")
        data, where, kind = read_bytes(path), str(path), format_of(path)
    if kind in _LISTS | _SD_FILES:
        check_sheet(kind, sheet, where=where)
        table = _from_text(data, kind, where, smiles_col)
    else:
        frame = parse_table(data, kind, where=where, text=True, smiles_col=smiles_col, sheet=sheet)
        table = MoleculeTable(frame, smiles_column(frame, smiles_col, where), where)
    if len(table) == 0:
        raise InputError("holds no molecules", where=table.where)
    return table


def smiles_column(frame: pd.DataFrame, wanted: str | None, where: str) -> str:
    """Return the column of SMILES of a table.

    Raises
    ------
    InputError
        If there is none.
    """
    found = smiles_column_of(frame.columns, wanted)
    if found is None and wanted is None and any(map(_is_molecule, frame.columns[:3])):
        raise InputError(
            "has no header: a molecule stands in the first line",
            where=where,
            hint="name the columns in the first line, or name a list of SMILES .smi",
        )
    return found or find_column(frame, wanted or "smiles", where=where, option="--smiles-col")


def _is_molecule(text: str) -> bool:
    """Tell whether a column's name is a molecule rather than a word: it has a bond, branch or ring."""
    from cytomol.chem.parse import parse_smiles

    return any(letter in text for letter in "=#()[]123456789") and parse_smiles(text).mol is not None


def _kind_of_stream(data: bytes, smiles_col: str | None) -> str:
    """Return what standard input holds."""
    if found := sniff_bytes(data):
        if found in {"parquet", "xlsx"}:
            return found
        refuse_other_kind(found, where=_STDIN, wanted="a table, an SD file or a list of SMILES")
    if not data.strip():
        raise InputError("is empty", where=_STDIN)
    content = decode_text(data, where=_STDIN)
    found = sniff_text(content)
    if found in {"html", "json"}:
        refuse_other_kind(found, where=_STDIN, wanted="a table, an SD file or a list of SMILES")
    if found in {"sdf", "tsv"}:
        return found
    if found in {"csv", "semicolons"}:
        return "csv"
    header = content.lstrip().split("\n", 1)[0].rstrip("\r").split("\r", 1)[0]
    names = [name.strip().strip('"') for name in header.split("\t" if "\t" in header else ",")]
    if (smiles_col is not None and smiles_col in names) or names[0].lower() in SMILES_NAMES:
        return "tsv" if "\t" in header else "csv"
    return "smi"


def _from_text(data: bytes, kind: str, where: str, smiles_col: str | None) -> MoleculeTable:
    """Read a list of SMILES or an SD file."""
    wanted = "an SD file" if kind in _SD_FILES else "a list of SMILES"
    if found := sniff_bytes(data):
        refuse_other_kind(found, where=where, wanted=wanted)
    content = decode_text(data, where=where)
    found = sniff_text(content)
    if kind in _LISTS:
        if found in {"sdf", "csv", "semicolons", "html", "json"}:
            refuse_other_kind(found, where=where, wanted=wanted)
        frame, column = parse_smi(content, where=where, smiles_col=smiles_col)
        return MoleculeTable(frame, column, where)
    if found != "sdf" and found in NAMES and "M  END" not in content:
        refuse_other_kind(found, where=where, wanted=wanted)
    frame, column, errors = parse_sdf(content, where=where)
    if smiles_col is None or smiles_col == column:
        return MoleculeTable(frame, column, where, errors)
    return MoleculeTable(frame, find_column(frame, smiles_col, where=where, option="--smiles-col"), where)
