"""Parse delimited text, and count its records by a second reader: a row lost or joined is an error."""

from __future__ import annotations

import csv
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pandas as pd

from cytomol.counted import agreeing, counted
from cytomol.errors import InputError, note
from cytomol.tables.columns import smiles_column_of
from cytomol.tables.number_texts import read_csv_text
from cytomol.tables.quotes import opening_line, swallows_rows

__all__ = ["DelimitedScan", "check_header", "parse_csv", "parse_records"]

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_DOUBLE = 'a quote inside a cell is written twice, and the cell between quotes: "5"" tube"'


def parse_csv(
    content: str, *, where: str, separator: str = ",", text: bool = False, smiles_col: str | None = None
) -> pd.DataFrame:
    """Parse delimited text with a header row.

    Parameters
    ----------
    content
        The text.
    where
        The source, for errors.
    separator
        Character between cells.
    text
        Leave every cell the text that stands there; by default columns of numbers become numbers.
    smiles_col
        Column of SMILES, if its name does not say so: it helps to tell a cell of several lines from
        rows that a stray quote swallowed.

    Raises
    ------
    InputError
        If the text is empty, a column name stands twice, a row has more cells than the header or is
        broken over two lines, a quote does not close, or the rows are not as many as the records.
    """
    if not content.strip():
        raise InputError("table is empty", where=where)
    scan = DelimitedScan(where, separator, smiles_col)
    scan.read(content)
    frame = parse_records(content[scan.start :], scan, text=text)
    if len(frame) != scan.records:
        raise InputError(
            f"holds {counted(scan.records, 'record')}, but {agreeing(len(frame), 'row', 'was', 'were')} read",
            where=where,
            hint="are there quotes that do not close?",
        )
    scan.say_short_rows()
    return frame.fillna("") if text and (scan.short or len(scan.header) == 1) else frame


def parse_records(content: str, scan: DelimitedScan, *, text: bool) -> pd.DataFrame:
    """Parse a header and records that were scanned; cells that a short row lacks are missing.

    Parameters
    ----------
    content
        The header and the records below it, all or some.
    scan
        What the scan found of the table.
    text
        Leave every cell the text that stands there.

    Raises
    ------
    InputError
        If a record is malformed.
    """
    try:
        with warnings.catch_warnings():
            # Where the rows are longer than the header, pandas would cut them with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = read_csv_text(
                content,
                sep=scan.separator,
                index_col=False,
                skip_blank_lines=len(scan.header) > 1,
                dtype=str if text else None,
                keep_default_na=not text,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        detail = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise InputError(
            f"is malformed: {detail}", where=scan.where, hint="quote cells that hold the separator"
        ) from None
    return frame


def check_header(header: list[str], *, where: str, separator: str) -> None:
    """Refuse a name that stands twice, and a header that seems to be separated by another character."""
    repeated = [name for name, count in Counter(header).items() if count > 1 and name]
    if repeated:
        raise InputError(
            f"column {repeated[0]!r} stands {header.count(repeated[0])} times in the header",
            where=where,
            hint="give every column its own name",
        )
    if len(header) == 1:
        for other, name in ((";", "semicolons"), ("\t", "tabs"), (",", "commas"), ("|", "bars")):
            if other != separator and other in header[0]:
                raise InputError(
                    f"has one column {header[0]!r}: it seems to be separated by {name}",
                    where=where,
                    hint="save it with commas, or name a tab-separated file .tsv",
                )


