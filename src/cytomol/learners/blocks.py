"""Blocks of features scaled as fitted on the training rows, and put side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.learners.base import Matrix
from cytomol.learners.feature_scaling import AffineScaler, ColumnScaler, fit_scaler, scaler_from_arrays

__all__ = ["BLOCKS", "ENCODED", "ScaledBlocks", "encoded_blocks"]

BLOCKS = ("embedding", "1d", "counts", "maccs", "descriptors")
"""Names of the blocks of features, in the order in which they stand side by side."""

ENCODED = "encoder:"
"""Begins the name of a block that holds another encoder's vectors."""


def encoded_blocks(names: Sequence[str]) -> tuple[str, ...]:
    """Return those blocks that are another encoder's vectors.

    Examples
    --------
    >>> encoded_blocks(["counts", "encoder:minimol"])
    ('encoder:minimol',)
    """
    return tuple(name for name in names if name.startswith(ENCODED))


@dataclass
class ScaledBlocks:
    """Turns blocks of features into one matrix.

    Attributes
    ----------
    names
        Blocks, in the order in which they stand side by side.
    scalers
        Fitted scaler of each block that is scaled.
    """

    names: tuple[str, ...]
    scalers: dict[str, ColumnScaler] = field(default_factory=dict)

    def fit(
        self,
        blocks: Mapping[str, Matrix],
        train: NDArray[np.bool_],
        how: Mapping[str, str],
        *,
        embedding_scale: float = 1.0,
    ) -> None:
        """Fit the scaler of each block named in ``how`` on the training rows.

        The standardised embedding is spread by ``embedding_scale``: hundreds of columns of variance 1
        outweigh fingerprints, most of whose bits are 0. Another encoder's vectors are standardised always.
        """
        how = {**dict.fromkeys(encoded_blocks(self.names), "standard"), **how}
        self.scalers = {
            name: fit_scaler(blocks[name][train], how[name]) for name in self.names if name in how
        }
        scaler = self.scalers.get("embedding")
        if isinstance(scaler, AffineScaler) and embedding_scale != 1.0:
            spread = (scaler.scale / embedding_scale).astype(np.float32)
            self.scalers["embedding"] = AffineScaler(scaler.center, spread)

    def transform(self, blocks: Mapping[str, Matrix], *, only: Sequence[str] | None = None) -> Matrix:
        """Scale the blocks (all, or ``only`` some) and put them side by side, shape (n, width)."""
        parts = [
            self.scalers[name].transform(blocks[name]) if name in self.scalers else blocks[name]
            for name in (self.names if only is None else only)
        ]
        rows = len(next(iter(blocks.values()))) if blocks else 0
        return np.concatenate(parts, axis=1) if parts else np.zeros((rows, 0), dtype=np.float32)

    def place(self, name: str, blocks: Mapping[str, Matrix]) -> slice:
        """Return the columns of a block in what :meth:`transform` returns."""
        start = sum(blocks[other].shape[1] for other in self.names[: self.names.index(name)])
        return slice(start, start + blocks[name].shape[1])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the fitted scalers as named arrays."""
        return {
            f"{name}.{key}": array
            for name, scaler in self.scalers.items()
            for key, array in scaler.arrays().items()
        }

    @classmethod
    def restore(cls, names: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> ScaledBlocks:
        """Rebuild from :meth:`arrays`; arrays of other names are left alone."""
        blocks = cls(tuple(names))
        for name in names:
            of_block = {key.split(".", 1)[1]: a for key, a in arrays.items() if key.startswith(f"{name}.")}
            if of_block:
                blocks.scalers[name] = scaler_from_arrays(of_block)
        return blocks
