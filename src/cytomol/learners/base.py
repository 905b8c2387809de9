"""What every learner is: blocks of features and labels in, one answer per column out."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.registry import Registry

if TYPE_CHECKING:
    import torch

__all__ = ["Learner", "Learning", "Live", "Matrix", "learners"]

Matrix = NDArray[np.float32]


class Live(Protocol):
    """An embedding that a learner may change while it learns: the network behind it, and its molecules."""

    @property
    def network(self) -> torch.nn.Module:
        """The pretrained network; changing it changes the embedding."""
        ...

    def embed(self, rows: torch.Tensor, device: torch.device) -> torch.Tensor:
        """Return the unscaled embedding of some rows as the network is now, shape (B, width)."""
        ...


@dataclass(frozen=True)
class Learning:
    """What a learner learns from, row by row beside its features.

    A column is what a learner answers: a class against the others, or a value. All columns of one
    ``Learning`` are of one kind.

    Attributes
    ----------
    labels
        Classes 0 and 1, or values in units of their spread; NaN where not measured, float64, shape
        (n, columns).
    train, valid
        Rows to fit on, and rows to choose by (early stop, weights of an ensemble), bool, shape (n,). No
        other row's label may be looked at.
    kind
        "classification" or "regression".
    metric
        Name of the metric that counts.
    seed
        Seed of everything random.
    threads
        Threads to use; 0 leaves the choice to the library.
    say
        Called with a sentence that the user may want to read.
    step
        Called with (steps done, steps in all, what was done) as fitting goes on.
    bounds
        -1 where the true value lies below the label, 1 where it lies above, else 0, int8, shape
        (n, columns); None where nothing is censored.
    center, scale
        value = center + scale * label gives the unit of the table, shape (columns,).
    accelerator
        Where networks are trained: "auto", "cpu" or "cuda".
    live
        The embedding as something that can be trained; None where it stays what it is.
    """

    labels: NDArray[np.float64]
    train: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    kind: str
    metric: str
    seed: int = 0
    threads: int = 0
    say: Callable[[str], None] = lambda _: None
    step: Callable[[int, int, str], None] = lambda _done, _total, _what: None
    bounds: NDArray[np.int8] | None = None
    center: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    live: Live | None = None

    def of_columns(self, columns: NDArray[np.int64], kind: str, metric: str) -> Learning:
        """Return the same rows with some of the columns."""

        def some(array: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if array is None else array[..., columns]

        return replace(
            self,
            labels=self.labels[:, columns],
            bounds=some(self.bounds),
            center=some(self.center),
            scale=some(self.scale),
            kind=kind,
            metric=metric,
        )


class Learner(ABC):
    """Fits tasks to blocks of features.

    Attributes
    ----------
    name
        Under which it is registered.
    summary
        One line for help and tables.
    blocks
        Names of the feature blocks that it reads (see :mod:`cytomol.predict.molecule_features`).
    optional_embedding
        Whether it can leave the embedding out where there is no backbone.
    reads_encoders
        Whether it can read other encoders' vectors beside its blocks.
    uses_bounds
        Whether a censored label is learnt as a bound; otherwise the bound is learnt as if measured.
    passes
        Names of the learners that fitting this one fits on the way (see :meth:`passed`).
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    blocks: tuple[str, ...]
    optional_embedding: ClassVar[bool] = False
    reads_encoders: ClassVar[bool] = False
    uses_bounds: ClassVar[bool] = False
    passes: tuple[str, ...] = ()

    @abstractmethod
    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Learn from unscaled blocks, each float32, shape (n, width), without invalid molecules."""

    @abstractmethod
    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return probabilities of class 1 or values, float64, shape (m, columns); NaN for an unlearnt one."""

    def members(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the answers of the members of an ensemble, shape (members, m, columns)."""
        return self.predict(blocks)[None]

    def answer(self, blocks: Mapping[str, Matrix]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what :meth:`predict` and :meth:`members` return."""
        predicted = self.predict(blocks)
        if type(self).members is Learner.members:  # it is its only member: not computed twice
            return predicted, predicted[None]
        return predicted, self.members(blocks)

    def refit(self, blocks: Mapping[str, Matrix], learning: Learning) -> Learner:
        """Return a new learner fitted on the training rows with the choices that this one has made.

        Nothing is chosen anew (no early stop, no weights), so ``learning.valid`` may be empty or hold
        training rows.
        """
        new = copy.copy(self)  # fitting replaces what was learnt, settings stay
        new.fit(blocks, learning)
        return new

    def seconds(self, rows: int, columns: int) -> float | None:  # noqa: ARG002 - not every learner knows
        """Return about how long a fit takes on two processors; None for seconds that need no word."""
        return None

    def passed(self) -> Mapping[str, tuple[Learner, float]]:
        """Return the fitted learners that :meth:`fit` went through, by name, with the seconds that each took.

        Each answers as if it had been fitted by itself; a benchmark need not fit it again.
        """
        return {}

    def held_out(
        self, blocks: Mapping[str, Matrix], learning: Learning
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return :meth:`answer` for the validation rows, of a learner that was not fitted on them."""
        return self.answer({name: block[learning.valid] for name, block in blocks.items()})

    @abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what prediction needs: a JSON-serialisable table, and arrays by name."""

    @classmethod
    @abstractmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the fitted learner that :meth:`state` described."""


# name -> class, or a factory without arguments for a learner with other settings
learners: Registry[Callable[[], Learner]] = Registry("learner")
