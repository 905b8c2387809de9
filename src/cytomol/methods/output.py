"""What a method gives back for a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

__all__ = ["MethodOutput"]


@dataclass(frozen=True)
class MethodOutput:
    """Loss of a batch and what it is made of.

    Attributes
    ----------
    loss
        Scalar to be minimised.
    terms
        Parts of the loss before their weights, detached scalars by name.
    metrics
        Other quantities worth a look (code-book perplexity), detached scalars by name.
    """

    loss: Tensor
    terms: dict[str, Tensor] = field(default_factory=dict)
    metrics: dict[str, Tensor] = field(default_factory=dict)
