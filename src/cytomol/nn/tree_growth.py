"""A binary tree of codes grown from rows at hand: leaves by k-means, then like leaves paired upwards."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["grow_leaves", "inner_nodes", "pair_leaves"]

_POWER_STEPS = 8
_ROUNDS = 12


def grow_leaves(
    rows: Tensor, depth: int, *, weight: Tensor | None = None, rounds: int = _ROUNDS
) -> tuple[Tensor, Tensor]:
    """Divide rows among 2^depth leaves by spherical k-means, like leaves side by side.

    It starts from a tree in which every node is split across the direction in which its rows differ most, so
    that no random start is needed; then every row joins the nearest of all leaves, and leaves are paired
    upwards (:func:`pair_leaves`). Every shape is known beforehand, and nothing is asked of the device.

    Parameters
    ----------
    rows
        Shape (n, d), n > 0; directions count, lengths do not.
    depth
        Levels below the root.
    weight
        How much each row counts, shape (n,); a row of weight 0 is left out. All alike when None.
    rounds
        Rounds of k-means, at each level of the first tree and among the leaves.

    Returns
    -------
    codes
        Of the leaves, at unit length, float32, shape (2^depth, d).
    sums
        Sum of the unit rows of each leaf, shape (2^depth, d); zeros for a leaf without rows.

    Examples
    --------
    >>> import torch
    >>> rows = torch.tensor([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.1]])
    >>> codes, _ = grow_leaves(rows, 1)
    >>> (rows @ codes.T).argmax(dim=1).tolist() in ([0, 0, 1], [1, 1, 0])
    True
    """
    directions = functional.normalize(rows.float(), dim=1)
    weight = directions.new_ones(len(directions)) if weight is None else weight.float()
    weighted = directions * weight[:, None]
    node = torch.zeros(len(directions), dtype=torch.int64, device=directions.device)
    codes = directions[:1]
    for level in range(depth):
        codes, node = _split_nodes(directions, node, 2**level, weight, rounds)
    sums = torch.zeros_like(codes)
    for _ in range(rounds + 1):
        nearest = (directions @ codes.T).argmax(dim=1)
        sums = torch.zeros_like(codes).index_add_(0, nearest, weighted)
        codes = _moved(codes, sums)
    order = pair_leaves(sums)
    return codes.index_select(0, order), sums.index_select(0, order)


def pair_leaves(sums: Tensor) -> Tensor:
    """Find the order of leaves in which the most alike stand side by side, at every level of the tree.

    Of all pairs, the one that loses least by sharing a code is joined first, then the next of those left;
    then partners are exchanged for as long as that lowers the loss. Likewise with the pairs, up to the root.
    What two nodes lose is |s_i| + |s_j| - |s_i + s_j|, the rise of the summed cosine distance of their rows.

    Parameters
    ----------
    sums
        Sum s of the unit rows of each leaf, shape (2^depth, d).

    Returns
    -------
    Leaf at each place, int64, shape (2^depth,): 2k and 2k + 1 are siblings, and so on upwards.
    """
    order = torch.arange(len(sums), device=sums.device)[:, None]
    while len(sums) > 1:
        length = sums.norm(dim=1)
        square = length[:, None] ** 2 + length[None] ** 2 + 2 * (sums @ sums.T)
        loss = length[:, None] + length[None] - square.clamp(min=0).sqrt()
        pairs = _exchanged(_nearest_first(loss), loss)
        order = order.index_select(0, pairs.flatten()).view(len(pairs), -1)
        sums = sums.index_select(0, pairs.flatten()).view(len(pairs), 2, -1).sum(dim=1)
    return order.flatten()


def _nearest_first(loss: Tensor) -> Tensor:
    """Pair nodes, of those left always the two that lose least, (nodes, nodes) -> int64 (nodes / 2, 2)."""
    left = loss.masked_fill(torch.eye(len(loss), dtype=torch.bool, device=loss.device), torch.inf)
    pairs = []
    for _ in range(len(loss) // 2):
        place = left.argmin()
        pair = torch.stack([place // len(loss), place % len(loss)])
        pairs.append(pair)
        left.index_fill_(0, pair, torch.inf).index_fill_(1, pair, torch.inf)
    return torch.stack(pairs)


def _exchanged(pairs: Tensor, loss: Tensor) -> Tensor:
    """Exchange the partners of two pairs, the best exchange first, once for each pair if it still helps."""
    number = len(pairs)
    for _ in range(number):
        first, second = pairs.unbind(dim=1)
        own = loss[first, second]
        now = own[:, None] + own[None]
        straight = loss[first][:, first] + loss[second][:, second] - now  # (a, c) and (b, d)
        crossed = loss[first][:, second] + loss[second][:, first] - now  # (a, d) and (b, c)
        gains = torch.stack([straight, crossed])
        gains = gains.masked_fill(torch.eye(number, dtype=torch.bool, device=loss.device), torch.inf)
        place = gains.argmin()
        way, one, other = place // number**2, place // number % number, place % number
        both = torch.stack([one, other])
        (a, b), (c, d) = pairs.index_select(0, both).unbind()
        partners = torch.where(way == 0, torch.stack([a, c, b, d]), torch.stack([a, d, b, c])).view(2, 2)
        better = gains.flatten().index_select(0, place[None]) < -1e-9
        pairs = torch.where(better, pairs.index_copy(0, both, partners), pairs)
    return pairs


def inner_nodes(leaves: Tensor, sums: Tensor) -> Tensor:
    """Return the unit codes of all levels below the root, level after level, shape (2^(depth+1) - 2, d).

    The code of an inner node is the direction of the sum over its rows; that of a node whose rows cancel
    out, or are none, the direction of its leaves.

    Parameters
    ----------
    leaves
        Codes of the leaves, shape (2^depth, d).
    sums
        Sum of the unit rows of each leaf, shape (2^depth, d).
    """
    levels = [leaves]
    while len(levels[0]) > 2:
        sums = sums.view(len(sums) // 2, 2, -1).sum(dim=1)
        pairs = levels[0].view(len(sums), 2, -1)
        between = functional.normalize(pairs.sum(dim=1) + 1e-4 * pairs[:, 0], dim=1)
        levels.insert(0, _moved(between, sums))
    return torch.cat(levels)


def _moved(codes: Tensor, sums: Tensor) -> Tensor:
    """Return the directions of sums; where a sum is zero, the code stays."""
    filled = sums.norm(dim=1, keepdim=True) > 1e-8
    return torch.where(filled, functional.normalize(sums, dim=1), codes)


def _split_nodes(
    directions: Tensor, node: Tensor, nodes: int, weight: Tensor, rounds: int
) -> tuple[Tensor, Tensor]:
    """Split every node of a level in two; return the children's codes and the child of each row."""
    weighted = directions * weight[:, None]
    total = weight.new_zeros(nodes).index_add_(0, node, weight).clamp(min=1e-12)
    mean = directions.new_zeros(nodes, directions.shape[1]).index_add_(0, node, weighted) / total[:, None]
    apart = directions - mean.index_select(0, node)
    axis = _main_axes(apart, node, nodes, weight)
    right = ((apart * axis.index_select(0, node)).sum(dim=1) > 0).long()
    # the place of a child that no row reaches, just beside its parent
    beside = torch.stack([mean - 1e-3 * axis, mean + 1e-3 * axis], dim=1).flatten(0, 1)
    codes, child = functional.normalize(beside, dim=1), 2 * node + right
    for _ in range(rounds):
        codes = _moved(codes, torch.zeros_like(codes).index_add_(0, child, weighted))
        across = (codes[1::2] - codes[0::2]).index_select(0, node)
        child = 2 * node + ((directions * across).sum(dim=1) > 0).long()
    return codes, child


def _main_axes(apart: Tensor, node: Tensor, nodes: int, weight: Tensor) -> Tensor:
    """Return the direction in which each node's rows differ most, by power iteration, shape (nodes, d)."""
    start = torch.arange(1.0, apart.shape[1] + 1, device=apart.device).sin()
    axis = functional.normalize(start.expand(nodes, -1), dim=1)
    weighted = apart * weight[:, None]
    for _ in range(_POWER_STEPS):
        along = (apart * axis.index_select(0, node)).sum(dim=1, keepdim=True)
        axis = functional.normalize(torch.zeros_like(axis).index_add_(0, node, weighted * along), dim=1)
    return axis
