"""Shards of a long input: which of its chunks one of several runs answers."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from cytomol.counted import agreeing, counted
from cytomol.errors import ConfigError
from cytomol.tables.streaming.table_source import TableSource

__all__ = ["Shard"]


@dataclass(frozen=True)
class Shard:
    """One of ``count`` parts of an input: whole chunks, so that all shards give the bytes of one run.

    Attributes
    ----------
    index, count
        Which one, from 1, and of how many.

    Examples
    --------
    >>> Shard.parse("2/3")
    Shard(index=2, count=3)
    >>> [list(Shard(index, 3).chunks(7)) for index in (1, 2, 3)]
    [[0, 1], [2, 3], [4, 5, 6]]
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``i/n``.

        Raises
        ------
        ConfigError
            If it is not two whole numbers, the first of them from 1 to the second.
        """
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise ConfigError(
                f"is no shard: {text[:40]!r}", where="--shard", hint="1/8 is the first of eight, 8/8 the last"
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """Return ``i/n``."""
        return f"{self.index}/{self.count}"

    def chunks(self, total: int) -> range:
        """Return the numbers of its chunks, from 0, of so many; shards differ by one chunk at most."""
        return range((self.index - 1) * total // self.count, self.index * total // self.count)

    def rows(self, rows: int, chunk_rows: int) -> range:
        """Return its rows, from 0, of an input of so many."""
        chunks = self.chunks(-(-rows // chunk_rows))
        return range(chunks.start * chunk_rows, min(chunks.stop * chunk_rows, rows))

    def of(self, source: TableSource, chunk_rows: int) -> TableSource:
        """Return what is to be answered: the rows of the shard, in chunks with the numbers of the whole.

        Raises
        ------
        ConfigError
            If the input has fewer chunks than there are shards, or cannot be read by several runs.
        """
        if not source.stamp.get("files"):
            raise ConfigError(
                "cannot be divided among several runs",
                where=source.where,
                hint="--shard needs a file or folder that every run can read",
            )
        total = -(-source.rows // chunk_rows)
        if total < self.count:
            most = source.rows // self.count
            rows, chunks = agreeing(source.rows, "row", "is", "are"), counted(total, "chunk")
            raise ConfigError(
                f"its {rows} {chunks} of {chunk_rows:,}, too few for {self.count:,} shards",
                where=source.where,
                hint=f"use --chunk-rows {most} for all of them" if most else "use fewer shards",
            )
        mine = self.chunks(total)

        def frames(size: int, skip: Container[int]) -> Iterator[tuple[int, pd.DataFrame]]:
            return _only(source, size, [number for number in mine if number not in skip])

        return replace(source, rows=len(self.rows(source.rows, chunk_rows)), _frames=frames)


class _AllBut(Container[int]):
    """All numbers but some."""

    def __init__(self, some: list[int]) -> None:
        self._some = frozenset(some)

    def __contains__(self, number: object) -> bool:
        return number not in self._some


def _only(source: TableSource, size: int, wanted: list[int]) -> Iterator[tuple[int, pd.DataFrame]]:
    if wanted:
        for number, table in source.chunks(size, _AllBut(wanted)):
            yield number, table.frame
            if number == wanted[-1]:
                return
