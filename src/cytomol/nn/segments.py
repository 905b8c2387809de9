"""Sums and look-ups over sorted groups of rows, each the other's gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["GroupedEdges", "Groups", "Kinds", "group_rows", "message_sum", "spread", "total"]


@dataclass(frozen=True)
class Groups:
    """Rows that belong to groups, arranged so that every sum is one pass over consecutive rows.

    Attributes
    ----------
    index
        Group of each row, int64, shape (rows,).
    order
        Rows sorted by group, int64, shape (rows,).
    offsets
        First row of each group in ``order``, int64, shape (groups,).
    """

    index: Tensor
    order: Tensor
    offsets: Tensor

    def sum(self, values: Tensor) -> Tensor:
        """Add the rows of each group, without a gradient: (rows, d) -> (groups, d)."""
        if len(self.order) == 0 or len(self.offsets) == 0:
            return values.new_zeros(len(self.offsets), values.shape[1])
        return functional.embedding_bag(self.order, values, self.offsets, mode="sum")


@dataclass(frozen=True)
class Kinds:
    """Rows of a few kinds, each with many rows.

    Attributes
    ----------
    index
        Kind of each row, int64, shape (rows,).
    count
        Number of kinds.
    """

    index: Tensor
    count: int

    def sum(self, values: Tensor) -> Tensor:
        """Add the rows of each kind, without a gradient: (rows, d) -> (kinds, d).

        By a matrix product with one column of zeros and ones for each kind: a GPU that walks along groups
        would wait for the largest, which holds half of all bonds.
        """
        member = values.new_zeros(len(values), self.count)
        return member.scatter_(1, self.index[:, None], 1.0).t() @ values


@dataclass(frozen=True)
class GroupedEdges:
    """Directed edges grouped by source node, by target node and by kind of bond."""

    sources: Groups
    targets: Groups
    bonds: Kinds


def group_rows(index: Tensor, groups: int, *, ordered: bool = False, order: Tensor | None = None) -> Groups:
    """Arrange rows by group.

    Parameters
    ----------
    index
        Group of each row, int64, shape (rows,).
    groups
        Number of groups; a group may have no rows.
    ordered
        Whether ``index`` is known to be non-decreasing.
    order
        The rows sorted by group, int64, shape (rows,), where that is known already.
    """
    if order is not None:
        ascending = index.index_select(0, order)
    elif ordered:
        order, ascending = torch.arange(len(index), device=index.device), index
    else:
        ascending, order = torch.sort(index, stable=True)
    offsets = torch.searchsorted(ascending, torch.arange(groups, device=index.device))
    return Groups(index, order, offsets)


class _Total(torch.autograd.Function):
    """y_g = sum of x_r over the rows r of group g; dx_r = dy_g."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, groups: Groups) -> Tensor:
        ctx.groups = groups
        return groups.sum(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].index_select(0, ctx.groups.index), None


class _Spread(torch.autograd.Function):
    """y_r = x_g for the group g of row r; dx_g = sum of dy_r over the rows of g."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, groups: Groups | Kinds) -> Tensor:
        ctx.groups = groups
        return values.index_select(0, groups.index)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.groups.sum(gradients[0].contiguous()), None


class _MessageSum(torch.autograd.Function):
    """y_i = sum over edges j -> i of relu(x_j + t_b); see ``message_sum``."""

    @staticmethod
    def forward(ctx: Any, nodes: Tensor, table: Tensor, edges: GroupedEdges) -> Tensor:
        messages = nodes.index_select(0, edges.sources.index)
        messages += table.index_select(0, edges.bonds.index)
        messages.relu_()
        ctx.save_for_backward(messages > 0)
        ctx.edges = edges
        return edges.targets.sum(messages)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (passed,) = ctx.saved_tensors
        edges: GroupedEdges = ctx.edges
        messages = gradients[0].index_select(0, edges.targets.index)
        messages *= passed
        return edges.sources.sum(messages), edges.bonds.sum(messages), None


def total(values: Tensor, groups: Groups) -> Tensor:
    """Add the rows of each group: (rows, d) -> (groups, d); a group without rows gets zeros."""
    return cast("Tensor", _Total.apply(values, groups))  # type: ignore[no-untyped-call]


def spread(values: Tensor, groups: Groups | Kinds) -> Tensor:
    """Give every row its group's value: (groups, d) -> (rows, d)."""
    return cast("Tensor", _Spread.apply(values, groups))  # type: ignore[no-untyped-call]


def message_sum(nodes: Tensor, table: Tensor, edges: GroupedEdges) -> Tensor:
    """Sum the messages that reach each node: y_i = sum over edges j -> i of relu(x_j + t_bond).

    The edges are never sorted again and no scatter is used: the gradient of each look-up is a sum
    over groups that were arranged once per batch.

    Parameters
    ----------
    nodes
        x, shape (nodes, d).
    table
        t, one row for each kind of bond, shape (kinds, d).
    edges
        Edges j -> i, each with its kind of bond.

    Returns
    -------
    Shape (nodes, d).

    Notes
    -----
    On a GPU with autocast the messages are in its arithmetic, half as many bytes to be moved; the CPU has its
    own loops (``nn.fused``).
    """
    if nodes.is_cuda and torch.is_autocast_enabled("cuda"):
        nodes = nodes.to(torch.get_autocast_dtype("cuda"))
    return cast("Tensor", _MessageSum.apply(nodes, table.to(nodes.dtype), edges))  # type: ignore[no-untyped-call]
