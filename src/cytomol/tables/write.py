"""Write a table whole or not at all, in the format that its name asks for."""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.errors import OutputError
from cytomol.files import atomic_file, check_output
from cytomol.tables.read import format_of

__all__ = ["check_table_name", "dialect", "plain_column", "write_table"]

_FORMATS = ("csv", "tsv", "parquet", "npz")


def check_table_name(path: str | Path, *, force: bool = False) -> None:
    """Refuse before any work an output that exists, cannot be written or has an unknown suffix."""
    if str(path) == "-":
        return
    path = Path(path)
    if format_of(path) not in _FORMATS:
        raise OutputError(
            f"unknown kind of output {path.suffix!r}",
            where=str(path),
            hint="use .csv, .tsv, .parquet or .npz",
        )
    if path.is_dir():
        raise OutputError("is a directory where a file belongs", where=str(path))
    check_output(path, force=force)


def write_table(
    frame: pd.DataFrame,
    path: str | Path,
    *,
    force: bool = False,
    arrays: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Write ``frame`` to a ``.csv``, ``.tsv`` (also ``.gz``), ``.parquet`` or ``.npz`` file, or ``-``.

    Parameters
    ----------
    frame
        Columns to write; an npz file holds one array per column.
    path
        The output; ``-`` prints CSV.
    force
        Replace an existing file.
    arrays
        Matrices aligned with the rows, shape (rows, width): whole arrays in an npz file, columns
        ``name_0``, ``name_1``, ... in the other formats.
    """
    arrays = arrays or {}
    if format_of(Path(path)) != "npz" and arrays:
        blocks = [
            pd.DataFrame(a, columns=[f"{name}_{i}" for i in range(a.shape[1])]) for name, a in arrays.items()
        ]
        frame = pd.concat([frame.reset_index(drop=True), *blocks], axis=1)
    if str(path) == "-":
        _print(_csv(frame))
        return
    check_table_name(path, force=force)
    with atomic_file(path, force=force) as temporary:
        match format_of(Path(path)):
            case "csv":
                frame.to_csv(temporary, index=False, **dialect(frame))
            case "tsv":
                frame.to_csv(temporary, index=False, sep="\t", **dialect(frame))
            case "parquet":
                frame.to_parquet(temporary, index=False)
            case _:
                columns = {str(name): plain_column(frame[name]) for name in frame.columns}
                _write_npz(temporary, {**columns, **arrays})


def dialect(frame: pd.DataFrame) -> dict[str, Any]:
    """Return how CSV is written: the writer leaves a lone carriage return bare, which would cut the row."""
    text = [str(name) for name in frame.columns]
    for name in frame.columns:
        if frame[name].dtype == object:
            text += [cell for cell in frame[name] if isinstance(cell, str) and "\r" in cell][:1]
    bare = any("\r" in cell for cell in text)
    return {"lineterminator": "\n", "quoting": csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_MINIMAL}


def _csv(frame: pd.DataFrame) -> str:
    text = io.StringIO()
    frame.to_csv(text, index=False, **dialect(frame))
    return text.getvalue()


def _print(text: str) -> None:
    """Write to standard output as UTF-8, whatever encoding the terminal or the system has."""
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    raw.write(text.encode("utf-8"))
    raw.flush()


def _write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an npz file; ``np.savez`` takes arrays as keywords, so that no column could be called file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as handle:
                np.lib.format.write_array(handle, np.asarray(array), allow_pickle=False)


def plain_column(column: pd.Series[Any]) -> NDArray[Any]:
    """Return a column as numbers or fixed-width text, never as pickled objects."""
    if column.dtype == "boolean":  # with missing values: 1, 0 and NaN
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_extension_array_dtype(column.dtype) and column.isna().any():
        return column.astype("string").fillna("").to_numpy(dtype=np.str_)
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.to_numpy()
    return column.fillna("").astype(str).to_numpy(dtype=np.str_)
