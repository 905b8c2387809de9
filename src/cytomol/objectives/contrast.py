"""Instance alignment: a molecule recognises its own profile."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["info_nce"]


def info_nce(anchor: Tensor, positive: Tensor, temperature: float, weight: Tensor | None = None) -> Tensor:
    """InfoNCE: mean_i of -log( exp(cos(a_i, b_i) / tau) / sum_j exp(cos(a_i, b_j) / tau) ).

    Parameters
    ----------
    anchor, positive
        a and b; row i of one belongs to row i of the other, shape (n, d).
    temperature
        tau.
    weight
        Weight of each row in the mean, shape (n,); equal when None. A row that weighs nothing takes no part:
        it is no candidate j for the others either.

    Returns
    -------
    Scalar; zero for no rows.

    References
    ----------
    Li et al., arXiv 2511.21120, L_IA.
    """
    anchor, positive = (
        functional.normalize(anchor.float(), dim=1),
        functional.normalize(positive.float(), dim=1),
    )
    similarity = anchor @ positive.T / temperature
    if len(similarity) == 0:
        return similarity.sum()
    matched = similarity.diagonal()
    if weight is None:
        return (torch.logsumexp(similarity, dim=1) - matched).mean()
    # not -inf: were there no candidate at all, its gradient would be NaN
    candidates = similarity.masked_fill(weight == 0, torch.finfo(similarity.dtype).min)
    losses = torch.logsumexp(candidates, dim=1) - matched
    return (losses * weight).sum() / weight.sum().clamp(min=1e-12)
