"""Lists of arrays of different lengths as one flat array with offsets, so that they can be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError

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
    """Rebuild the list from the arrays of :func:`flatten`.

    Raises
    ------
    ModelDirectoryError
        If the parts do not stand one after the other, or a value is missing.
    """
    saved = Checked({}, arrays, "uncertainty")
    values = saved.array(f"{name}.values", np.float64, "values", missing=False)
    ends = saved.array(f"{name}.offsets", np.int64, "parts+1", low=0, high=len(values))
    if ends[0] != 0 or ends[-1] != len(values) or (np.diff(ends) < 0).any():
        raise ModelDirectoryError(f"uncertainty: the parts of {name} do not stand one after the other")
    return [values[start:end] for start, end in pairwise(arrays[f"{name}.offsets"].tolist())]
