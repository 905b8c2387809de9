"""Moments of a batch for the fused batch norms: of all its rows, whichever process holds them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cytomol.nn import kernels
from cytomol.nn.threads import row_ranges, share
from cytomol.nn.together import current, reduced

__all__ = ["Moments", "array_of", "moments_of", "normalise_backward"]


def array_of(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor's numbers, one row after the other."""
    return tensor.detach().contiguous().numpy()


class Moments(NamedTuple):
    """Mean, reciprocal deviation, scale and offset of a batch norm's columns, float32, and its rows.

    Normalised is scale (x - mean) + offset: to take the mean off first keeps the digits of columns whose mean
    is large. The rows are those of all processes that train together.
    """

    mean: NDArray[np.float32]
    reciprocal: NDArray[np.float32]
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    rows: int


def moments_of(rows: NDArray[np.float32], bias: Tensor, norm: nn.BatchNorm1d) -> Moments:
    """Take a batch's moments, without the bias, which they absorb, and update the running ones with it."""
    n = len(rows)
    # sums of squares about a row lose no digits to a large mean; of a batch, one process may have no row
    shift = rows[0].copy() if n else np.zeros(rows.shape[1], np.float32)
    spans = row_ranges(n)
    sums = np.zeros((len(spans), 2, rows.shape[1]))
    share(spans, lambda first, last, k: kernels.column_sums(rows, shift, first, last, sums[k]))
    first, second = sums.sum(axis=0) / max(n, 1)
    variance = np.maximum(second - first**2, 0)
    mean = first + shift
    if current() is not None:
        n, mean, variance = _of_all(n, mean, variance)
    reciprocal = 1 / np.sqrt(variance + norm.eps)
    scale = array_of(norm.weight) * reciprocal
    if norm.running_mean is not None and norm.running_var is not None:
        assert norm.num_batches_tracked is not None
        assert norm.momentum is not None
        norm.num_batches_tracked += 1
        with torch.no_grad():
            norm.running_mean.lerp_(torch.from_numpy(mean).float() + bias, norm.momentum)
            norm.running_var.lerp_(torch.from_numpy(variance * n / (n - 1)).float(), norm.momentum)
    single = (column.astype(np.float32) for column in (mean, reciprocal, scale, array_of(norm.bias)))
    centre, inverse, slope, offset = single
    return Moments(centre, inverse, slope, offset, n)


def _of_all(
    rows: int, mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return number, mean and variance of the rows of all processes that train together."""
    sums = reduced(torch.from_numpy(np.concatenate([[rows], rows * mean]))).numpy()
    whole = round(float(sums[0]))
    centre = sums[1:] / whole
    spread = reduced(torch.from_numpy(rows * (variance + (mean - centre) ** 2))).numpy()
    return whole, centre, spread / whole


def normalise_backward(
    gradient: Tensor, passes: Tensor, factor: float, rows: Tensor, moments: Moments, *, out: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Write the gradient of a batch norm's rows to ``out``; return it and those of weight and bias.

    With g = factor x gradient where it passes and x̂ = (x - mean) reciprocal, it is
    scale (g - mean of g - x̂ mean of (g x̂)).
    """
    given, mask, x, result = array_of(gradient), passes.numpy(), rows.numpy(), out.numpy()
    spans, n = row_ranges(len(x)), moments.rows
    sums = np.zeros((len(spans), 2, x.shape[1]))
    centre = (moments.mean, moments.reciprocal)
    share(spans, lambda a, b, k: kernels.column_gradient_sums(given, mask, x, centre, a, b, sums[k]))
    by_bias, by_weight = own = factor * sums.sum(axis=0)
    bias_of_all, weight_of_all = reduced(torch.from_numpy(own)).numpy()
    slope = -moments.scale * moments.reciprocal * weight_of_all / n
    offset = -moments.scale * bias_of_all / n
    columns = (
        moments.mean,
        np.float32(factor) * moments.scale,
        slope.astype(np.float32),
        offset.astype(np.float32),
    )
    share(spans, lambda a, b, _: kernels.normalise_gradient(given, mask, x, columns, a, b, result))
    return out, torch.from_numpy(by_weight).float(), torch.from_numpy(by_bias).float()
