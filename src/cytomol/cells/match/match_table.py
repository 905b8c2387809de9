"""A table of molecules or of profiles: which of the two it is, and the places of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.modality import NamedFeatures
from cytomol.cells.profile_rows import ProfileRows
from cytomol.cells.profile_stream import CHUNK, ProfileChunk
from cytomol.cells.space import Space
from cytomol.corpus.feature_columns import some
from cytomol.corpus.identifiers import COMPOUND_NAMES, GENE_IDS, INCHIKEYS, MOLECULE_IDS, plain_name
from cytomol.corpus.readers import read_profile_columns
from cytomol.errors import InputError
from cytomol.nn.allocator import give_back_memory
from cytomol.tables.columns import find_column, smiles_column_of
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.read import format_of
from cytomol.tables.streaming import TableSource, open_source

__all__ = ["Holds", "MatchTable", "PlacedRows", "Rows", "match_table"]

Holds = Literal["molecules", "profiles"]
Rows = TableSource | ProfileRows
Progress = Callable[[int, int], None]
_BOTH = {"csv", "tsv", "txt", "parquet"}  # formats that hold the one or the other
_PROFILES = {"h5ad", "gct", "gctx"}
_IDS = (*MOLECULE_IDS, *GENE_IDS, "name", "title", *COMPOUND_NAMES, *INCHIKEYS)


@dataclass(frozen=True)
class PlacedRows:
    """Some rows of a table with their places.

    Attributes
    ----------
    start
        Row of the table, from 0, with which they begin.
    about
        Text, one row each: ``id``, ``smiles`` ("" where there is none), ``error`` (why a row has no place;
        "" if it has one), and ``kept_NAME`` for every column that was asked for.
    places
        float32, shape (rows, width of the space); NaN where there is an error.
    """

    start: int
    about: pd.DataFrame
    places: NDArray[np.float32]

    def after(self, row: int) -> PlacedRows:
        """Return the rows from a row of the table on."""
        first = row - self.start
        return PlacedRows(row, self.about.iloc[first:].reset_index(drop=True), self.places[first:])

    def cut(self, rows: int) -> Iterator[PlacedRows]:
        """Yield so many rows after the other."""
        for first in range(0, len(self.about), rows):
            about = self.about.iloc[first : first + rows].reset_index(drop=True)
            yield PlacedRows(self.start + first, about, self.places[first : first + rows])


@dataclass(frozen=True)
class MatchTable:
    """A table that is to be matched.

    Attributes
    ----------
    path
        The file; "-" for molecules from standard input.
    holds
        "molecules" or "profiles".
    smiles_col, id_col
        Columns to use, where their names do not say it.
    layer
        Matrix to read, in formats that hold several (AnnData).
    """

    path: str
    holds: Holds
    smiles_col: str | None = None
    id_col: str | None = None
    layer: str | None = None
    _opened: dict[tuple[str, ...], Rows] = field(default_factory=dict, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs, which gets its rows handed."""
        return {**self.__dict__, "_opened": {}}

    def rows_of(self, modality: NamedFeatures, keep: Sequence[str] = ()) -> Rows:
        """Open the table, once, and return its rows in chunks: molecules, or profiles of a modality.

        Raises
        ------
        InputError
            If the table cannot be read, or lacks a column.
        """
        beside = tuple(dict.fromkeys(n for n in (self.id_col, self.smiles_col, *keep) if n is not None))
        if beside not in self._opened:
            self._opened[beside] = (
                ProfileRows(self.path, modality, self.layer, beside)
                if self.holds == "profiles"
                else open_source(self.path, smiles_col=self.smiles_col)
            )
        return self._opened[beside]

    def placed(
        self,
        space: Space,
        *,
        keep: Sequence[str] = (),
        start: int = 0,
        rows: int = CHUNK,
        batch_size: int = 256,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> Iterator[PlacedRows]:
        """Yield the places of all rows in their order, some rows at a time.

        Parameters
        ----------
        space
            Where they are placed.
        keep
            Further columns wanted.
        start
            Row, from 0, before which the table has been placed: where a part ended.
        rows
            Rows that are in memory at once.
        batch_size, workers
            Molecules in a pass, and processes that featurize; None chooses.
        progress
            Called with (rows done, rows in all); in all is unknown, and so the rows done, for profiles.

        Raises
        ------
        InputError
            If the table cannot be read, or lacks a column.
        """
        source = self.rows_of(space.modality, keep)
        for number, chunk in source.chunks(rows, range(start // rows)):
            first = number * rows
            part = self.place(chunk, space, first=first, keep=keep, batch_size=batch_size, workers=workers)
            end = first + len(part.about)
            if end <= start:
                continue
            yield part if first >= start else part.after(start)
            if progress is not None:
                progress(end, end if self.holds == "profiles" else source.rows)

    def place(
        self,
        chunk: MoleculeTable | ProfileChunk,
        space: Space,
        *,
        first: int,
        keep: Sequence[str] = (),
        batch_size: int = 256,
        workers: int | None = None,
    ) -> PlacedRows:
        """Return the places of a chunk, whose first row is row ``first`` of the table, from 0.

        Further parameters as of :meth:`placed`.
        """
        if isinstance(chunk, MoleculeTable):
            frame, smiles, column = chunk.frame, chunk.smiles, chunk.smiles_col
            store = space.store(smiles, workers=workers)
            places, _ = space.molecules(store, batch_size=batch_size)
            errors = [chunk.errors.get(row, error) for row, error in enumerate(store.errors)]
            places[np.array([bool(error) for error in errors], dtype=bool)] = np.nan
            give_back_memory()
        else:
            frame, found = chunk.metadata, self._smiles_column(chunk.metadata)
            smiles = [""] * len(chunk) if found is None else _texts(frame[found])
            column = found or ""
            places = space.profiles(chunk.values)
            errors = np.where(np.isnan(places).any(axis=1), "nothing was measured", "").tolist()
        kept = [find_column(frame, name, where=self.path, option="--keep") for name in keep]
        named = self._id_column(frame, besides=column)
        return PlacedRows(first, _about(frame, named, smiles, errors, kept), places)

    def _smiles_column(self, frame: pd.DataFrame) -> str | None:
        """Return the column with the SMILES of profiles, if there is one."""
        if self.smiles_col is not None:
            return find_column(
                frame, self.smiles_col, where=self.path, option="--query-smiles, --candidate-smiles"
            )
        names = map(str, frame.columns)
        return next((name for name in names if plain_name(name).endswith("smiles")), None)

    def _id_column(self, frame: pd.DataFrame, besides: str) -> str | None:
        """Return the column of ids: the one asked for, else the first of those that are called so."""
        if self.id_col is not None:
            return find_column(frame, self.id_col, where=self.path, option="--query-id, --candidate-id")
        plain = {plain_name(str(name)): str(name) for name in reversed(frame.columns) if name != besides}
        return next((plain[name] for name in _IDS if name in plain), None)


def _about(
    frame: pd.DataFrame,
    named: str | None,
    smiles: Sequence[str],
    errors: Sequence[str],
    kept: Sequence[str],
) -> pd.DataFrame:
    columns: dict[str, Sequence[str]] = {
        "id": [""] * len(frame) if named is None else _texts(frame[named]),
        "smiles": smiles,
        "error": errors,
    }
    return pd.DataFrame(columns | {f"kept_{name}": _texts(frame[name]) for name in kept}, dtype=object)


def _texts(column: pd.Series[str]) -> list[str]:
    return ["" if none else str(cell) for cell, none in zip(column, column.isna(), strict=True)]


def match_table(
    path: str,
    modality: NamedFeatures,
    *,
    holds: Holds | None = None,
    smiles_col: str | None = None,
    id_col: str | None = None,
    layer: str | None = None,
) -> MatchTable:
    """Tell whether a file holds molecules or profiles of a modality.

    A table with features of the modality holds profiles; without, but with SMILES, molecules.

    Parameters
    ----------
    path
        The file.
    modality
        Whose features are looked for.
    holds
        What the user says that it holds.
    smiles_col, id_col, layer
        As in `MatchTable`.

    Raises
    ------
    InputError
        If it holds neither.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> match_table("hits.smi", SimpleNamespace(name="morphology", columns=("Cells_Area",))).holds
    'molecules'
    """
    kind = format_of(Path(path))
    if holds is None and (path == "-" or kind not in _BOTH):
        holds = "profiles" if kind in _PROFILES else "molecules"
    if holds is None:
        names = read_profile_columns(path) or []
        if set(names) & set(modality.columns):
            holds = "profiles"
        elif smiles_column_of(names, smiles_col) is not None:
            holds = "molecules"
        else:
            raise InputError(
                f"holds neither SMILES nor features of {modality.name}",
                where=path,
                hint=f"columns: {some(names, 6)}; the features are {some(modality.columns, 3)}; a column of"
                " SMILES under another name is chosen by --query-smiles or --candidate-smiles",
            )
    return MatchTable(path, holds, smiles_col, id_col, layer)
