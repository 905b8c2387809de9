"""What a method sees: tensors of one batch, and the sizes it is built for."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

__all__ = ["Account", "Batch", "Dimensions", "GraphBatch", "Movable", "Response", "TargetSums"]


class Movable:
    """Dataclass of tensors (or of dicts of tensors) that moves between devices as one."""

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Self:
        """Return the same data on ``device``."""
        moved = {f.name: _move(getattr(self, f.name), device, non_blocking) for f in fields(self)}  # type: ignore[arg-type]
        return replace(self, **moved)  # type: ignore[type-var]

    def pin_memory(self) -> Self:
        """Return the same data in page-locked memory."""
        pinned = {f.name: _pin(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]
        return replace(self, **pinned)  # type: ignore[type-var]


def _move(value: Any, device: torch.device | str, non_blocking: bool) -> Any:
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=non_blocking)
    if isinstance(value, Movable):
        return value.to(device, non_blocking=non_blocking)
    if isinstance(value, dict):
        return {key: _move(item, device, non_blocking) for key, item in value.items()}
    return value


def _pin(value: Any) -> Any:
    if isinstance(value, Tensor | Movable):
        return value.pin_memory()
    if isinstance(value, dict):
        return {key: _pin(item) for key, item in value.items()}
    assert not is_dataclass(value)
    return value


@dataclass(frozen=True)
class GraphBatch(Movable):
    """Molecular graphs of a batch as one graph of disconnected parts.

    Attributes
    ----------
    atoms
        Categorical atom features, int64, shape (atoms, 9).
    edge_index
        Source and target atom of every directed edge, int64, shape (2, edges); edges are sorted by
        target atom.
    edge_features
        Categorical bond features, int64, shape (edges, 3).
    molecule
        Molecule that each atom belongs to, int64, non-decreasing, shape (atoms,).
    size
        Number of molecules; a molecule without atoms has no row in ``atoms``.
    by_source
        The edges in the order of their source atoms, int64, shape (edges,); None where that is not known
        beforehand.
    """

    atoms: Tensor
    edge_index: Tensor
    edge_features: Tensor
    molecule: Tensor
    size: int
    by_source: Tensor | None = None


@dataclass(frozen=True)
class TargetSums(Movable):
    """Walk targets of one target space, summed over the nodes of each molecule's walk.

    A loss that compares one decoded row with many targets needs only their weighted moments: binary
    cross entropy is linear in its target, squared error quadratic. So the nodes of a walk are summed
    before the batch is made, and no node-by-feature table exists.

    Attributes
    ----------
    rows
        Molecules of the batch with at least one target in this space, int64, shape (rows,); None means all
        molecules of the batch, in order, of which those without a target have weight 0.
    weight
        Sum of path weights over the observed entries, float32, shape (rows, width) or (rows, 1)
        where every entry of each visited node is observed.
    value
        Sum of path weight x target, float32, shape (rows, width).
    square
        Sum of path weight x target squared, float32, shape (rows, width); None if not wanted.
    entries
        Number of observed (visited node, feature) entries behind the sums, float32 scalar.
    """

    rows: Tensor | None
    weight: Tensor
    value: Tensor
    square: Tensor | None
    entries: Tensor


@dataclass(frozen=True)
class Account(Movable):
    """A row for each molecule, and for which of them it means something.

    Attributes
    ----------
    values
        float32, shape (B, width); where nothing is known, any finite number.
    known
        bool, shape (B,).
    """

    values: Tensor
    known: Tensor


@dataclass(frozen=True)
class Response(Movable):
    """What is known of molecules in one modality; in a batch as profiles, in a method as their projections.

    Attributes
    ----------
    measured
        What was measured; other rows hold the column mean.
    augmented
        What stands for a profile: the measured one, or what propagation makes of it where measured ones are
        not restored, else what structural neighbours say.
    held_out
        Of measured molecules, what the neighbours say, their own profile held out of it.
    weight
        How much each measured profile counts in the loss, float32, shape (B,); all alike when None.
    """

    measured: Account
    augmented: Account
    held_out: Account
    weight: Tensor | None = None


@dataclass(frozen=True)
class Batch(Movable):
    """Molecules of one step, everything row-aligned with the molecules.

    Attributes
    ----------
    size
        Number of molecules, B.
    graph
        2D view, or None when it is switched off.
    views
        Other molecular views by name ("1d", "3d"), float32, shape (B, width).
    view_mask
        Where a view exists, bool, shape (B,); a view that is absent here exists everywhere.
    responses
        Scaled profiles by modality; empty for methods that read none.
    targets
        Walk targets by target space (a molecular feature or a modality).
    whole
        Molecules of the step in all processes that train together; None where these are all.
    """

    size: int
    graph: GraphBatch | None = None
    views: dict[str, Tensor] = field(default_factory=dict)
    view_mask: dict[str, Tensor] = field(default_factory=dict)
    responses: dict[str, Response] = field(default_factory=dict)
    targets: dict[str, TargetSums] = field(default_factory=dict)
    whole: int | None = None


@dataclass(frozen=True)
class Dimensions:
    """Sizes that a method is built for; they come from the data and are saved beside the weights.

    Attributes
    ----------
    atom_features, bond_features
        Number of categories of each categorical column.
    views
        Width of each molecular view other than the graph ("1d", "3d").
    modalities
        Width of each modality that enters as input.
    targets
        Width of each target space.
    binary_targets
        Target spaces whose entries are 0 or 1 (binary cross entropy); the others are continuous.
    """

    atom_features: tuple[int, ...]
    bond_features: tuple[int, ...]
    views: dict[str, int] = field(default_factory=dict)
    modalities: dict[str, int] = field(default_factory=dict)
    targets: dict[str, int] = field(default_factory=dict)
    binary_targets: tuple[str, ...] = ()

    @property
    def _sizes(self) -> list[int]:
        widths = [*self.views.values(), *self.modalities.values(), *self.targets.values()]
        return [*self.atom_features, *self.bond_features, *widths]

    @property
    def smallest(self) -> int:
        """Smallest of all sizes; 1 if there are none."""
        return min(self._sizes, default=1)

    @property
    def largest(self) -> int:
        """Largest of all sizes; 1 if there are none."""
        return max(self._sizes, default=1)
