"""Rows of several views and modalities in one table, each of which counts alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cytomol.nn.condense import condense

__all__ = ["JoinedGroups"]


@dataclass(frozen=True)
class JoinedGroups:
    """Rows of all groups, one group after another.

    Attributes
    ----------
    rows
        Shape (n, width).
    part
        Rows that take part, bool, shape (n,); all of them when None.
    weight
        Weight of each row, shape (n,): equal within a group, and of equal sum over the groups that have rows;
        all weights add up to 1, and a row that takes no part weighs 0.
    filled
        Groups with rows that take part, at least 1, a scalar.
    sizes
        Rows of each group.
    """

    rows: Tensor
    part: Tensor | None
    weight: Tensor
    filled: Tensor
    sizes: list[int]

    @classmethod
    def build(cls, groups: Iterable[tuple[Tensor, Tensor | None]]) -> JoinedGroups:
        """Join groups: rows, shape (m, width), and which take part, bool, shape (m,), or None for all."""
        tables, parts = [], []
        for rows, part in groups:
            left, (table,) = condense(part, rows)
            tables.append(table)
            parts.append(left)
        joined, sizes = torch.cat(tables), [len(table) for table in tables]
        whole = all(part is None for part in parts)
        every = [
            joined.new_ones(size, dtype=torch.bool) if part is None else part
            for size, part in zip(sizes, parts, strict=True)
        ]
        numbers = torch.stack([part.sum() for part in every])
        filled = (numbers > 0).sum().clamp(min=1)
        shares = 1 / (numbers.clamp(min=1) * filled)
        weight = torch.cat([part * share for part, share in zip(every, shares.unbind(), strict=True)])
        return cls(joined, None if whole else torch.cat(every), weight, filled, sizes)

    def apart(self, table: Tensor) -> Iterator[tuple[Tensor, Tensor | None, Tensor]]:
        """Yield of each group its rows, those that take part, and its rows of ``table``, shape (n, ...)."""
        parts = [None] * len(self.sizes) if self.part is None else torch.split(self.part, self.sizes)
        yield from zip(torch.split(self.rows, self.sizes), parts, torch.split(table, self.sizes), strict=True)