@dataclass
class DelimitedScan:
    """A strict pass over the records with Python's own reader: header, count, and what is wrong.

    Attributes
    ----------
    start
        Where the header begins in the content, after empty lines.
    head
        The text of the header.
    header
        Names of the columns.
    records
        Number of records below the header. Empty lines are none, but for a table of one column.
    short
        Line and number of cells of every row that lacks its last cells.
    """

    where: str
    separator: str
    smiles_col: str | None
    start: int = 0
    head: str = ""
    header: list[str] = field(default_factory=list)
    records: int = 0
    short: list[tuple[int, int]] = field(default_factory=list)

    def read(self, content: str) -> None:
        """Read all records."""
        for _ in self.rows((found.group() for found in _LINE.finditer(content)), quoted='"' in content):
            pass

    def rows(self, text: Iterable[str], *, quoted: bool) -> Iterator[list[str]]:
        """Yield the lines of each record below the header, with their ends.

        Parameters
        ----------
        text
            The lines of the table.
        quoted
            Whether there is any quote.
        """
        smiles: int | None = None
        before = 0  # cells of the row before
        records: Iterable[tuple[int, list[str] | int, list[str]]]
        records = self._records(text) if quoted else self._plain_records(text)
        for line, cells, lines in records:
            if not self.header:
                if self._is_blank(lines[0]):
                    self.start += len(lines[0])
                    continue
                header = cells if isinstance(cells, list) else lines[0].rstrip("\r\n").split(self.separator)
                check_header(header, where=self.where, separator=self.separator)
                self.header, self.head = header, "".join(lines)
                chosen = smiles_column_of(header, self.smiles_col)
                smiles = None if chosen is None else header.index(chosen)
                continue
            found = len(cells) if isinstance(cells, list) else cells
            if found < 2 <= len(self.header) and self._is_blank(lines[0]):
                continue
            self.records += 1
            if isinstance(cells, list) and len(lines) > 1:
                self._check_line_ends(line, cells, lines, smiles)
            if found != before or found != len(self.header):
                self._check_width(line, found, before)
            before = found
            yield lines

    def say_short_rows(self) -> None:
        """Note the rows that lack their last cells."""
        if self.short:
            (line, found), more = self.short[0], len(self.short) - 1
            others = f", and {agreeing(more, 'more row', 'is', 'are')} so" if more else ""
            note(
                f"has {found} of {len(self.header)} cells in line {line}{others}: the others are empty",
                where=self.where,
            )

    def _plain_records(self, text: Iterable[str]) -> Iterator[tuple[int, int, list[str]]]:
        """Yield the line, the number of cells and the text of every record where nothing is quoted."""
        for number, line in enumerate(text, start=1):
            yield number, line.count(self.separator) + 1, [line]

    def _records(self, text: Iterable[str]) -> Iterator[tuple[int, list[str], list[str]]]:
        """Yield the first line, the cells and the lines of every record."""
        pending: list[str] = []

        def lines() -> Iterator[str]:
            for line in text:
                pending.append(line)
                yield line

        line = 1
        reader = csv.reader(lines(), delimiter=self.separator, strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._quote_error(error, line, pending) from None
            yield line, cells, list(pending)
            line += len(pending)
            pending.clear()

    def _quote_error(self, error: csv.Error, line: int, pending: list[str]) -> InputError:
        at = line + opening_line(pending, self.separator)
        if "field larger" in str(error) or "unexpected end" in str(error) or len(pending) > 1:
            what = "a quote opens a cell that does not close before the next separator or line end"
        else:
            what = "a cell goes on after its closing quote"
        return InputError(what, where=f"{self.where}, line {at}", hint=_DOUBLE)

    def _is_blank(self, line: str) -> bool:
        return not line.strip(" \r\n" if self.separator == "\t" else " \t\r\n")

    def _check_line_ends(self, line: int, cells: list[str], lines: list[str], smiles: int | None) -> None:
        in_smiles = smiles is not None and smiles < len(cells) and len(cells[smiles].strip().splitlines()) > 1
        if in_smiles or swallows_rows(lines, self.separator, len(self.header), smiles):
            raise InputError(
                f"a quote opens a cell that swallows the rows up to line {line + len(lines) - 1}",
                where=f"{self.where}, line {line + opening_line(lines, self.separator)}",
                hint=_DOUBLE,
            )

    def _check_width(self, line: int, found: int, before: int) -> None:
        width = len(self.header)
        if found > width:
            raise InputError(
                f"is malformed: Expected {width} fields in line {line}, saw {found}",
                where=self.where,
                hint="quote cells that hold the separator",
            )
        if width == 1:
            return
        short = min(found, before or width)
        if found == 1 or (short < width and found + before == width + 1):
            raise InputError(
                f"a row has {short} of {width} cells, as if it were broken over two lines",
                where=f"{self.where}, line {line}",
                hint="join the lines, or write the separators of empty cells",
            )
        if found < width:
            self.short.append((line, found))
