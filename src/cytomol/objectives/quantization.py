"""Pulling projections and codes towards each other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["code_loss", "perplexity", "reverse_code_loss"]

_BELOW_ANY_COSINE = -2.0


def code_loss(projections: Tensor, codes: Tensor, chosen: Tensor, eta: float, weight: Tensor) -> Tensor:
    """Mean over levels of sum_i w_i [1 - cos(sg[q_i], p_i) + eta (1 - cos(q_i, sg[p_i]))].

    Parameters
    ----------
    projections
        p, shape (n, d).
    codes
        All unit-norm codes, shape (codes, d).
    chosen
        Code q of each row at each level, int64, shape (n, levels).
    eta
        Weight of the term that moves the codes.
    weight
        w, shape (n,); it holds the average over rows and modalities. A row that takes no part weighs 0.

    References
    ----------
    Li et al., arXiv 2511.21120, L_TreeVQ.
    """
    projections = functional.normalize(projections.float(), dim=1)
    toward_codes = 1 - (projections @ codes.detach().T).gather(1, chosen)
    toward_rows = 1 - (projections.detach() @ codes.T).gather(1, chosen)
    return ((toward_codes + eta * toward_rows).mean(dim=1) * weight).sum()


def reverse_code_loss(
    projections: Tensor,
    codes: Tensor,
    level_sizes: Sequence[int],
    eta: float,
    *,
    part: Tensor | None = None,
    reached: Tensor | None = None,
    unreached_to_first: bool = False,
) -> Tensor:
    """Mean over levels and codes k of 1 - cos(sg[q_k], p_n) + eta (1 - cos(q_k, sg[p_n])).

    n is the row nearest to code k, which keeps the code alive.

    Parameters
    ----------
    projections
        p, shape (n, d).
    codes
        All unit-norm codes, level after level, shape (sum of level_sizes, d).
    level_sizes
        Number of codes of each level.
    eta
        Weight of the term that moves the codes.
    part
        Rows that take part, bool, shape (n,); all of them when None.
    reached
        Rows among which each code looks for its nearest, bool, shape (n, codes); None for all rows.
    unreached_to_first
        A code that no row reaches takes the first row, as in the authors' code; else it is left out of the
        mean.

    Returns
    -------
    Scalar; zero for no rows.
    """
    if len(projections) == 0:
        return codes.sum() * 0
    projections = functional.normalize(projections.float(), dim=1)
    similarity = projections.detach() @ codes.detach().T
    counted = similarity.new_ones(len(codes))
    if reached is not None:
        reached = reached if part is None else reached & part[:, None]
        similarity = similarity.masked_fill(~reached, _BELOW_ANY_COSINE)
        if not unreached_to_first:
            counted = reached.any(dim=0).float()
    if part is not None:
        # further below, so that a code without a row of its own takes the first of those that take part
        similarity = similarity.masked_fill(~part[:, None], -torch.inf)
        counted = counted * part.any()
    nearest = projections.index_select(0, similarity.argmax(dim=0))
    losses = (1 - (nearest * codes.detach()).sum(dim=1)) + eta * (1 - (nearest.detach() * codes).sum(dim=1))
    sizes = list(level_sizes)
    levels = zip(torch.split(losses * counted, sizes), torch.split(counted, sizes), strict=True)
    return torch.stack([loss.sum() / number.sum().clamp(min=1) for loss, number in levels]).mean()


def perplexity(chosen: Tensor, size: int, *, part: Tensor | None = None) -> Tensor:
    """Return exp(entropy) of code use, between 1 and ``size``.

    Parameters
    ----------
    chosen
        Code of each row, int64, shape (n,).
    size
        Number of codes.
    part
        Rows that take part, bool, shape (n,); all of them when None.
    """
    ones = torch.ones_like(chosen, dtype=torch.float32) if part is None else part.float()
    uses = ones.new_zeros(size).scatter_add_(0, chosen, ones)
    share = uses / uses.sum().clamp(min=1)
    entropy: Tensor = torch.special.entr(share).sum()
    return entropy.exp()
