"""The head that options ask for, and the loss that leaves out what was not measured."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cytomol.learners.head.norms import norm_of
from cytomol.learners.head.options import HeadOptions
from cytomol.nn.head import PropertyHead

__all__ = ["build_head", "masked_loss"]


def build_head(config: HeadOptions, inputs: int, tasks: int, *, kind: str) -> PropertyHead:
    """Build the head that the options ask for.

    Parameters
    ----------
    config
        Options; "auto" means the normalization that suits ``kind``.
    inputs, tasks
        Width of the input and number of outputs: (B, inputs) -> logits or scaled values (B, tasks).
    kind
        "classification" or "regression".
    """
    return PropertyHead(
        inputs,
        tasks,
        hidden=config.hidden,
        layers=config.hidden_layers,
        dropout=config.dropout,
        norm=norm_of(config, kind),
    )


def masked_loss(
    output: Tensor,
    target: Tensor,
    kind: str,
    *,
    smoothing: float = 0.0,
    focal: float = 0.0,
    bounds: Tensor | None = None,
) -> Tensor:
    """Mean over measured entries of binary cross entropy (classification) or L1 (regression).

    Where only a bound was measured the loss is one-sided: a value beyond the bound costs nothing.

    Parameters
    ----------
    output
        Logits or scaled values, float32, shape (B, tasks).
    target
        Labels, NaN where not measured, float32, shape (B, tasks).
    kind
        "classification" or "regression".
    smoothing
        Share of a class label that is spread over both classes (Szegedy et al., CVPR 2016).
    focal
        Exponent gamma of (1 - p)^gamma before the loss of a label of probability p (Lin et al., ICCV 2017).
    bounds
        -1 where the true value lies below the target, 1 where it lies above, else 0, shape (B, tasks).

    Returns
    -------
    Tensor
        Scalar; zero (with gradient) when nothing is measured.
    """
    measured = ~torch.isnan(target)
    known = torch.where(measured, target, torch.zeros_like(target))
    if kind == "classification":
        if smoothing:
            known = known * (1 - smoothing) + smoothing / 2
        loss = nn.functional.binary_cross_entropy_with_logits(output, known, reduction="none")
        if focal:
            probability = torch.sigmoid(output)
            loss = loss * (known + probability - 2 * known * probability) ** focal
    else:
        error = output - known
        if bounds is not None:
            error = torch.where(bounds == 0, error, (error * -bounds).relu())
        loss = error.abs()
    return (loss * measured).sum() / measured.sum().clamp(min=1)
