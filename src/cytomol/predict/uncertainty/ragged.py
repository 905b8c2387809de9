"""Lists of arrays of different lengths as one flat array with offsets, so that they can be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["flatten", "unflatten"]


def flatten(name: str, parts: Sequence[NDArray[np.float64]]) -> dict[str, NDArray[Any]]:
    """Return ``name.values`` (float64, all parts one after the other) and ``name.offsets`` (int64).

    Part i is ``values[offsets[i]:offsets[i + 1]]``.
    """
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    values = np.concatenate([np.zeros(0), *parts]).astype(np.float64)
    return {f"{name}.values": values, f"{name}.offsets": offsets}


def unflatten(name: str, arrays: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float64]]:
    """Rebuild the list from the arrays of :func:`flatten`."""
    values = np.asarray(arrays[f"{name}.values"], dtype=np.float64)
    return [values[start:end] for start, end in pairwise(arrays[f"{name}.offsets"].tolist())]
