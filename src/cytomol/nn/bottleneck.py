"""The Gaussian bottleneck p(z | x) of InfoAlign."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytomol.nn.linear import Linear
from cytomol.nn.together import drawn

__all__ = ["Bottleneck"]


class Bottleneck(nn.Module):
    """p(z | x) = N(mu, diag sigma^2), (mu, s) = W SiLU(x) + b, sigma = softplus(s) + 1e-7.

    References
    ----------
    Liu et al., "Learning Molecular Representation in a Cell", ICLR 2025, arXiv 2406.12056.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = Linear(width, 2 * width)

    def forward(self, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and sigma, both of shape (n, width), for encodings of shape (n, width)."""
        mean, spread = self.linear(functional.silu(encoded)).float().chunk(2, dim=1)
        return mean, functional.softplus(spread) + 1e-7

    @staticmethod
    def sample(mean: Tensor, deviation: Tensor) -> Tensor:
        """Draw z = mu + sigma * epsilon, epsilon ~ N(0, I); all of shape (n, width)."""
        noise = drawn(
            len(mean),
            mean.device,
            lambda rows: torch.randn(rows, mean.shape[1], dtype=mean.dtype, device=mean.device),
        )
        return mean + deviation * noise
