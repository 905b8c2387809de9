"""Distribution alignment: two accounts of one profile agree, and neither collapses."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

__all__ = ["VICReg", "vicreg"]


class VICReg(NamedTuple):
    """Terms of VICReg, each a scalar."""

    invariance: Tensor
    variance: Tensor
    covariance: Tensor

    def total(self) -> Tensor:
        """Return the sum of the terms."""
        return self.invariance + self.variance + self.covariance


class _Centred(NamedTuple):
    """Rows less their mean, zeros for rows that take no part, and the number that do, a scalar."""

    rows: Tensor
    number: Tensor

    @classmethod
    def build(cls, rows: Tensor, part: Tensor | None) -> _Centred:
        if part is None:
            return cls(rows - rows.mean(dim=0), rows.new_full((), len(rows)))
        weight = part.to(rows.dtype)[:, None]
        number = weight.sum()
        mean = (rows * weight).sum(dim=0) / number.clamp(min=1)
        return cls((rows - mean) * weight, number)

    def variance_hinge(self, target: float, eps: float) -> Tensor:
        """Return the mean over columns of max(0, target - sqrt(var + eps)); zero for n < 2."""
        variance = self.rows.square().sum(dim=0) / (self.number - 1).clamp(min=1)
        return (target - (variance + eps).sqrt()).relu().mean() * (self.number > 1)

    def covariance_penalty(self) -> Tensor:
        """Return the sum of squared off-diagonal covariances over d; zero for n < 2.

        Where n < d the same sum is read from the (n, n) Gram matrix, whose squared norm is that of the
        (d, d) covariance.
        """
        n, d = self.rows.shape
        # fewer than two rows are zeros once they are centred, and so is their penalty
        product = self.rows @ self.rows.T if n < d else self.rows.T @ self.rows
        diagonal = self.rows.square().sum(dim=0)
        total = product.square().sum() - diagonal.square().sum()
        return total / ((self.number - 1).clamp(min=1).square() * d)


def vicreg(
    rows: Tensor,
    others: Tensor,
    target: float = 1.0,
    eps: float = 1e-4,
    *,
    hinges: Literal["mean", "sum"] = "mean",
    part: Tensor | None = None,
    weight: Tensor | None = None,
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
    part
        Rows that take part, bool, shape (n,); all of them when None. The others may hold any finite number.
    weight
        How much each row counts in the invariance, shape (n,); all alike when None.

    References
    ----------
    Bardes et al., "VICReg", ICLR 2022; Li et al., arXiv 2511.21120, L_DA.
    """
    rows, others = rows.float(), others.float()
    p, q = _Centred.build(rows, part), _Centred.build(others, part)
    difference = rows - others if part is None else (rows - others) * part[:, None]
    variance = p.variance_hinge(target, eps) + q.variance_hinge(target, eps)
    squares, number = difference.square(), p.number.clamp(min=1)
    if weight is not None:
        squares = squares * weight[:, None]
        number = (weight if part is None else weight * part).sum().clamp(min=1e-12)
    return VICReg(
        invariance=squares.sum() / (number * rows.shape[1]),
        variance=variance / 2 if hinges == "mean" else variance,
        covariance=p.covariance_penalty() + q.covariance_penalty(),
    )
