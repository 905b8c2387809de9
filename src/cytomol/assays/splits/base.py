"""What a splitter is, and the table of splitters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import ConfigError
from cytomol.registry import Registry

__all__ = ["FOLDS", "Molecules", "Splitter", "check_fractions", "splitters"]

FOLDS = ("train", "valid", "test")


@dataclass(frozen=True)
class Molecules:
    """What is split: molecules, each once.

    Attributes
    ----------
    smiles
        A valid SMILES of each.
    rows
        Rows of the table that hold each molecule, int64, shape (n,).
    dates
        Date of each, NaT where unknown, datetime64, shape (n,); None where the table has none.
    """

    smiles: Sequence[str]
    rows: NDArray[np.int64]
    dates: NDArray[np.datetime64] | None = None

    def __len__(self) -> int:
        return len(self.smiles)


class Splitter(Protocol):
    """Assigns each molecule to "train", "valid" or "test".

    Attributes
    ----------
    fractions
        Shares of train, valid and test, in rows, that the splitter takes when none are given.
    as_published
        Whether it repeats a published split, and so reads every row as a molecule of its own.
    """

    fractions: tuple[float, float, float]
    as_published: bool

    def __call__(
        self, molecules: Molecules, *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, or "" for one that can be in none, shape (n,)."""
        ...

    def blocks(self, molecules: Molecules) -> NDArray[np.int64]:
        """Return the number of the block of every molecule, shape (n,); no fold divides a block."""
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
