"""Sums of losses over an epoch, kept where the losses are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

__all__ = ["Quantities", "Totals"]


@dataclass(frozen=True)
class Quantities:
    """Quantities of a batch, each a mean over its molecules.

    Attributes
    ----------
    values
        Scalars by name.
    molecules
        Molecules of the batch.
    present
        Whether a quantity has a meaning, bool scalars by name; one that is absent here has.
    """

    values: Mapping[str, Tensor]
    molecules: int
    present: Mapping[str, Tensor] = field(default_factory=dict)


class Totals:
    """Sums of quantities, each weighted by its molecules; in float64, without waiting for a GPU."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._sums: Tensor | None = None  # shape (names, 2): value x weight, and weight
        self._places: dict[tuple[str, ...], Tensor] = {}

    @classmethod
    def of(cls, numbers: Mapping[str, tuple[float, float]], device: torch.device) -> Self:
        """Continue from what :meth:`numbers` gave."""
        totals = cls()
        totals._names = list(numbers)
        pairs = torch.tensor([*numbers.values()], dtype=_exact(device)).reshape(-1, 2)
        totals._sums = pairs.to(device)
        return totals

    def add(self, quantities: Quantities) -> None:
        """Add the quantities of a batch."""
        names = tuple(quantities.values)
        values = torch.stack([*quantities.values.values()])
        values = values.to(_exact(values.device))
        weight = torch.full_like(values, quantities.molecules)
        if quantities.present:
            always = torch.ones_like(values[0], dtype=torch.bool)
            weight = weight * torch.stack([quantities.present.get(name, always) for name in names])
        weighted = torch.where(weight > 0, values * weight, 0.0)
        places, sums = self._room(names, weighted)
        sums.index_add_(0, places, torch.stack([weighted, weight], dim=1))

    def _room(self, names: tuple[str, ...], like: Tensor) -> tuple[Tensor, Tensor]:
        """Return where names have their sums, and the sums, with room for new names."""
        if self._sums is None:
            self._sums = like.new_zeros(0, 2)
        if names not in self._places:
            new = [name for name in names if name not in self._names]
            self._names += new
            self._sums = torch.cat([self._sums, self._sums.new_zeros(len(new), 2)])
            places = [self._names.index(name) for name in names]
            self._places[names] = torch.tensor(places, device=like.device)
        return self._places[names], self._sums

    def numbers(self) -> dict[str, tuple[float, float]]:
        """Return total and weight of each quantity; this waits for a GPU."""
        if self._sums is None:
            return {}
        pairs = self._sums.tolist()
        return {name: (total, weight) for name, (total, weight) in zip(self._names, pairs, strict=True)}


def _exact(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64  # Apple's GPUs have no float64
