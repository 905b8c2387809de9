"""What a backbone says of a molecule as one number that can be explained: differentiable, in torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cytomol.cells.modality import TrainedModality
from cytomol.cells.space import CellSpace
from cytomol.errors import ConfigError, InputError
from cytomol.nn.batch import Batch

__all__ = ["ExplainedValue", "ImputedFeature", "ProfileDirection", "ProfileMatch", "ProfileNorm"]

_NAMED = 5


class ExplainedValue(ABC):
    """One number for each molecule, computed from what the backbone makes of it.

    Attributes
    ----------
    name
        What the number is.
    """

    name: str

    @abstractmethod
    def read(self, batch: Batch) -> Tensor:
        """Return what the number is computed from, shape (B, width)."""

    @abstractmethod
    def score(self, rows: Tensor, whole: Tensor) -> Tensor:
        """Return the number, shape (B,).

        Parameters
        ----------
        rows
            What :meth:`read` returned, shape (B, width).
        whole
            What it returns for the whole molecule that each row is a part of, shape (B, width).
        """


@dataclass(frozen=True)
class ImputedFeature(ExplainedValue):
    """A feature of the imputed profile, in measured units.

    Attributes
    ----------
    modality
        Whose profile.
    feature
        Name of the feature.

    Raises
    ------
    ConfigError
        If the backbone decodes no profiles of the modality.
    InputError
        If the modality has no such feature.
    """

    modality: TrainedModality
    feature: str

    def __post_init__(self) -> None:
        _require_decoded(self.modality)
        _ = self.modality.typical  # an old backbone has none, and says so
        columns = self.modality.columns
        if self.feature not in columns:
            some = ", ".join(columns[:_NAMED]) + (", ..." if len(columns) > _NAMED else "")
            raise InputError(
                f"{self.modality.name} has no feature {self.feature!r}",
                hint=f"it has {len(columns)}: {some}",
            )

    @property
    def name(self) -> str:  # type: ignore[override]
        """The feature."""
        return self.feature

    def read(self, batch: Batch) -> Tensor:
        """Return the imputed feature, shape (B, 1)."""
        return _imputed(self.modality, batch, [self.modality.columns.index(self.feature)])

    def score(self, rows: Tensor, whole: Tensor) -> Tensor:  # noqa: ARG002 - the interface's
        """Return the feature."""
        return rows[:, 0]


@dataclass(frozen=True)
class _Deviation(ExplainedValue):
    """What is computed from how far the imputed profile is from the typical one, in units of spread."""

    modality: TrainedModality

    def __post_init__(self) -> None:
        _require_decoded(self.modality)
        _ = self.modality.typical  # an old backbone has none, and says so

    def read(self, batch: Batch) -> Tensor:
        """Return the deviations in units of spread, shape (B, features that vary)."""
        typical = self.modality.typical
        varies = np.flatnonzero(typical.spread > 0)
        rows = _imputed(self.modality, batch, varies.tolist())
        mean, spread = (_as(array[varies], rows) for array in (typical.mean, typical.spread))
        return (rows - mean) / spread


class ProfileNorm(_Deviation):
    """How far the imputed profile is from the typical one: the length of its deviation."""

    name = "norm"

    def score(self, rows: Tensor, whole: Tensor) -> Tensor:  # noqa: ARG002 - the interface's
        """Return the length."""
        length: Tensor = torch.linalg.vector_norm(rows, dim=1)
        return length


class ProfileDirection(_Deviation):
    """How far the imputed profile goes into the direction in which the whole molecule's goes."""

    name = "direction"

    def score(self, rows: Tensor, whole: Tensor) -> Tensor:
        """Return the projection on the whole molecule's deviation."""
        return (rows * functional.normalize(whole.detach(), dim=1)).sum(dim=1)


@dataclass(frozen=True, eq=False)
class ProfileMatch(ExplainedValue):
    """How well a molecule goes with a measured profile: the cosine of their places.

    Attributes
    ----------
    space
        Where both are placed.
    profile
        In measured units, the modality's features in its order, shape (width,).
    """

    space: CellSpace
    profile: NDArray[np.float32]
    name: str = "match"

    def __post_init__(self) -> None:
        if np.isnan(self.profile).all():
            raise InputError("the profile holds no measured value", hint="choose another row")

    def read(self, batch: Batch) -> Tensor:
        """Return the place of the molecule, of any length, shape (B, width of the space)."""
        modality = self.space.modality
        method = modality.backbone.method
        if self.space.way == "projected":
            return method.anchor(batch).float()
        decoded = method.impute(batch)[modality.name].float()
        apart = decoded - _as(modality.typical.scaled, decoded)
        return apart - apart.mean(dim=1, keepdim=True)

    def score(self, rows: Tensor, whole: Tensor) -> Tensor:  # noqa: ARG002 - the interface's
        """Return the cosine."""
        cosine: Tensor = functional.normalize(rows, dim=1) @ _as(self._place, rows)
        return cosine

    @cached_property
    def _place(self) -> NDArray[np.float32]:
        """Place of the profile, which every step of a path asks for."""
        return np.asarray(self.space.profiles(self.profile[None])[0])


def _require_decoded(modality: TrainedModality) -> None:
    backbone = modality.backbone
    if modality.name not in backbone.method.decoded:
        raise ConfigError(
            f"{backbone.name} decodes no profiles of {modality.name}",
            hint="explain its match to a measured profile: --profile TABLE"
            if modality.projected
            else "choose a modality that it decodes",
        )


def _imputed(modality: TrainedModality, batch: Batch, features: list[int]) -> Tensor:
    """Return some features of the imputed profile in measured units, float64, shape (B, features).

    As ``in_measured_units`` does, whose answers stop at the range of the training profiles; these go on, so
    that a gradient tells which atoms drive them.
    """
    scaled = modality.backbone.method.impute(batch)[modality.name].double()[:, features]
    scaler, typical = modality.backbone.scalers[modality.name], modality.typical
    low, span, center, scale, middle, mean = (
        _as(array[features], scaled)
        for array in (scaler.low, scaler.span, scaler.center, scaler.scale, typical.scaled, typical.mean)
    )

    def inverse(rows: Tensor) -> Tensor:
        rows = rows * span + low
        return torch.sinh(rows) * scale + center if scaler.method == "robust" else rows

    return mean + (inverse(scaled) - inverse(middle))


def _as(array: NDArray[np.floating], like: Tensor) -> Tensor:
    return torch.as_tensor(array, dtype=like.dtype, device=like.device)
