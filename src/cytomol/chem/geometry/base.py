"""What a geometry provider is, and the table of the known ones."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cytomol.registry import Registry

__all__ = ["GeometryProvider", "geometry_providers"]

geometry_providers: Registry[type[GeometryProvider]] = Registry("geometry provider")


class GeometryProvider(ABC):
    """Turns a molecule into a vector that describes its shape in space.

    The work is split in two, because conformers may take for ever while a neural network wants
    batches: ``worker`` runs once per molecule in a process of its own, which is killed when it
    exceeds the time limit; ``finish`` runs in the calling process on a batch of what came back.

    Attributes
    ----------
    name
        Name under which the provider is registered.
    version
        Raised whenever the same SMILES would give another vector; part of the cache key.
    width
        Length of the vector.
    worker
        ``"module:function"``; the function takes a SMILES and returns a float32 array, or raises
        ``ValueError`` with the reason why the molecule has none. The module must not import torch.
    batch_size
        How many molecules ``finish`` wants at once.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    width: ClassVar[int]
    worker: ClassVar[str]
    batch_size: ClassVar[int] = 1

    @abstractmethod
    def key(self) -> str:
        """Return all that the vector depends on besides the SMILES: versions of code and models.

        Raises
        ------
        MissingDependencyError
            If an optional package that the provider needs is not installed.
        """

    def finish(self, raw: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32] | str]:
        """Turn what the workers returned into vectors [width], or into the reason why there is none."""
        return list(raw)

    def digest(self) -> str:
        """Return 12 hexadecimal digits that name this provider at its present versions."""
        return hashlib.blake2b(self.key().encode(), digest_size=6).hexdigest()
