"""Formats in which a corpus comes, by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import ColumnChoice
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable
from cytomol.corpus.readers import anndata, gct, gctx, own, published_layout, pycytominer  # noqa: F401 (they register)
from cytomol.corpus.readers.base import CorpusReader, FeaturePick, ProfileReader, readers
from cytomol.corpus.schema import Corpus
from cytomol.errors import InputError
from cytomol.files import require_file, settled

__all__ = [
    "CorpusReader",
    "FeaturePick",
    "ProfileReader",
    "find_reader",
    "read_corpus",
    "read_profile_columns",
    "read_profile_metadata",
    "read_profile_parts",
    "read_profiles",
    "readers",
]


def read_corpus(path: str | Path, format: str = "auto", *, problems: Problems | None = None) -> Corpus:  # noqa: A002
    """Read a corpus in any known format.

    Parameters
    ----------
    path
        Directory (own layout, InfoAlign/CHMR layout) or file (one table of profiles).
    format
        Name of the format, or "auto" to tell by the content.
    problems
        Collects errors instead of raising the first, when made with ``strict=False``.

    Returns
    -------
    Corpus
        With ``notes`` on everything that did not join.

    Raises
    ------
    InputError
        If something is missing, corrupt, or joins nothing.
    ConfigError
        If the format is unknown.

    Examples
    --------
    >>> from cytomol.corpus.planted import write_planted
    >>> planted = write_planted("corpus", 200)
    >>> len(read_corpus("corpus"))
    200
    """
    path = settled(path)
    if not path.exists():
        raise InputError("corpus not found", where=str(path), hint="check the path")
    return find_reader(path, format).read(path, problems or Problems())


def find_reader(path: Path, format: str = "auto") -> CorpusReader:  # noqa: A002
    """Return the reader of the named format, or the one that recognises the path."""
    if format != "auto":
        return readers[format]()
    for name in readers:
        reader = readers[name]()
        if reader.recognises(path):
            return reader
    raise InputError(
        "is in no known corpus format", where=str(path), hint=f"known: {', '.join(readers.names())}"
    )


def read_profiles(
    path: str | Path,
    format: str = "auto",  # noqa: A002
    *,
    id_column: str | None = None,
    choice: ColumnChoice | None = None,
    layer: str | None = None,
    rows: NDArray[np.bool_] | None = None,
) -> ProfileTable:
    """Read one table of profiles (pycytominer, AnnData, GCT, GCTX), not joined to anything yet.

    Parameters
    ----------
    path
        The file.
    format
        Name of the format, or "auto" to tell by the file's name.
    id_column
        Column of ids, where its name does not say so.
    choice
        Which columns the user wants as features.
    layer
        Matrix to read, in formats that hold several (AnnData).
    rows
        Rows to read, of a format whose metadata can be read alone; None reads all.

    Raises
    ------
    InputError
        If the file cannot be read, is no table of profiles, or has no layers and one is asked for.
    """
    reader = _layered(_profile_reader(path, format), path, layer)
    return reader.table(Path(path), id_column=id_column, choice=choice, layer=layer, rows=rows)


def read_profile_parts(
    path: str | Path,
    pick: FeaturePick,
    *,
    rows: int,
    layer: str | None = None,
    beside: tuple[str, ...] = (),
) -> Iterator[ProfileTable]:
    """Yield the rows of a table of profiles, some at a time, in their order.

    CSV, TSV, Parquet, AnnData and GCTX are never whole in memory; GCT, which stands on its side, is.

    Parameters
    ----------
    path
        The file.
    pick
        Is told which columns are features and returns those that are wanted, in their order.
    rows
        Rows of a part; the last may have fewer.
    layer
        Matrix to read, in formats that hold several (AnnData).
    beside
        Columns that stand in the metadata, even if their names are those of features.

    Raises
    ------
    InputError
        As `read_profiles`; what is wrong with a later row is found when it is reached.
    """
    reader = _layered(_profile_reader(path, "auto"), path, layer)
    return reader.parts(Path(path), pick, rows=rows, layer=layer, beside=beside)


def read_profile_columns(path: str | Path) -> list[str] | None:
    """Return the columns of a table, if its format may hold molecules as well as profiles; else None."""
    return _profile_reader(path, "auto").columns(Path(path))


def _layered(reader: ProfileReader, path: str | Path, layer: str | None) -> ProfileReader:
    if layer is not None and not reader.layered:
        raise InputError(
            f"layer {layer!r} is asked for, and only AnnData files have layers",
            where=str(path),
            hint="aim --layer at one table: NAME:LAYER",
        )
    return reader


def read_profile_metadata(path: str | Path) -> pd.DataFrame | None:
    """Return what stands beside the features of a table, if its format lets it be read alone; else None."""
    return _profile_reader(path, "auto").metadata(Path(path))


def _profile_reader(path: str | Path, format: str) -> ProfileReader:  # noqa: A002
    path = require_file(path, what="table of profiles")
    if format == "auto" and not any(_is_table(name) and readers[name]().recognises(path) for name in readers):
        what = (
            "holds arrays, for instance of single cells, and"
            if path.suffix == ".npz"
            else "is of a kind that"
        )
        raise InputError(
            f"{what} is no table of profiles",
            where=str(path),
            hint="tables of profiles are .csv, .tsv, .txt, .parquet, .h5ad, .gct and .gctx files (text also"
            " .gz), one row for each well or treatment: aggregate single cells to wells first, with"
            " pycytominer for instance",
        )
    reader = find_reader(path, format)
    if not isinstance(reader, ProfileReader):
        tables = [name for name in readers if _is_table(name)]
        raise InputError(
            f"format {format!r} is no table of profiles", where=str(path), hint=f"known: {', '.join(tables)}"
        )
    return reader


def _is_table(name: str) -> bool:
    return issubclass(readers[name], ProfileReader)
