"""Measured profiles that do not lie in memory: one a molecule in a file, of which each part reads its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.same_molecule import molecule_key
from cytomol.corpus.align_features import aligned_profiles
from cytomol.corpus.feature_columns import ColumnReport
from cytomol.corpus.profiles import ProfileTable, aggregate_profiles
from cytomol.corpus.readers import read_profile_parts
from cytomol.corpus.rowkeys import row_keys
from cytomol.counted import agreeing, counted
from cytomol.errors import ConfigError, InputError, OutputError
from cytomol.predict.profile_block import ProfileBlock
from cytomol.predict.profile_source import (
    ProfileSource,
    corrected_profiles,
    joined_nothing,
    keys_by_id,
    meant_modality,
    structure_keys,
)
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.streaming.table_source import TableSource

if TYPE_CHECKING:
    from cytomol.artifact.backbone import Backbone

__all__ = ["KeptProfiles", "keep_profiles"]

_ROWS = 8192  # profiles that are in memory at once


@dataclass(frozen=True)
class KeptProfiles:
    """Profiles of one modality in a folder, in the order of their table.

    Attributes
    ----------
    folder
        Where they lie.
    name, columns
        The modality and its features.
    rows
        Profiles of the table; what a molecule has stands in the first row of its own.
    """

    folder: Path
    name: str
    columns: tuple[str, ...]
    rows: int

    @cached_property
    def place(self) -> dict[str, int]:
        """Row of each molecule, by its key."""
        table = pd.read_parquet(self.folder / "keys.parquet")
        return dict(zip(table["key"].tolist(), table["row"].tolist(), strict=True))

    def block(self) -> ProfileBlock:
        """Return the profiles, mapped from disk anew: what has been read of them is given back with it."""
        corrected = self._mapped("corrected") if (self.folder / "corrected").is_file() else None
        return ProfileBlock(self.name, self.columns, self._mapped("values"), self.place, corrected)

    def _mapped(self, name: str, mode: Literal["r", "r+"] = "r") -> NDArray[np.float32]:
        shape = (self.rows, len(self.columns))
        return np.memmap(self.folder / name, np.float32, mode=mode, shape=shape)

    def merge(self, first: NDArray[np.int64], order: NDArray[np.int64]) -> None:
        """Write the median of each molecule with several rows into the first of them, some at a time.

        Parameters
        ----------
        first
            Where each molecule's rows begin in ``order``, and where the last one's end, from 0.
        order
            Rows of the table, those of a molecule beside each other and rising.
        """
        repeated = np.flatnonzero(np.diff(first) > 1)
        ends = np.cumsum(np.diff(first)[repeated])
        start = 0
        while start < len(repeated):
            # as many molecules as have some thousand profiles together, at least one
            done = int(ends[start - 1]) if start else 0
            end = max(start + 1, int(np.searchsorted(ends, done + _ROWS, side="right")))
            some = repeated[start:end]
            rows = np.concatenate([order[first[one] : first[one + 1]] for one in some])
            of_row = np.repeat(np.arange(len(some)), np.diff(first)[some])
            for name in ("values", "corrected"):
                if (self.folder / name).is_file():
                    matrix = self._mapped(name, "r+")
                    matrix[order[first[some]]] = aggregate_profiles(of_row, matrix[rows], "median")[1]
            start = end


def keep_profiles(
    sources: Sequence[str],
    molecules: TableSource,
    folder: Path,
    *,
    known: Sequence[ProfileBlock],
    backbone: Backbone | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[KeptProfiles]:
    """Write the profiles of tables into a folder, as one :class:`ProfileBlock` a modality would hold them.

    Memory holds some rows and the keys of all; a table in a format that is read whole (GCT), and a corpus,
    are in memory once. Parameters and errors as of
    :func:`~cytomol.predict.profile_source.read_profile_blocks`, with the input in chunks.
    """
    kept: list[KeptProfiles] = []
    for number, text in enumerate(sources):
        place = folder / str(number)
        place.mkdir(parents=True)
        table = _Table(ProfileSource.parse(text), known, place)
        try:
            one = table.keep(molecules, backbone)
        except OSError as error:
            raise OutputError(
                f"profiles cannot be kept for the time of the run: {error.strerror or error}",
                where=str(folder),
                hint="make room there, or set TMPDIR to a folder with more",
            ) from error
        if one.name in [other.name for other in kept]:
            raise ConfigError(
                f"two sources of profiles are called {one.name!r}", hint="--profiles NAME=FILE names one"
            )
        have = agreeing(table.molecules, "molecule", "has", "have")
        say(f"profiles {one.name}: {have} one ({counted(len(one.columns), 'feature')})")
        kept.append(one)
    return kept


class _Table:
    """Reads a table of profiles in parts and writes what becomes of it."""

    def __init__(self, source: ProfileSource, known: Sequence[ProfileBlock], folder: Path) -> None:
        self._source, self._known, self._folder = source, known, folder
        self._meant: ProfileBlock | None = None
        self.molecules = 0

    def _parts(self) -> Iterator[ProfileTable]:
        """Yield the profiles with the features that the model has learnt from, some rows at a time."""
        where = str(self._source.path)
        if self._source.path.is_dir():
            name, table = self._source.read()
            meant = self._meant = meant_modality(self._source.name, name, table, self._known)
            for start in range(0, len(table), _ROWS):
                part = slice(start, start + _ROWS)
                values = aligned_profiles(
                    table.features[part], table.columns, meant.columns, name=meant.called, where=where
                )
                metadata = table.metadata.iloc[part].reset_index(drop=True)
                yield ProfileTable(where, metadata, values, meant.columns)
            return

        def pick(report: ColumnReport) -> tuple[str, ...]:
            features = tuple(report.features)
            empty = ProfileTable(where, pd.DataFrame(), np.empty((0, len(features)), np.float32), features)
            name = self._source.name or self._source.path.name.split(".")[0]
            meant = self._meant = meant_modality(self._source.name, name, empty, self._known)
            aligned_profiles(empty.features, features, meant.columns, name=meant.called, where=where)
            return meant.columns

        yield from read_profile_parts(self._source.path, pick, rows=_ROWS)

    def keep(self, molecules: TableSource, backbone: Backbone | None) -> KeptProfiles:
        """Write values and keys; repeats of a molecule become their median."""
        keys, open_metadata, total = list[NDArray[np.object_]](), list[pd.DataFrame](), 0
        measured, columns = list[NDArray[np.bool_]](), list[str]()
        for part in self._parts():
            assert self._meant is not None
            metadata = part.metadata.reset_index(drop=True)
            found = row_keys(metadata)
            columns, key = found.columns or columns, structure_keys(found)
            values = np.where(np.isinf(part.features), np.float32(np.nan), part.features)
            self._add("values", values)
            self._add("corrected", corrected_profiles(self._meant, values, metadata, backbone))
            keys.append(key)
            measured.append(np.asarray(~np.isnan(values).all(axis=1)))
            if (key == "").any():
                place = {_PLACE: total + np.flatnonzero(key == "")}
                open_metadata.append(metadata[key == ""].assign(**place))
            total += len(values)
        meant = self._meant
        if meant is None:
            raise InputError("holds no profiles", where=str(self._source.path))
        key = np.concatenate(keys)
        _fill_by_id(key, open_metadata, molecules)
        rows = np.flatnonzero((key != "") & np.concatenate(measured))
        if not _any_joined(set(key[rows].tolist()), molecules):
            raise joined_nothing(total, columns, where=str(self._source.path), molecules=molecules.where)
        names, of_row = np.unique(key[rows].astype(str), return_inverse=True)
        order = np.argsort(of_row, kind="stable")
        first = np.searchsorted(of_row[order], np.arange(len(names) + 1))
        kept = KeptProfiles(self._folder, meant.name, meant.columns, total)
        kept.merge(first, rows[order])
        table = pd.DataFrame({"key": names.astype(object), "row": rows[order[first[:-1]]]})
        table.to_parquet(self._folder / "keys.parquet", index=False)
        self.molecules = len(names)
        return kept

    def _add(self, name: str, matrix: NDArray[np.float32] | None) -> None:
        if matrix is not None:
            with (self._folder / name).open("ab") as handle:
                np.ascontiguousarray(matrix, np.float32).tofile(handle)


_PLACE = " row of the table"


def _fill_by_id(key: NDArray[np.object_], parts: list[pd.DataFrame], molecules: TableSource) -> None:
    """Give rows without a structure the key of the molecule that has their id."""
    if not parts:
        return
    metadata = pd.concat(parts, ignore_index=True)
    places = metadata.pop(_PLACE).to_numpy(np.int64)

    def tables() -> Iterator[MoleculeTable]:
        return (table for _, table in molecules.chunks(_ROWS))

    asked = np.ones(len(metadata), dtype=bool)
    key[places] = keys_by_id(row_keys(metadata), metadata, tables, molecules.head(), asked)


def _any_joined(keys: set[str], molecules: TableSource) -> bool:
    """Say whether a molecule of the input has a profile; the first one that has ends the search."""
    return bool(keys) and any(
        molecule_key(smiles) in keys for _, table in molecules.chunks(_ROWS) for smiles in table.smiles
    )
