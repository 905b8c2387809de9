"""Contrast of two accounts of the same things, one left out, after retrieval from each other."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["cloob", "infoloob", "retrieve"]


def infoloob(
    anchor: Tensor,
    positive: Tensor,
    temperature: float,
    *,
    part: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """InfoLOOB: mean_i of -ln( exp(a_i b_i / tau) / sum_{j != i} exp(a_i b_j / tau) ).

    Unlike InfoNCE the denominator leaves the positive out, so that the loss does not saturate where a pair is
    already close; it has no lower bound.

    Parameters
    ----------
    anchor, positive
        a and b, of length 1; row i of one belongs to row i of the other, shape (n, d).
    temperature
        tau.
    part
        Rows that take part, bool, shape (n,); all of them when None. The others are no candidates either.
    weight
        Weight of each row in the mean, shape (n,); equal when None. A row that weighs nothing stays a
        candidate.

    Returns
    -------
    Scalar; zero for fewer than two rows, which have nothing to be told from.

    References
    ----------
    Fürst et al., "CLOOB", NeurIPS 2022, arXiv 2110.11316: one of the two terms of the objective; Poole et
    al., ICML 2019.
    """
    similarity = anchor.float() @ positive.float().T / temperature
    if len(similarity) < 2:
        return similarity.sum() * 0
    own = similarity.diagonal()
    left_out = torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    if part is not None:
        left_out = left_out | ~part
    # not -inf: were there no candidate at all, its gradient would be NaN
    others = similarity.masked_fill(left_out, torch.finfo(similarity.dtype).min)
    losses = torch.logsumexp(others, dim=1) - own
    if part is None:
        return losses.mean() if weight is None else (losses * weight).sum() / weight.sum().clamp(min=1e-12)
    number = part.sum()
    # a row without candidates has a loss that is huge but finite, and weighs nothing
    counted = part.float() if weight is None else part * weight
    counted = counted * (number > 1) / counted.sum().clamp(min=1e-12)
    return (losses * counted).sum()


def retrieve(state: Tensor, stored: Tensor, scale: float, *, part: Tensor | None = None) -> Tensor:
    """One step of a modern Hopfield network: U softmax(beta U^T x), brought to length 1.

    Parameters
    ----------
    state
        x, what is looked for, shape (n, d).
    stored
        U, what there is to find, one row each, shape (m, d).
    scale
        beta; the larger, the fewer stored rows the answer is made of.
    part
        Stored rows that take part, bool, shape (m,); all of them when None.

    Returns
    -------
    Shape (n, d).

    References
    ----------
    Fürst et al., arXiv 2110.11316: the retrieved embeddings; Ramsauer et al., ICLR 2021.
    """
    match = scale * (state.float() @ stored.float().T)
    if part is not None:
        match = match.masked_fill(~part, torch.finfo(match.dtype).min)
    return functional.normalize(match.softmax(dim=1) @ stored.float(), dim=1)


def cloob(
    rows: Tensor,
    others: Tensor,
    temperature: float,
    *,
    scale: float | None,
    part: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """InfoLOOB in both directions, of what both accounts retrieve from each (Eq. 3 to 5).

    With U the stored rows and V the stored others, U_x = retrieve(x, U) and so on, it is
    infoloob(U_x, U_y) + infoloob(V_y, V_x): what x finds among the rows is told from what the others y find
    there, and the other way round.

    Parameters
    ----------
    rows, others
        x and y; row i of one belongs to row i of the other, shape (n, d). Their length does not count.
    temperature
        tau.
    scale
        beta of the retrieval; None contrasts x and y themselves.
    part
        Rows that take part, bool, shape (n,); all of them when None. The others may hold any finite number.
    weight
        Weight of each row in the means, shape (n,); equal when None.

    References
    ----------
    Fürst et al., "CLOOB: Modern Hopfield Networks with InfoLOOB Outperform CLIP", NeurIPS 2022, arXiv
    2110.11316; Sanchez-Fernandez et al., "CLOOME", Nature Communications 14, 7339 (2023).
    """
    x, y = functional.normalize(rows.float(), dim=1), functional.normalize(others.float(), dim=1)
    if scale is None:
        pairs = [(x, y), (y, x)]
    else:
        among_x = [retrieve(state, x, scale, part=part) for state in (x, y)]
        among_y = [retrieve(state, y, scale, part=part) for state in (y, x)]
        pairs = [(among_x[0], among_x[1]), (among_y[0], among_y[1])]
    there, back = (infoloob(*pair, temperature, part=part, weight=weight) for pair in pairs)
    return there + back
