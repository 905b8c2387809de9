"""What every property model is: features of molecules and labels in, one value per task out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.registry import Registry

__all__ = ["Learning", "Matrix", "Model", "models"]

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Learning:
    """What a model learns from, row by row beside its features.

    Attributes
    ----------
    labels
        Measured values, NaN where not measured, float64, shape (n, tasks).
    train, valid
        Rows to fit on, and rows to choose by (early stop, weights of an ensemble), bool, shape (n,). No
        other row's label may be looked at.
    kind
        "classification" (labels 0 and 1) or "regression".
    metric
        Name of the metric that counts.
    seed
        Seed of everything random.
    threads
        Threads to use; 0 leaves the choice to the library.
    say
        Called with a sentence that the user may want to read.
    """

    labels: NDArray[np.float64]
    train: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    kind: str
    metric: str
    seed: int = 0
    threads: int = 0
    say: Callable[[str], None] = lambda _: None


class Model(ABC):
    """A property model.

    Attributes
    ----------
    name
        Under which it is registered.
    summary
        One line for help and tables.
    blocks
        Names of the feature blocks that it reads (see :class:`~cytomol.predict.features.HeadFeatures`).
    optional_embedding
        Whether it can leave the embedding out where there is no backbone.
    passes
        Names of the models that fitting this one fits on the way (see :meth:`passed`).
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    blocks: tuple[str, ...]
    optional_embedding: ClassVar[bool] = False
    passes: tuple[str, ...] = ()

    @abstractmethod
    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Learn from unscaled blocks, each float32, shape (n, width), without invalid molecules."""

    @abstractmethod
    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return probabilities of class 1 or values, float64, shape (m, tasks); NaN for an unlearnt task."""

    def members(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the answers of the members of an ensemble, shape (members, m, tasks)."""
        return self.predict(blocks)[None]

    def answer(self, blocks: Mapping[str, Matrix]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what :meth:`predict` and :meth:`members` return."""
        return self.predict(blocks), self.members(blocks)

    def passed(self) -> Mapping[str, tuple[Model, float]]:
        """Return the fitted models that :meth:`fit` went through, by name, with the seconds that each took.

        Each answers as if it had been fitted by itself; a benchmark need not fit it again.
        """
        return {}

    def held_out(
        self, blocks: Mapping[str, Matrix], learning: Learning
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return :meth:`answer` for the validation rows, of a model that was not fitted on them."""
        return self.answer({name: block[learning.valid] for name, block in blocks.items()})

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what prediction needs: a JSON-serialisable table, and arrays by name."""

    @classmethod
    @abstractmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the fitted model that :meth:`state` described."""


# name -> class, or a factory without arguments for a model with other settings
models: Registry[Callable[[], Model]] = Registry("model")
