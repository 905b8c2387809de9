"""A binary tree whose leaves are k-means by moving averages; every inner node is the mean of its leaves."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from cytomol.nn.quantizer import CodeBook, quantizers
from cytomol.nn.together import told_by_first
from cytomol.nn.tree_growth import grow_leaves, inner_nodes, pair_leaves

__all__ = ["LeafQuantizer"]

_DECAY = 0.95  # share of a leaf's average that stays at each step
_FIRST = 16  # steps before the tree is first grown anew
_IDLE = 50  # a leaf is dead when this many times its fair share of rows passed without it


@quantizers.register("leaves")
class LeafQuantizer(CodeBook):
    """Binary tree in which a row takes the nearest of all leaves, and with it the nodes above.

    No gradient moves its codes. A leaf is the moving average of the rows that take it, an inner node the
    direction of the sum of its leaves. The tree is grown from the rows of the first batch
    (:func:`~cytomol.nn.tree_growth.grow_leaves`) and anew at steps 16, 64, 256, ..., while the rows still
    move; at steps 32, 128, 512, ... its leaves are paired anew. Dead leaves become rows of the batch.

    Parameters
    ----------
    width, depth
        As of the other trees.
    reseed
        Move leaves that stay unused onto rows of the batch.

    Notes
    -----
    In the published tree each level decides for itself, and what goes wrong at the root cannot be mended
    below. Here the leaves decide, as in k-means, and the tree says which of them are alike.
    """

    codes: Tensor  # type: ignore[assignment]
    sums: Tensor
    steps: Tensor

    def __init__(self, width: int, depth: int, *, reseed: bool = True) -> None:
        super().__init__(width, tuple(2**level for level in range(1, depth + 1)), reseed=reseed)
        leaves = self.codes.detach()[-(2**depth) :].clone()
        del self.codes
        self.register_buffer("codes", inner_nodes(leaves, leaves))
        self.register_buffer("sums", leaves)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self._steps = 0  # the same, known to the host

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        return self.level_sizes[-1]

    def choose(self, similarity: Tensor) -> Tensor:
        """Take the nearest leaf and the nodes above it, (n, codes) -> int64 (n, depth)."""
        leaf = similarity[:, -self.leaves :].argmax(dim=1, keepdim=True)
        depth = len(self.level_sizes)
        above = torch.arange(depth - 1, -1, -1, device=leaf.device)
        return self.starts + torch.bitwise_right_shift(leaf, above)

    def learn(self, directions: Tensor, similarity: Tensor, chosen: Tensor, part: Tensor | None) -> bool:
        """Move leaves towards their rows, and grow or pair them where it is time; every process alike."""
        weight = directions.new_ones(len(directions)) if part is None else part.float()
        if self._grows:
            self._grow(directions, weight)
        else:
            leaf = chosen[:, -1] - self.starts[-1]
            sums = torch.zeros_like(self.sums).index_add_(0, leaf, directions * weight[:, None])
            used = torch.zeros_like(self.sums[:, 0]).index_add_(0, leaf, weight)
            self.sums.mul_(_DECAY).add_(sums, alpha=1 - _DECAY)
            self._place_leaves()
            if self.reseed and len(directions):
                self._move_dead(directions, similarity[:, -self.leaves :], used, weight)
            if _is_power(self._steps) and self._steps >= _FIRST:
                self._pair()
        told_by_first(self.sums, self.codes, self.idle)
        self._steps += 1
        self.steps.add_(1)
        return True

    @property
    def _grows(self) -> bool:
        """Whether this is a step at which the tree is grown from the batch: 0, 16, 64, 256, ..."""
        times = self._steps // _FIRST
        return self._steps == 0 or (
            self._steps % _FIRST == 0 and _is_power(times) and times.bit_length() % 2 == 1
        )

    def _grow(self, directions: Tensor, weight: Tensor) -> None:
        """Grow the tree from the batch; a batch without a row that counts changes nothing."""
        if len(directions) == 0:
            return
        leaves, sums = grow_leaves(directions, len(self.level_sizes), weight=weight)
        some = weight.sum() > 0
        self.sums.copy_(torch.where(some, (1 - _DECAY) * sums, self.sums))
        self.codes.copy_(torch.where(some, inner_nodes(leaves, sums), self.codes))
        self.idle.masked_fill_(some, 0)

    def _place_leaves(self) -> None:
        """Let leaves and inner nodes follow their sums; a leaf that has faded stays where it is."""
        filled = self.sums.norm(dim=1, keepdim=True) > 1e-8
        leaves = torch.where(filled, functional.normalize(self.sums, dim=1), self.codes[-self.leaves :])
        self.codes.copy_(inner_nodes(leaves, self.sums))

    def _move_dead(self, directions: Tensor, similarity: Tensor, used: Tensor, weight: Tensor) -> None:
        """Let dead leaves become the rows that fit their own leaves worst."""
        idle = self.idle[-self.leaves :]
        idle.add_(used.sum().long()).masked_fill_(used > 0, 0)
        dead = idle > _IDLE * self.leaves
        fit = similarity.amax(dim=1).masked_fill(weight == 0, torch.inf)
        worst = fit.argsort(stable=True)
        place = dead.cumsum(dim=0) - 1
        moved = (dead & (place < (weight > 0).sum()))[:, None]
        seeds = directions.index_select(0, worst.index_select(0, place.clamp(0, len(fit) - 1)))
        self.sums.copy_(torch.where(moved, (1 - _DECAY) * seeds, self.sums))
        self._place_leaves()
        idle.masked_fill_(moved[:, 0], 0)

    def _pair(self) -> None:
        """Put leaves that have become alike side by side."""
        order = pair_leaves(self.sums)
        leaves = self.codes[-self.leaves :].index_select(0, order)
        self.sums.copy_(self.sums.index_select(0, order))
        self.idle[-self.leaves :].copy_(self.idle[-self.leaves :].index_select(0, order))
        self.codes.copy_(inner_nodes(leaves, self.sums))

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """Read how many steps were taken, so that an interrupted training goes on alike."""
        super()._load_from_state_dict(*args, **kwargs)
        self._steps = int(self.steps)


def _is_power(number: int) -> bool:
    """Tell whether a number is a power of two."""
    return number > 0 and number & (number - 1) == 0
