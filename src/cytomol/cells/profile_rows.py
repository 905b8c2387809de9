"""A table of profiles in chunks of equal size, with its number of rows: as molecules are streamed."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from cytomol.cells.modality import NamedFeatures
from cytomol.cells.profile_stream import ProfileChunk, count_profiles, read_profile_chunks
from cytomol.tables.streaming.table_source import place_stamp

__all__ = ["ProfileRows", "equal_chunks"]


@dataclass(frozen=True)
class ProfileRows:
    """Profiles of a file, some rows at a time.

    Attributes
    ----------
    where
        The file.
    modality
        Whose features are looked for.
    layer, beside
        See :func:`~cytomol.cells.profile_stream.read_profile_chunks`.
    """

    where: str
    modality: NamedFeatures
    layer: str | None = None
    beside: tuple[str, ...] = ()

    @property
    def smiles_col(self) -> str:
        """Profiles are found by no column of SMILES."""
        return ""

    @cached_property
    def rows(self) -> int:
        """How many there are; the table is read once to count them, with one feature."""
        return count_profiles(self.where, self.modality, layer=self.layer)

    @property
    def stamp(self) -> dict[str, Any]:
        """What tells the table from another one."""
        return place_stamp(self.where)

    def chunks(self, size: int, skip: Container[int] = ()) -> Iterator[tuple[int, ProfileChunk]]:
        """Yield the number of each chunk of ``size`` rows, from 0, and its rows; those in ``skip`` not."""
        parts = read_profile_chunks(
            self.where, self.modality, layer=self.layer, rows=size, beside=self.beside
        )
        for number, chunk in enumerate(equal_chunks(parts, size)):
            if number not in skip:
                yield number, chunk


def equal_chunks(parts: Iterable[ProfileChunk], size: int) -> Iterator[ProfileChunk]:
    """Cut parts of a table into chunks of ``size`` rows; the last may have fewer.

    Examples
    --------
    >>> rows = np.arange(5, dtype=np.float32)[:, None]
    >>> about = pd.DataFrame({"id": list("abcde")})
    >>> parts = [ProfileChunk(0, about[:3], rows[:3]), ProfileChunk(3, about[3:], rows[3:])]
    >>> [(one.start, one.metadata["id"].tolist()) for one in equal_chunks(parts, 2)]
    [(0, ['a', 'b']), (2, ['c', 'd']), (4, ['e'])]
    """
    start, waiting = 0, list[ProfileChunk]()
    for part in parts:
        rest = part
        while len(rest):
            wanted = size - sum(map(len, waiting))
            waiting.append(_cut(rest, 0, wanted))
            rest = _cut(rest, wanted, len(rest))
            if sum(map(len, waiting)) == size:
                yield _one(waiting, start)
                start, waiting = start + size, []
    if waiting:
        yield _one(waiting, start)


def _cut(chunk: ProfileChunk, first: int, end: int) -> ProfileChunk:
    return ProfileChunk(chunk.start + first, chunk.metadata.iloc[first:end], chunk.values[first:end])  # noqa: PD011 - an array


def _one(chunks: list[ProfileChunk], start: int) -> ProfileChunk:
    if len(chunks) == 1:
        return ProfileChunk(start, chunks[0].metadata.reset_index(drop=True), chunks[0].values)
    metadata = pd.concat([one.metadata for one in chunks], ignore_index=True)
    return ProfileChunk(start, metadata, np.concatenate([one.values for one in chunks]))  # noqa: PD011
