"""Rows of bits, and their similarity by the definition."""

from __future__ import annotations

import numpy as np


def random_bits(n: int, bits: int, seed: int = 0) -> np.ndarray:
    """Sparse bits with many ties, some empty rows and some duplicates."""
    rng = np.random.default_rng(seed)
    dense = rng.random((n, bits)) < rng.uniform(0.0, 0.4, (n, 1))
    dense[n // 2] = dense[n // 3]
    dense[n // 4] = False
    return dense


def pack(dense: np.ndarray) -> np.ndarray:
    return np.packbits(dense, axis=1, bitorder="little")


def oracle(dense: np.ndarray) -> np.ndarray:
    """Similarity of all pairs by integer set sizes; 0 where a row is empty."""
    dense = dense.astype(np.int64)
    common = dense @ dense.T
    size = dense.sum(1)
    union = size[:, None] + size[None] - common
    return common / np.maximum(union, 1)
