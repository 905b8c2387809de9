"""What a long answer asks of its input: rows in chunks of one size, and how many there are."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, Protocol

__all__ = ["RowSource"]


class RowSource(Protocol):
    """Rows of an input in chunks, as :class:`~cytomol.tables.streaming.table_source.TableSource` has them."""

    @property
    def where(self) -> str:
        """The name of the input."""
        ...

    @property
    def smiles_col(self) -> str:
        """The column of SMILES; "" where rows are not molecules."""
        ...

    @property
    def rows(self) -> int:
        """How many rows there are."""
        ...

    @property
    def stamp(self) -> dict[str, Any]:
        """What tells the input from another one."""
        ...

    def chunks(self, size: int, skip: Container[int] = ()) -> Iterator[tuple[int, Any]]:
        """Yield the number of each chunk of ``size`` rows, from 0, and its rows; those in ``skip`` not."""
        ...
