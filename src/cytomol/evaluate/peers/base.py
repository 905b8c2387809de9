"""What a peer is: a program that learns a set and predicts it, and is no model of this package."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cytomol.evaluate.sets import BenchmarkSet
from cytomol.registry import Registry

__all__ = ["Peer", "PeerResult", "peers"]


@dataclass(frozen=True)
class PeerResult:
    """What a peer answered.

    Attributes
    ----------
    predicted
        Probability of class 1 or value of the rows asked for, NaN where there is none, shape (m, tasks).
    seconds_fit, seconds_predict
        Wall time of its two commands, starting the program and featurizing included.
    details
        Version and commands.
    """

    predicted: NDArray[np.float64]
    seconds_fit: float
    seconds_predict: float
    details: dict[str, Any]


class Peer(ABC):
    """A program to compare with.

    Attributes
    ----------
    name
        Under which it is registered, and called in tables.
    """

    name: ClassVar[str]

    @abstractmethod
    def require(self) -> Path:
        """Return the program.

        Raises
        ------
        MissingDependencyError
            If it is not installed, with the command that installs it.
        """

    @abstractmethod
    def run(
        self, data: BenchmarkSet, rows: NDArray[np.int64], *, seed: int, threads: int, folder: Path
    ) -> PeerResult:
        """Learn the train and valid folds of a set, and predict some rows.

        Parameters
        ----------
        data
            The set; the labels of its test fold are not shown to the program.
        rows
            Rows to predict, shape (m,).
        seed
            Seed of everything random.
        threads
            Threads to use; 0 leaves the choice to the program.
        folder
            Empty folder for its files.
        """


peers: Registry[Callable[[], Peer]] = Registry("peer")
