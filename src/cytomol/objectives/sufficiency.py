"""Reconstruction of the features along a context walk, from their weighted sums.

With the targets t_s of the visited nodes s and path weights w_s, one decoded row l has the loss
sum over s of w_s * loss(l, t_s). Cross entropy is linear in t and squared error quadratic, so the
moments W = sum w, V = sum w t and S = sum w t^2 are all that is needed (``nn.batch.TargetSums``).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from cytomol.nn.batch import TargetSums
from cytomol.nn.together import current, summed

__all__ = ["walk_cross_entropy", "walk_squared_error"]


def walk_cross_entropy(logits: Tensor, sums: TargetSums) -> Tensor:
    """Cross entropy with logits over walks: sum_s w BCE(l, t) = softplus(l) W - l V, over ``entries``.

    Parameters
    ----------
    logits
        l, decoded rows of the molecules ``sums.rows`` (all when None), shape (rows, width).
    sums
        Moments of the targets in [0, 1].

    Returns
    -------
    Weighted loss averaged over the observed (node, feature) entries, of all processes that train together;
    zero where there are none.

    References
    ----------
    Liu et al., arXiv 2406.12056, sufficiency term (decoder bound of the mutual information).
    """
    logits = logits.float()
    total = (functional.softplus(logits) * sums.weight).sum() - (logits * sums.value).sum()
    return _mean(total, sums.entries)


def walk_squared_error(values: Tensor, sums: TargetSums) -> Tensor:
    """Squared error over walks: sum_s w (l - t)^2 = l^2 W - 2 l V + S, over ``entries``.

    Parameters
    ----------
    values
        l, decoded rows of the molecules ``sums.rows`` (all when None), shape (rows, width).
    sums
        Moments of the targets, with ``square``.

    Returns
    -------
    Weighted loss averaged over the observed (node, feature) entries, of all processes that train together;
    zero where there are none.

    References
    ----------
    Li et al., arXiv 2511.21120, context-propagation reconstruction of continuous features.
    """
    if sums.square is None:
        raise ValueError("squared error needs the second moment of the targets: TargetSums.square is None")
    values = values.float()
    total = (values * (values * sums.weight - 2 * sums.value)).sum() + sums.square.sum()
    return _mean(total, sums.entries)


def _mean(total: Tensor, entries: Tensor) -> Tensor:
    """Return a total per entry, over all processes that train together."""
    if current() is not None:
        total, entries = summed(torch.stack([total, entries.to(total.dtype)])).unbind()
    return total / entries.clamp(min=1)
