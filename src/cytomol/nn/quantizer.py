"""Code books of unit-norm codes: a binary tree, or flat."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytomol.nn.precision import full_precision
from cytomol.nn.together import told_by_first
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
        codes = torch.empty(total, width)
        # Arithmetic on the meta device would load torch's compiler, which takes a second: none is done there.
        if not codes.is_meta:
            codes = functional.normalize(torch.randn(total, width), dim=1)
        self.codes = nn.Parameter(codes)
        patience = [DEAD_AFTER * size for size in level_sizes for _ in range(size)]
        self.register_buffer("idle", torch.zeros(total, dtype=torch.int64))
        self.register_buffer("starts", torch.tensor([0, *accumulate(level_sizes)][:-1]), persistent=False)
        self.register_buffer("patience", torch.tensor(patience), persistent=False)

    def unit_codes(self) -> Tensor:
        """Return all codes at unit length, level after level, shape (codes, d)."""
        return functional.normalize(self.codes.float(), dim=1)

    def choose(self, similarity: Tensor) -> Tensor:
        """Choose a code of each level from cosine similarities, (n, codes) -> int64 (n, levels)."""
        raise NotImplementedError

    def reached(self, path: Tensor) -> Tensor:
        """Return which codes compete for each row, bool, (n, levels) -> (n, codes): all, in a flat book."""
        return path.new_ones(len(path), len(self.codes), dtype=torch.bool)

    def seeds(self, similarity: Tensor, members: Tensor, dead: Tensor) -> tuple[Tensor, Tensor]:
        """Find the row that each code should become if it is dead.

        Parameters
        ----------
        similarity
            Cosine similarity of rows and codes, shape (n, codes), n > 0.
        members
            Rows that chose each code, bool, shape (n, codes); a row that takes no part chose none.
        dead
            Codes without use, bool, shape (codes,).

        Returns
        -------
        Row of each code, int64, shape (codes,), and whether it fits, bool, shape (codes,). Rows of codes that
        are not dead mean nothing.
        """
        raise NotImplementedError

    def forward(self, rows: Tensor, part: Tensor | None = None) -> Quantized:
        """Quantize rows; in training this also counts use and re-seeds dead codes.

        Parameters
        ----------
        rows
            Shape (n, d); in processes that train together, those of all of them.
        part
            Rows that count as use and may become codes, bool, shape (n,); all of them when None.
        """
        with torch.no_grad(), full_precision(rows.device):
            values = rows.float()
            directions = functional.normalize(values, dim=1)
            similarity = directions @ self.unit_codes().T
            chosen = self.choose(similarity)
            if self.training and self.learn(directions, similarity, chosen, part):
                chosen = self.choose(directions @ self.unit_codes().T)
            codes = self.unit_codes()[chosen[:, -1]] * values.norm(dim=1, keepdim=True)
            shift = codes.to(rows.dtype) - rows
        return Quantized(chosen, chosen - self.starts, rows + shift)

    def learn(self, directions: Tensor, similarity: Tensor, chosen: Tensor, part: Tensor | None) -> bool:
        """Learn from the rows of a training step without a gradient; return whether codes may have moved.

        Here use is counted and dead codes become rows, if they may; a loss moves the others.

        Parameters
        ----------
        directions
            Rows at unit length, shape (n, d).
        similarity
            Their cosine similarity with the codes, shape (n, codes).
        chosen
            Code of each row at each level, int64, shape (n, levels).
        part
            Rows that count, bool, shape (n,); all of them when None.
        """
        if self.reseed:
            self._reseed_dead(directions, similarity, chosen, part)
        return self.reseed

    def _reseed_dead(
        self, directions: Tensor, similarity: Tensor, chosen: Tensor, part: Tensor | None
    ) -> None:
        """Count use and move dead codes onto rows, the same on every process, each of which has all rows.

        Every shape is known beforehand: to look how many codes are dead would halt an accelerator.
        """
        members = torch.zeros_like(similarity, dtype=torch.bool).scatter_(1, chosen, value=True)
        if part is not None:
            members &= part[:, None]
        used = members.any(dim=0).long()
        rows = torch.full_like(used[0], len(chosen)) if part is None else part.sum()
        self.idle.add_(rows).masked_fill_(used > 0, 0)
        if len(chosen):
            dead = self.idle > self.patience
            sources, fitting = self.seeds(similarity, members, dead)
            moved = dead & fitting
            seeds = directions.index_select(0, sources).to(self.codes.dtype)
            # .data: no gradient of this step has read the codes yet, and autograd must not see a change
            self.codes.data.copy_(torch.where(moved[:, None], seeds, self.codes.data))
            self.idle.masked_fill_(moved, 0)
        told_by_first(self.codes.data, self.idle)


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

    def seeds(self, similarity: Tensor, members: Tensor, dead: Tensor) -> tuple[Tensor, Tensor]:
        """Give a dead child the row of its parent that its sibling, which took them all, fits worst."""
        del dead
        worst = similarity.masked_fill(~members, torch.inf).argmin(dim=0)
        several = members.sum(dim=0) > 1
        # siblings stand side by side
        return worst.view(-1, 2).flip(1).flatten(), several.view(-1, 2).flip(1).flatten()


@quantizers.register("flat")
class FlatQuantizer(CodeBook):
    """One level of 2^depth codes, all of which compete: the ablation of the tree."""

    def __init__(self, width: int, depth: int, *, reseed: bool = True) -> None:
        super().__init__(width, (2**depth,), reseed=reseed)

    def choose(self, similarity: Tensor) -> Tensor:
        """Choose the nearest code, (n, codes) -> int64 (n, 1)."""
        return similarity.argmax(dim=1, keepdim=True)

    def seeds(self, similarity: Tensor, members: Tensor, dead: Tensor) -> tuple[Tensor, Tensor]:
        """Give dead codes the rows that their own codes fit worst, the worst first."""
        fit = similarity.masked_fill(~members, torch.inf).amin(dim=1)
        place = dead.cumsum(dim=0) - 1  # of a dead code among the dead
        worst = fit.argsort(stable=True).index_select(0, place.clamp(0, len(fit) - 1))
        return worst, place < members.any(dim=1).sum()
