"""GCT text (1.2 and 1.3): the tables of the Connectivity Map; columns are samples, rows are features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import ColumnChoice
from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.profiles import ProfileTable, split_matrix
from cytomol.corpus.readers.base import ProfileReader, readers
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.files import require_file
from cytomol.tables.number_texts import as_numbers, read_csv_text
from cytomol.tables.text import cut_lines, read_text

__all__ = ["GctFile", "feature_names", "plain_metadata"]

_SYMBOLS = ("pr_gene_symbol", "gene_symbol", "symbol")


@readers.register("gct")
class GctFile(ProfileReader):
    """``.gct`` or ``.gct.gz``.

    Samples carry the metadata of version 1.3 and their own name as ``id``. Features are called by their
    gene symbols where the row metadata has these (all different), else by the row ids.
    """

    suffixes = ("gct",)

    def table(
        self,
        path: Path,
        *,
        id_column: str | None = None,  # noqa: ARG002
        choice: ColumnChoice | None = None,
        layer: str | None = None,  # noqa: ARG002
        rows: NDArray[np.bool_] | None = None,  # noqa: ARG002
    ) -> ProfileTable:
        """Read ids and features."""
        path = require_file(path, what="GCT file")
        lines = cut_lines(read_text(path))
        version = lines[0].strip() if lines else ""
        if version not in {"#1.2", "#1.3"}:
            raise InputError(
                f"starts with {version[:20]!r}, not with #1.2 or #1.3",
                where=f"{path}, line 1",
                hint="is it GCT?",
            )
        features, samples, row_columns, column_rows = _sizes(lines, version, path)
        header = lines[2].split("\t") if len(lines) > 2 else []
        if len(header) != 1 + row_columns + samples:
            raise InputError(
                f"has {counted(len(header), 'column', comma=False)}, but line 2 announces "
                f"{1 + row_columns + samples}",
                where=f"{path}, line 3",
            )
        body = [line for line in lines[3:] if line.strip()]
        if len(body) != column_rows + features:
            raise InputError(
                f"has {counted(len(body), 'row', comma=False)} after the header, but line 2 announces "
                f"{column_rows + features}",
                where=str(path),
                hint="the file is cut short or was edited",
            )
        first = 1 + row_columns
        about = _split(body[:column_rows], len(header), 4, path)
        metadata = {cells[0]: cells[first:] for cells in about}
        cells = _cells(body[column_rows:], len(header), 4 + column_rows, path)
        about_rows = {name: cells[i].tolist() for i, name in enumerate(header[:first])}
        names = feature_names(about_rows.pop(header[0]), about_rows, str(path))
        values = _numbers(cells.iloc[:, first:], path, 4 + column_rows, header[first:])
        frame = plain_metadata(metadata, header[first:])
        return split_matrix(ProfileTable(str(path), frame, values, names), choice)


def feature_names(ids: list[str], metadata: dict[str, list[str]], where: str) -> tuple[str, ...]:
    """Return gene symbols where they are known and all different, else the ids."""
    for column in _SYMBOLS:
        symbols = as_ids(pd.Series(metadata.get(column, []), dtype=object)).tolist()
        if symbols and all(symbols) and len(set(symbols)) == len(symbols):
            return tuple(symbols)
    repeated = pd.Series(ids)[pd.Series(ids).duplicated()]
    if len(repeated):
        raise InputError(f"feature {repeated.iloc[0]!r} stands twice", where=where)
    return tuple(as_ids(pd.Series(ids, dtype=object)))


def plain_metadata(columns: dict[str, list[Any]], samples: list[str]) -> pd.DataFrame:
    """Return the metadata of the samples as text, "" where missing, with their names as ``id``."""
    cells = {"id": samples} | columns
    return pd.DataFrame({name: as_ids(pd.Series(column, dtype=object)) for name, column in cells.items()})


def _sizes(lines: list[str], version: str, path: Path) -> tuple[int, int, int, int]:
    """Return numbers of features, samples, columns of row metadata and rows of column metadata."""
    cells = lines[1].split() if len(lines) > 1 else []
    wanted = 2 if version == "#1.2" else 4
    if len(cells) < wanted or not all(cell.isdigit() for cell in cells[:wanted]):
        raise InputError(f"does not hold the {wanted} sizes of the table", where=f"{path}, line 2")
    sizes = [int(cell) for cell in cells[:wanted]]
    if 0 in sizes[:2]:
        announced = [counted(sizes[0], "feature", comma=False), counted(sizes[1], "sample", comma=False)]
        raise InputError(f"is empty: it announces {' of '.join(announced)}", where=f"{path}, line 2")
    # Version 1.2 always has one column of row metadata, "Description".
    return (sizes[0], sizes[1], 1, 0) if version == "#1.2" else (sizes[0], sizes[1], sizes[2], sizes[3])


def _split(lines: list[str], width: int, first_line: int, path: Path) -> list[list[str]]:
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, start=first_line):
        if len(row) != width:
            raise InputError(
                f"has {counted(len(row), 'cell', comma=False)} where the header has {width}",
                where=f"{path}, line {number}",
            )
    return rows


def _cells(lines: list[str], width: int, first_line: int, path: Path) -> pd.DataFrame:
    for number, line in enumerate(lines, start=first_line):
        if line.count("\t") != width - 1:
            raise InputError(
                f"has {counted(line.count(chr(9)) + 1, 'cell', comma=False)} where the header has {width}",
                where=f"{path}, line {number}",
            )
    return read_csv_text("\n".join(lines), sep="\t", header=None, quoting=3, dtype={0: str}, low_memory=False)


def _numbers(cells: pd.DataFrame, path: Path, first_line: int, samples: list[str]) -> NDArray[np.float32]:
    """Return the matrix as float32, shape (samples, features)."""
    numbers = cells.apply(as_numbers)
    wrong = (numbers.isna() & cells.notna()).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{cells.iloc[row, column]!r} is not a number",
            where=f"{path}, line {row + first_line}, column {samples[column]}",
        )
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(numbers.to_numpy(np.float64).T.astype(np.float32))
