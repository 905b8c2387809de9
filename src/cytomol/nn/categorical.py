"""Embeddings of categorical features: of atoms and of bonds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytomol.nn.segments import group_rows, spread

__all__ = ["CategoricalTable"]


class CategoricalTable(nn.Module):
    """Sum of one embedding per categorical column, e = sum over columns k of T_k[x_k].

    All columns share one table. Rows are kept at a norm of one at most, as in the published encoder.

    Parameters
    ----------
    sizes
        Number of categories of each column.
    width
        Width of the embedding, d.
    """

    offsets: Tensor

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.weight = nn.Parameter(torch.empty(sum(sizes), width))
        self.register_buffer("offsets", torch.tensor([0, *accumulate(sizes)][:-1]), persistent=False)
        for part in torch.split(self.weight.detach(), list(sizes)):
            nn.init.xavier_uniform_(part)

    def bounded(self) -> Tensor:
        """Return the table, its rows shortened in place to a norm of one at most."""
        # .data, so that autograd does not see a change: the table is shortened before it is read
        self.weight.data.renorm_(2, 0, 1.0)
        return self.weight

    def forward(self, features: Tensor) -> Tensor:
        """Embed categorical features, int64, shape (n, columns), as (n, d)."""
        if len(features) == 0:
            return self.weight.new_zeros(0, self.weight.shape[1])
        if features.device.type != "cpu" or prod(self.sizes) >= 2**62:
            return self._embed(features)
        # molecules repeat few kinds of atoms: embed each kind once, then look it up
        kinds, kind = torch.unique(self.code(features), return_inverse=True)
        example = torch.empty_like(kinds).scatter_(0, kind, torch.arange(len(kind)))
        return spread(self._embed(features[example]), group_rows(kind, len(kinds), ordered=False))

    def _embed(self, features: Tensor) -> Tensor:
        return functional.embedding_bag(features + self.offsets, self.bounded(), mode="sum")

    def combinations(self) -> Tensor:
        """Embed every combination of categories, shape (product of sizes, d); see ``code``."""
        table = self.weight.new_zeros(1, self.weight.shape[1])
        for part in torch.split(self.bounded(), list(self.sizes)):
            table = (table[:, None, :] + part).flatten(0, 1)
        return table

    def code(self, features: Tensor) -> Tensor:
        """Return the row in ``combinations`` of each row of features, int64, shape (n,)."""
        code = features.new_zeros(len(features))
        for column, size in enumerate(self.sizes):
            code = code * size + features[:, column]
        return code
