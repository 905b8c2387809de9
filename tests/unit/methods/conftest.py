"""Synthetic batches of any shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from cytomol.methods import Method, methods
from cytomol.nn.batch import Account, Batch, Dimensions, GraphBatch, Response, TargetSums

SMALL: dict[str, Any] = {"width": 16, "layers": 2, "depth": 3, "hidden": 16}
STILL: dict[str, Any] = {"dropout": 0.0, "decoder_dropout": 0.0}


ATOMS, BONDS = (119, 5, 12, 12, 10, 6, 6, 2, 2), (5, 6, 2)


def _graph(atom_counts: list[int], draw: torch.Generator) -> GraphBatch:
    """Chains of atoms with random features."""
    edges, first = [], 0
    for count in atom_counts:
        bonds = [(first + i, first + i + 1) for i in range(count - 1)]
        edges += bonds + [(b, a) for a, b in bonds]
        first += count
    edges.sort(key=lambda edge: (edge[1], edge[0]))

    def categories(sizes: tuple[int, ...], rows: int) -> Tensor:
        return torch.stack([torch.randint(0, size, (rows,), generator=draw) for size in sizes], dim=1)

    return GraphBatch(
        atoms=categories(ATOMS, first),
        edge_index=torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T.contiguous(),
        edge_features=categories(BONDS, len(edges)),
        molecule=torch.repeat_interleave(torch.arange(len(atom_counts)), torch.tensor(atom_counts)),
        size=len(atom_counts),
    )


def _sums(rows: Tensor, width: int, draw: torch.Generator, *, binary: bool) -> TargetSums:
    visits = torch.rand((len(rows), 5, width), generator=draw)
    visits = visits.round() if binary else visits
    weight = torch.rand((len(rows), 5, 1), generator=draw)
    return TargetSums(
        rows=rows,
        weight=weight.sum(1),
        value=(weight * visits).sum(1),
        square=(weight * visits**2).sum(1),
        entries=torch.tensor(float(visits.numel())),
    )


def _batch(size: int, dimensions: Dimensions, *, observed: float, seed: int) -> Batch:
    draw = torch.Generator().manual_seed(seed)

    def mask(share: float) -> Tensor:
        return torch.rand(size, generator=draw) < share

    profiles = {
        name: torch.rand((size, width), generator=draw) for name, width in dimensions.modalities.items()
    }
    seen = {name: mask(observed) for name in profiles}
    targets = {}
    for name, width in dimensions.targets.items():
        rows = seen[name].nonzero().flatten() if name in seen else torch.arange(size)
        targets[name] = _sums(rows, width, draw, binary=name in dimensions.binary_targets)
    return Batch(
        size=size,
        graph=_graph(torch.randint(1, 9, (size,), generator=draw).tolist(), draw),
        views={name: torch.rand((size, width), generator=draw) for name, width in dimensions.views.items()},
        view_mask={"3d": mask(0.7)} if "3d" in dimensions.views else {},
        responses={
            name: Response(
                Account(values, seen[name]),
                Account(torch.rand(values.shape, generator=draw), seen[name] | mask(observed)),
                Account(torch.rand(values.shape, generator=draw), seen[name] & mask(0.8)),
            )
            for name, values in profiles.items()
        },
        targets=targets,
    )


@pytest.fixture(params=methods.names())
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of each registered method in turn."""
    return str(request.param)


@pytest.fixture
def build_method() -> Callable[..., Method]:
    """Return a maker of small methods: name, dimensions, seed, preset, whether anything is random, options.

    Options that a method does not have are left out.
    """

    def build(
        name: str,
        dimensions: Dimensions,
        *,
        seed: int = 0,
        preset: str = "default",
        still: bool = False,
        **options: Any,
    ) -> Method:
        kind = methods[name].Config
        chosen = {**SMALL, **(STILL if still else {}), **options}
        chosen = {option: value for option, value in chosen.items() if option in kind.model_fields}
        torch.manual_seed(seed)
        return methods[name].from_config(kind.preset(preset).updated(**chosen), dimensions)

    return build


@pytest.fixture
def make_dimensions() -> Callable[..., Dimensions]:
    """Return a maker of dimensions: widths of modalities by name."""

    def make(**modalities: int) -> Dimensions:
        return Dimensions(
            atom_features=ATOMS,
            bond_features=BONDS,
            views={"1d": 20, "3d": 12},
            modalities=modalities,
            targets={"morgan": 20, **modalities},
            binary_targets=("morgan",),
        )

    return make


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """Return a maker of batches: size, dimensions, share of observed profiles, seed."""

    def make(size: int, dimensions: Dimensions, *, observed: float = 0.5, seed: int = 0) -> Batch:
        return _batch(size, dimensions, observed=observed, seed=seed)

    return make


def _of_all_rows(sums: TargetSums, size: int) -> TargetSums:
    assert sums.rows is not None

    def spread(values: Tensor) -> Tensor:
        return values.new_zeros(size, values.shape[1]).index_copy(0, sums.rows, values)

    return TargetSums(
        rows=None,
        weight=spread(sums.weight),
        value=spread(sums.value),
        square=None if sums.square is None else spread(sums.square),
        entries=sums.entries,
    )


@pytest.fixture
def all_rows() -> Callable[[Batch], Batch]:
    """Return what gives a batch the other form of its targets: a row for each molecule, weight or not."""

    def give(batch: Batch) -> Batch:
        targets = {name: _of_all_rows(sums, batch.size) for name, sums in batch.targets.items()}
        return dataclasses.replace(batch, targets=targets)

    return give
