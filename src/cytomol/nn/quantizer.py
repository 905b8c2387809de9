"""Code books of unit-norm codes: a binary tree, or flat."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from cytomol.registry import Registry

__all__ = ["CodeBook", "FlatQuantizer", "Quantized", "TreeQuantizer", "quantizers"]

quantizers: Registry[Callable[..., CodeBook]] = Registry("quantizer")

DEAD_AFTER = 1000  # a code is dead when this many times its fair share of rows passed without it


class Quantized(NamedTuple):
    """Codes chosen for rows.

    Attributes
    ----------
    chosen
        Chosen code of each level, as a row of ``CodeBook.unit_codes``, int64, shape (n, levels).
    path
        The same, numbered within each level, int64, shape (n, levels).
    output
        Straight-through output, shape (n, d): the code of the last level at the row's own length,
        with the gradient of the row.
    """

    chosen: Tensor
    path: Tensor
    output: Tensor


class CodeBook(nn.Module):
    """Codes arranged in levels, chosen by cosine similarity.

    Parameters
    ----------
    width
        d.
    level_sizes
        Number of codes of each level.
    reseed
        In training, move codes that stay unused onto rows of the batch.
    """

    idle: Tensor
    starts: Tensor
    patience: Tensor

    def __init__(self, width: int, level_sizes: tuple[int, ...], *, reseed: bool = True) -> None:
        super().__init__()
        self.level_sizes = level_sizes
        self.reseed = reseed
        total = sum(level_sizes)
        self.codes = nn.Parameter(functional.normalize(torch.randn(total, width), dim=1))
        sizes = torch.tensor(level_sizes)
        self.register_buffer("idle", torch.zeros(total, dtype=torch.int64))
        self.register_buffer("starts", torch.tensor([0, *accumulate(level_sizes)][:-1]), persistent=False)
        self.register_buffer("patience", DEAD_AFTER * sizes.repeat_interleave(sizes), persistent=False)

    def unit_codes(self) -> Tensor:
        """Return all codes at unit length, level after level, shape (codes, d)."""
        return functional.normalize(self.codes.float(), dim=1)

    def choose(self, similarity: Tensor) -> Tensor:
        """Choose a code of each level from cosine similarities, (n, codes) -> int64 (n, levels)."""
        raise NotImplementedError

    def reached(self, path: Tensor) -> Tensor:
        """Return which codes compete for each row, bool, (n, levels) -> (n, codes): all, in a flat book."""
        return path.new_ones(len(path), len(self.codes), dtype=torch.bool)

    def seeds(self, similarity: Tensor, chosen: Tensor, dead: Tensor) -> tuple[Tensor, Tensor]:
        """Pair dead codes with rows that should become codes.

        Parameters
        ----------
        similarity
            Cosine similarity of rows and codes, shape (n, codes).
        chosen
            Choice of each row, int64, shape (n, levels).
        dead
            Codes without use, int64, shape (dead,).

        Returns
        -------
        Codes and rows, int64, equally long; a dead code without a fitting row is left out.
        """
        raise NotImplementedError

    def forward(self, rows: Tensor) -> Quantized:
        """Quantize rows, shape (n, d); in training this also counts use and re-seeds dead codes."""
        with torch.no_grad(), torch.autocast(rows.device.type, enabled=False):
            values = rows.float()
            directions = functional.normalize(values, dim=1)
            chosen = self.choose(directions @ self.unit_codes().T)
            if self.training and self.reseed and self._reseed_dead(directions, chosen):
                chosen = self.choose(directions @ self.unit_codes().T)
            codes = self.unit_codes()[chosen[:, -1]] * values.norm(dim=1, keepdim=True)
            shift = codes.to(rows.dtype) - rows
        return Quantized(chosen, chosen - self.starts, rows + shift)

    def _reseed_dead(self, directions: Tensor, chosen: Tensor) -> bool:
        """Count use, move dead codes onto rows; return whether any moved. The same on every process."""
        used = torch.bincount(chosen.flatten(), minlength=len(self.codes))
        rows = torch.tensor(len(directions), device=used.device)
        together = distributed.is_available() and distributed.is_initialized()
        if together:
            distributed.all_reduce(used)
            distributed.all_reduce(rows)
        self.idle.add_(rows).masked_fill_(used > 0, 0)
        dead = (self.idle > self.patience).nonzero().flatten()
        if len(dead) == 0:
            return False
        moved, sources = self.seeds(directions @ self.unit_codes().T, chosen, dead)
        # .data: no gradient of this step has read the codes yet, and autograd must not see a change
        self.codes.data[moved] = directions[sources].to(self.codes.dtype)
        self.idle[moved] = 0
        if together:
            distributed.broadcast(self.codes.data, 0)
            distributed.broadcast(self.idle, 0)
        return True


@quantizers.register("tree")
class TreeQuantizer(CodeBook):
    """Binary tree: level h = 1 ... depth has 2^h codes, and only two children compete at each step.

    Node k of a level has the children 2k and 2k + 1 of the next; a row goes from the root to the
    child with the smaller cosine distance, the first of equals.

    References
    ----------
    Li et al., "Learning Cell-Aware Hierarchical Multi-Modal Representations", arXiv 2511.21120,
    Tree-VQ.
    """

    def __init__(self, width: int, depth: int, *, reseed: bool = True) -> None:
        super().__init__(width, tuple(2**level for level in range(1, depth + 1)), reseed=reseed)

    def choose(self, similarity: Tensor) -> Tensor:
        """Route rows from the root, (n, codes) -> int64 (n, depth)."""
        node = torch.zeros(len(similarity), dtype=torch.int64, device=similarity.device)
        chosen = []
        for size in self.level_sizes:
            left = size - 2 + 2 * node  # level h starts at code 2^h - 2
            pair = similarity.gather(1, torch.stack([left, left + 1], dim=1))
            right = (pair[:, 1] > pair[:, 0]).long()
            chosen.append(left + right)
            node = 2 * node + right
        return torch.stack(chosen, dim=1)

    def reached(self, path: Tensor) -> Tensor:
        """Return which codes compete for each row: the children of its node, at each level."""
        parents = torch.cat([torch.zeros_like(path[:, :1]), path[:, :-1]], dim=1)
        left = self.starts + 2 * parents
        found = path.new_zeros(len(path), len(self.codes), dtype=torch.bool)
        return found.scatter_(1, torch.cat([left, left + 1], dim=1), value=True)

    def seeds(self, similarity: Tensor, chosen: Tensor, dead: Tensor) -> tuple[Tensor, Tensor]:
        """Give a dead child the row of its parent that its sibling, which took them all, fits worst."""
        moved, sources = [], []
        for code in dead.tolist():
            sibling = code ^ 1
            level = (code + 2).bit_length() - 2
            members = (chosen[:, level] == sibling).nonzero().flatten()
            if len(members) > 1:
                moved.append(code)
                sources.append(members[similarity[members, sibling].argmin()])
        index = torch.tensor(moved, dtype=torch.int64, device=dead.device)
        return index, torch.stack(sources) if sources else index


@quantizers.register("flat")
class FlatQuantizer(CodeBook):
    """One level of 2^depth codes, all of which compete: the ablation of the tree."""

    def __init__(self, width: int, depth: int, *, reseed: bool = True) -> None:
        super().__init__(width, (2**depth,), reseed=reseed)

    def choose(self, similarity: Tensor) -> Tensor:
        """Choose the nearest code, (n, codes) -> int64 (n, 1)."""
        return similarity.argmax(dim=1, keepdim=True)

    def seeds(self, similarity: Tensor, chosen: Tensor, dead: Tensor) -> tuple[Tensor, Tensor]:
        """Give dead codes the rows that their own codes fit worst, the worst first."""
        worst = similarity.gather(1, chosen).flatten().argsort(stable=True)[: len(dead)]
        return dead[: len(worst)], worst
