"""Targets of context walks on a device: the sums of ``training.targets`` by index operations alone."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from cytomol.nn.batch import TargetSums
from cytomol.training.dataset.targets import BitTarget, DenseTarget, Target

__all__ = ["resident_target", "unpack"]


def resident_target(target: Target, nodes: int, device: torch.device) -> ResidentTarget:
    """Put a target space on a device; parameters as of :class:`ResidentTarget`."""
    if isinstance(target, BitTarget):
        return ResidentBits(target, nodes, device)
    return ResidentRows(target, nodes, device)


def unpack(packed: Tensor, width: int) -> Tensor:
    """Return packed bits, little bit order, as 0 and 1: uint8 (n, bytes) -> uint8 (n, width)."""
    shifts = torch.arange(8, dtype=torch.uint8, device=packed.device)
    return ((packed[:, :, None] >> shifts) & 1).flatten(1)[:, :width]


class ResidentTarget(ABC):
    """A target space on a device; row ``self.rows`` of its tables is empty, for visits that do not count.

    Parameters
    ----------
    target
        The target space.
    nodes
        Nodes of the context graph.
    device
        Where to put it.
    """

    def __init__(self, target: Target, nodes: int, device: torch.device) -> None:
        self.rows = len(target.train)
        self.count_stuck = target.count_stuck
        weight = target.row_weight if isinstance(target, DenseTarget) else None
        self._row_weight = None if weight is None else torch.from_numpy(np.append(weight, 0)).to(device)
        self._place = {
            validation: torch.from_numpy(target.places(nodes, validation=validation)).to(device)
            for validation in (False, True)
        }

    def sums(self, nodes: Tensor, weights: Tensor, *, validation: bool) -> TargetSums:
        """Sum over the visited nodes of each walk, shapes (B, L + 1); see :class:`TargetSums`."""
        place = self._place[validation].index_select(0, nodes.flatten()).view(nodes.shape)
        if not self.count_stuck:
            place = torch.where(weights > 0, place, self.rows)
        weights = torch.where(place < self.rows, weights, 0.0)
        if self._row_weight is not None:
            weights = weights * self._row_weight.index_select(0, place.flatten()).view(place.shape)
        return self._add(place, weights)

    @abstractmethod
    def _add(self, place: Tensor, weights: Tensor) -> TargetSums:
        """Add up rows ``place`` of the table; weights of visits that do not count are 0."""


class ResidentBits(ResidentTarget):
    """Packed bits."""

    def __init__(self, target: BitTarget, nodes: int, device: torch.device) -> None:
        super().__init__(target, nodes, device)
        self.width = target.width
        empty = np.zeros((1, target.packed.shape[1]), np.uint8)
        self._packed = torch.from_numpy(np.vstack([target.packed, empty])).to(device)

    def _add(self, place: Tensor, weights: Tensor) -> TargetSums:
        value = weights.new_zeros(len(place), self.width)
        for rows, weight in zip(place.unbind(1), weights.unbind(1), strict=True):
            value.addcmul_(unpack(self._packed.index_select(0, rows), self.width).float(), weight[:, None])
        entries = ((place < self.rows).sum() * self.width).float()
        return TargetSums(None, weights.sum(dim=1, keepdim=True), value, value, entries)


class ResidentRows(ResidentTarget):
    """Scaled profiles; entries that were not measured hold 0 and are counted by a second table, if any."""

    def __init__(self, target: DenseTarget, nodes: int, device: torch.device) -> None:
        super().__init__(target, nodes, device)
        values = np.vstack([target.values, np.zeros((1, target.width), np.float32)])
        measured = ~np.isnan(values)
        measured[-1] = False
        self._values = torch.from_numpy(np.where(measured, values, np.float32(0))).to(device)
        self._counts = torch.from_numpy(measured.sum(axis=1)).to(device)
        complete = bool(measured[:-1].all())
        self._measured = None if complete else torch.from_numpy(measured.astype(np.float32)).to(device)

    def _add(self, place: Tensor, weights: Tensor) -> TargetSums:
        value = weights.new_zeros(len(place), self._values.shape[1])
        square = torch.zeros_like(value)
        weight = weights.sum(dim=1, keepdim=True) if self._measured is None else torch.zeros_like(value)
        for rows, factor in zip(place.unbind(1), weights[:, :, None].unbind(1), strict=True):
            found = self._values.index_select(0, rows)
            weighted = found * factor
            value += weighted
            square.addcmul_(weighted, found)
            if self._measured is not None:
                weight.addcmul_(self._measured.index_select(0, rows), factor)
        entries = self._counts.index_select(0, place.flatten()).sum().float()
        return TargetSums(None, weight, value, square, entries)
