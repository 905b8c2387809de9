"""What a splitter is, and the table of splitters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import ConfigError
from cytomol.registry import Registry

__all__ = ["FOLDS", "Splitter", "check_fractions", "splitters"]

FOLDS = ("train", "valid", "test")


class Splitter(Protocol):
    """Assigns each molecule to "train", "valid" or "test".

    Attributes
    ----------
    fractions
        Shares of train, valid and test that the splitter takes when none are given.
    """

    fractions: tuple[float, float, float]

    def __call__(
        self, smiles: Sequence[str], *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, shape (n,); all SMILES are valid."""
        ...


splitters: Registry[Splitter] = Registry("split type")


def check_fractions(fractions: Sequence[float]) -> tuple[float, float, float]:
    """Return three shares that are positive for training, not negative and sum to one."""
    if len(fractions) != 3 or min(fractions) < 0 or fractions[0] <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ConfigError(
            f"split fractions {tuple(fractions)} do not work",
            hint="give three shares, train,valid,test, that sum to 1",
        )
    return (fractions[0], fractions[1], fractions[2])
