"""Batch normalisation that also takes a batch of one."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["BatchNorm"]


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation of rows, (n, d) -> (n, d).

    One row has no variance: a training batch with fewer than two rows is normalised by the running
    statistics, which it leaves as they are.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Normalise ``input``, shape (n, d)."""
        if self.training and len(input) < 2:
            return functional.batch_norm(
                input,
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                training=False,
                eps=self.eps,
            )
        return super().forward(input)
