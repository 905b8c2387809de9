"""Read molecules, one per row, from any of the formats in which they come."""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cytomol.errors import InputError
from cytomol.files import require_file
from cytomol.tables.read import format_of, parse_csv, read_bytes, read_table, read_text

__all__ = ["MoleculeTable", "find_column", "read_molecules"]

_SMILES_NAMES = ("smiles", "canonical_smiles", "isomeric_smiles", "structure")


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


def find_column(frame: pd.DataFrame, name: str, *, where: str, option: str) -> str:
    """Return ``name`` if the table has it; otherwise say which columns there are and the nearest one."""
    if name in frame.columns:
        return name
    near = difflib.get_close_matches(name, frame.columns, n=1, cutoff=0.6)
    shown = ", ".join(frame.columns[:12]) + (", ..." if len(frame.columns) > 12 else "")
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise InputError(
        f"has no column {name!r}", where=where, hint=f"{hint}columns: {shown}; choose with {option}"
    )


def read_molecules(path: str | Path, *, smiles_col: str | None = None) -> MoleculeTable:
    """Read a CSV, TSV, Parquet, ``.smi`` or ``.sdf`` file (gzipped or not), or ``-`` for standard input.

    Parameters
    ----------
    path
        The file; standard input is read as CSV when its first line names a SMILES column, else as a
        list of SMILES.
    smiles_col
        Column with the SMILES; by default "smiles" in any case, or a common synonym.

    Raises
    ------
    InputError
        If the file cannot be read or holds no such column, or no row at all.
    """
    if str(path) == "-":
        table = _from_stdin(sys.stdin.buffer.read(), smiles_col)
    else:
        path = require_file(path, what="molecule file")
        kind = format_of(path)
        if kind in {"smi", "smiles", "ism"}:
            table = _from_smi(read_text(path), where=str(path))
        elif kind in {"sdf", "sd"}:
            table = _from_sdf(path)
        else:
            frame = read_table(path, text=True)
            table = MoleculeTable(frame, _smiles_column(frame, smiles_col, str(path)), str(path))
    if smiles_col is not None and smiles_col != table.smiles_col:
        find_column(table.frame, smiles_col, where=table.where, option="--smiles-col")
    if len(table) == 0:
        raise InputError("holds no molecules", where=table.where)
    return table


def _smiles_column(frame: pd.DataFrame, wanted: str | None, where: str) -> str:
    if wanted is not None:
        return find_column(frame, wanted, where=where, option="--smiles-col")
    lowered = {name.lower().strip(): name for name in reversed(list(frame.columns))}
    for name in _SMILES_NAMES:
        if name in lowered:
            return lowered[name]
    return find_column(frame, "smiles", where=where, option="--smiles-col")


def _from_stdin(data: bytes, smiles_col: str | None) -> MoleculeTable:
    where = "standard input"
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text: {error.reason}", where=where) from None
    if not content.strip():
        raise InputError("is empty", where=where)
    header = content.split("\n", 1)[0].strip()
    separator = "\t" if "\t" in header else ","
    names = [cell.strip().strip('"').lower() for cell in header.split(separator)]
    if smiles_col is not None or any(name in names for name in _SMILES_NAMES):
        frame = parse_csv(content, where=where, separator=separator, text=True)
        return MoleculeTable(frame, _smiles_column(frame, smiles_col, where), where)
    return _from_smi(content, where=where)


def _from_smi(content: str, *, where: str) -> MoleculeTable:
    """Read lines of ``SMILES [name]``; an empty line is a row whose molecule is empty."""
    lines = content.splitlines()
    if lines and lines[0].split()[:1] and lines[0].split()[0].lower() in _SMILES_NAMES:
        lines = lines[1:]
    cells = [[*line.split(maxsplit=1), "", ""][:2] for line in lines]
    return MoleculeTable(pd.DataFrame(cells, columns=["smiles", "name"], dtype=str), "smiles", where)


def _from_sdf(path: Path) -> MoleculeTable:
    """Read an SD file; a record that RDKit rejects keeps its row, with the reason."""
    records: list[dict[str, str]] = []
    errors: dict[int, str] = {}
    for row, (properties, reason) in enumerate(_sd_records(read_bytes(path))):
        records.append(properties)
        if reason:
            errors[row] = reason
    frame = pd.DataFrame(records).fillna("") if records else pd.DataFrame(columns=["smiles"])
    return MoleculeTable(frame, "smiles", str(path), errors)


def _sd_records(data: bytes) -> Iterator[tuple[dict[str, str], str]]:
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        for molecule in Chem.ForwardSDMolSupplier(io.BytesIO(data)):
            if molecule is None:
                yield {"smiles": ""}, "invalid record in the SD file"
                continue
            properties = {
                key: str(value) for key, value in molecule.GetPropsAsDict().items() if key != "smiles"
            }
            name = molecule.GetProp("_Name") if molecule.HasProp("_Name") else ""
            yield {"smiles": Chem.MolToSmiles(molecule), "name": name, **properties}, ""
