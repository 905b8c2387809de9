"""Batch normalisation that also takes a batch of one, and one whose rows several processes have."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytomol.nn.together import current, place, reduced

__all__ = ["BatchNorm"]


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation of rows, (n, d) -> (n, d).

    One row has no variance: a training batch with fewer than two rows is normalised by the running
    statistics, which it leaves as they are. The statistics are those of the rows of all processes that train
    together.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Normalise ``input``, shape (n, d)."""
        if not self.training:
            return super().forward(input)
        rows = len(input) if current() is None else place(len(input))[1]
        if rows < 2:
            return functional.batch_norm(
                input,
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                training=False,
                eps=self.eps,
            )
        return super().forward(input) if current() is None else self._together(input, rows)

    def _together(self, input: Tensor, count: int) -> Tensor:  # noqa: A002
        """Normalise by the moments of the ``count`` rows of all processes; they move the running ones."""
        rows = input.float()
        mean = reduced(rows.sum(dim=0)) / count
        centred = rows - mean
        variance = reduced(centred.square().sum(dim=0)) / count
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            assert self.momentum is not None
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        normalised = centred * (variance + self.eps).rsqrt() * self.weight + self.bias
        return normalised.to(input.dtype)
