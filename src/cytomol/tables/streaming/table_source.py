"""A file of molecules read in chunks, with its number of rows known before the first answer."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from cytomol.counted import agreeing, counted
from cytomol.errors import InputError
from cytomol.files import open_bytes
from cytomol.tables.delimited import DelimitedScan, parse_records
from cytomol.tables.molecules import MoleculeTable, read_molecules, smiles_column
from cytomol.tables.read import format_of
from cytomol.tables.smi import is_header, parse_smi_lines
from cytomol.tables.sniff import sniff_bytes, sniff_text
from cytomol.tables.streaming.parquet_rows import count_parquet, parquet_chunks, parquet_files

__all__ = ["TableSource", "open_source", "place_stamp"]

_BLOCK = 1 << 20
_SEPARATORS = {"csv": ",", "tsv": "\t", "tab": "\t", "txt": "\t"}
_LISTS = {"smi", "smiles", "ism"}
_T = TypeVar("_T")
_Frames = Callable[[int, Container[int]], Iterator[tuple[int, pd.DataFrame]]]


@dataclass(frozen=True)
class TableSource:
    """Molecules of a file or folder, some rows at a time.

    Attributes
    ----------
    where, smiles_col, columns
        The name of the input, its column of SMILES, and all columns.
    rows
        How many rows there are.
    stamp
        What tells the input from another one: places, sizes, times of change.
    """

    where: str
    smiles_col: str
    columns: list[str]
    rows: int
    stamp: dict[str, Any]
    _frames: _Frames = field(repr=False)
    _errors: dict[int, str] = field(default_factory=dict, repr=False)

    def table(self) -> MoleculeTable:
        """Return all rows."""
        return next(table for _, table in self.chunks(self.rows))

    def head(self) -> MoleculeTable:
        """Return the columns without any row."""
        return MoleculeTable(pd.DataFrame(columns=self.columns, dtype=object), self.smiles_col, self.where)

    def chunks(self, size: int, skip: Container[int] = ()) -> Iterator[tuple[int, MoleculeTable]]:
        r"""Yield the number of each chunk of ``size`` rows, from 0, and its rows; those in ``skip`` not.

        Examples
        --------
        >>> _ = Path("in.smi").write_text("CCO a\nCCN b\nCCC c\n")
        >>> [(number, table.smiles) for number, table in open_source("in.smi").chunks(2)]
        [(0, ['CCO', 'CCN']), (1, ['CCC'])]
        """
        for number, frame in self._frames(size, skip):
            first = number * size
            errors = {row - first: why for row, why in self._errors.items() if 0 <= row - first < size}
            yield number, MoleculeTable(frame, self.smiles_col, self.where, errors)


def open_source(path: str | Path, *, smiles_col: str | None = None, sheet: str | None = None) -> TableSource:
    """Open a file of molecules, or a folder of Parquet files, and check all of its records.

    CSV, TSV, lists of SMILES (gzipped or not) and Parquet are read in chunks. SD files, Excel workbooks,
    standard input and text that is not UTF-8 are held whole. Parameters and errors as of
    :func:`~cytomol.tables.molecules.read_molecules`.
    """
    place = Path(path)
    if str(path) != "-" and place.is_dir() and (files := parquet_files(place)):
        return _parquet(place, files, smiles_col)
    if str(path) != "-" and place.is_file() and place.stat().st_size and sheet is None:
        kind = format_of(place)
        if kind == "parquet" and place.suffix == ".parquet":
            return _parquet(place, [place], smiles_col)
        if kind in {*_SEPARATORS, *_LISTS} and (quoted := _plain_text(place, kind)) is not None:
            return _list(place, smiles_col) if kind in _LISTS else _delimited(place, kind, smiles_col, quoted)
    return _whole(read_molecules(path, smiles_col=smiles_col, sheet=sheet), place)


def place_stamp(path: str | Path) -> dict[str, Any]:
    """Return what tells a file, or a folder with all files in it, from another one; empty for neither.

    Examples
    --------
    >>> _ = Path("in.smi").write_text("CCO")
    >>> [size for _, size, _ in place_stamp("in.smi")["files"]]
    [3]
    """
    place = Path(path)
    if place.is_dir():
        return _stamp(sorted(one for one in place.rglob("*") if one.is_file()))
    return _stamp([place]) if place.is_file() else {}


def _stamp(files: Iterable[Path]) -> dict[str, Any]:
    return {
        "files": [[str(one.resolve()), one.stat().st_size, one.stat().st_mtime_ns] for one in files],
    }


def _whole(table: MoleculeTable, path: Path) -> TableSource:
    def frames(size: int, skip: Container[int]) -> Iterator[tuple[int, pd.DataFrame]]:
        for number, start in enumerate(range(0, len(table), size)):
            if number not in skip:
                yield number, table.frame.iloc[start : start + size].reset_index(drop=True)

    names = [str(name) for name in table.frame.columns]
    where, column = table.where, table.smiles_col
    return TableSource(where, column, names, len(table), place_stamp(path), frames, table.errors)


def _checked(source: TableSource) -> TableSource:
    if source.rows == 0:
        raise InputError("holds no molecules", where=source.where)
    return source


def _parquet(place: Path, files: list[Path], smiles_col: str | None) -> TableSource:
    rows, columns = count_parquet(files)
    column = smiles_column(pd.DataFrame(columns=columns, dtype=object), smiles_col, str(place))

    def frames(size: int, skip: Container[int]) -> Iterator[tuple[int, pd.DataFrame]]:
        return parquet_chunks(files, size, skip)

    return _checked(TableSource(str(place), column, columns, rows, _stamp(files), frames))


def _lines(path: Path) -> Iterator[str]:
    with open_bytes(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        yield from text


def _plain_text(path: Path, kind: str) -> bool | None:
    """Say whether UTF-8 text of the kind that its name says has quotes; None for anything else."""
    quoted = False
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open_bytes(path) as raw:
            head = raw.read(_BLOCK)
            seems = sniff_text(head.decode("utf-8-sig", errors="replace"))
            if sniff_bytes(head) or head.startswith((b"\xff\xfe", b"\xfe\xff")) or not head.strip():
                return None
            if seems in {"sdf", "html", "json"} or (kind in _LISTS and seems in {"csv", "semicolons"}):
                return None
            block = head
            while block:
                if b"\0" in block:
                    return None
                decoder.decode(block)
                quoted |= b'"' in block
                block = raw.read(_BLOCK)
            decoder.decode(b"", final=True)
    except (OSError, EOFError, UnicodeDecodeError):
        return None  # the reader of whole files says what is wrong
    return quoted


def _delimited(path: Path, kind: str, smiles_col: str | None, quoted: bool) -> TableSource:
    def scanned() -> DelimitedScan:
        return DelimitedScan(str(path), _SEPARATORS[kind], smiles_col)

    scan = scanned()
    for _ in scan.rows(_lines(path), quoted=quoted):
        pass
    scan.say_short_rows()
    header = parse_records(scan.head, scan, text=True)
    columns = [str(name) for name in header.columns]
    column = smiles_column(header, smiles_col, str(path))

    def frames(size: int, skip: Container[int]) -> Iterator[tuple[int, pd.DataFrame]]:
        again = scanned()
        for number, records in _groups(again.rows(_lines(path), quoted=quoted), size, skip):
            text = again.head + "".join(line for lines in records for line in lines)
            frame = parse_records(text, again, text=True).fillna("")
            if len(frame) != len(records):
                raise InputError(
                    f"holds {counted(len(records), 'record')} from row {number * size + 1} on, but "
                    f"{agreeing(len(frame), 'row', 'was', 'were')} read",
                    where=str(path),
                    hint="are there quotes that do not close?",
                )
            frame.columns = frame.columns.astype(str)
            yield number, frame

    return _checked(TableSource(str(path), column, columns, scan.records, _stamp([path]), frames))


def _list(path: Path, smiles_col: str | None) -> TableSource:
    def lines() -> Iterator[str]:
        for number, line in enumerate(_lines(path)):
            text = line.rstrip("\r\n")
            if number or not is_header(text):
                yield text

    def parsed(some: list[str]) -> tuple[pd.DataFrame, str]:
        return parse_smi_lines(some, where=str(path), smiles_col=smiles_col)

    empty, column = parsed([])
    rows, found = 0, smiles_col is None or not smiles_col.isdigit() or int(smiles_col) == 1
    for _, some in _groups(lines(), 4096, ()):
        rows += len(some)
        found = found or any(parsed(some)[0][column])
    if rows and not found and smiles_col is not None:
        raise InputError(
            f"no line has a field {int(smiles_col)}", where=str(path), hint="choose with --smiles-col"
        )

    def frames(size: int, skip: Container[int]) -> Iterator[tuple[int, pd.DataFrame]]:
        for number, some in _groups(lines(), size, skip):
            yield number, parsed(some)[0]

    return _checked(TableSource(str(path), column, list(empty.columns), rows, _stamp([path]), frames))


def _groups(rows: Iterable[_T], size: int, skip: Container[int]) -> Iterator[tuple[int, list[_T]]]:
    """Yield each ``size`` rows with their number; of those in ``skip`` none are kept."""
    number, count, some = 0, 0, list[_T]()
    for row in rows:
        count += 1
        if number not in skip:
            some.append(row)
        if count == size:
            if some:
                yield number, some
            number, count, some = number + 1, 0, []
    if some:
        yield number, some
