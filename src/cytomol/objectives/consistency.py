"""Distribution alignment: two accounts of one profile agree, and neither collapses."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

__all__ = ["VICReg", "covariance_penalty", "variance_hinge", "vicreg"]


class VICReg(NamedTuple):
    """Terms of VICReg, each a scalar."""

    invariance: Tensor
    variance: Tensor
    covariance: Tensor

    def total(self) -> Tensor:
        """Return the sum of the terms."""
        return self.invariance + self.variance + self.covariance


def variance_hinge(rows: Tensor, target: float = 1.0, eps: float = 1e-4) -> Tensor:
    """Mean over columns of max(0, target - sqrt(var + eps)), (n, d) -> scalar; zero for n < 2."""
    if len(rows) < 2:
        return rows.sum() * 0
    return (target - (rows.var(dim=0) + eps).sqrt()).relu().mean()


def covariance_penalty(rows: Tensor) -> Tensor:
    """Sum of squared off-diagonal covariances over d, (n, d) -> scalar; zero for n < 2.

    Where n < d the same sum is read from the (n, n) Gram matrix, whose squared norm is that of the
    (d, d) covariance.
    """
    n, d = rows.shape
    if n < 2:
        return rows.sum() * 0
    centred = rows - rows.mean(dim=0)
    product = centred @ centred.T if n < d else centred.T @ centred
    diagonal = centred.square().sum(dim=0)
    return (product.square().sum() - diagonal.square().sum()) / ((n - 1) ** 2 * d)


def vicreg(
    rows: Tensor,
    others: Tensor,
    target: float = 1.0,
    eps: float = 1e-4,
    *,
    hinges: Literal["mean", "sum"] = "mean",
) -> VICReg:
    """VICReg of two accounts p and q of the same rows, (n, d) each.

    invariance = mean of (p - q)^2; variance = mean (or sum) of both hinges; covariance = sum of both
    penalties. A single row has no variance or covariance, and no rows no loss at all.

    Parameters
    ----------
    rows, others
        p and q, shape (n, d).
    target
        Standard deviation below which the hinge acts.
    eps
        Added to the variance.
    hinges
        Both hinges are averaged, as in the published code of VICReg, or summed, as in its text and in CHMR.

    References
    ----------
    Bardes et al., "VICReg", ICLR 2022; Li et al., arXiv 2511.21120, L_DA.
    """
    rows, others = rows.float(), others.float()
    variance = variance_hinge(rows, target, eps) + variance_hinge(others, target, eps)
    return VICReg(
        invariance=(rows - others).square().sum() / max(rows.numel(), 1),
        variance=variance / 2 if hinges == "mean" else variance,
        covariance=covariance_penalty(rows) + covariance_penalty(others),
    )
