"""Readouts against loops over molecules."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cytomol.nn.graph_readout import readouts
from cytomol.nn.segments import Groups, group_rows

LOOPS = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}


def molecules_of(counts: list[int]) -> Groups:
    index = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return group_rows(index, len(counts), ordered=True)


def loops(name: str, atoms: Tensor, counts: list[int]) -> Tensor:
    parts = torch.split(atoms, counts)
    return torch.stack([LOOPS[name](part, dim=0) if len(part) else part.sum(0) for part in parts])


@pytest.mark.parametrize("name", sorted(LOOPS))
@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(0, 6), min_size=1, max_size=6), seed=st.integers(0, 99), ties=st.booleans()
)
def test_equals_loops(name: str, counts: list[int], seed: int, ties: bool) -> None:
    """Small whole numbers tie often, at zero too: then atoms share the gradient."""
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(sum(counts), 3, dtype=torch.float64, generator=draw)
    values = values.round() if ties else values
    direction = torch.randn(len(counts), 3, dtype=torch.float64, generator=draw)
    ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
    pooled, expected = readouts[name](ours, molecules_of(counts)), loops(name, theirs, counts)
    torch.testing.assert_close(pooled, expected)
    (pooled * direction).sum().backward()
    (expected * direction).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_the_largest_may_be_negative_and_an_empty_molecule_is_zero() -> None:
    atoms = torch.tensor([[-3.0, -1.0], [-2.0, -5.0], [-4.0, 0.0]], requires_grad=True)
    pooled = readouts["max"](atoms, molecules_of([0, 2, 0, 1, 0]))
    assert pooled.tolist() == [[0, 0], [-2, -1], [0, 0], [-4, 0], [0, 0]]
    pooled.sum().backward()
    assert atoms.grad is not None
    assert atoms.grad.tolist() == [[0, 1], [1, 0], [1, 1]]


def test_the_largest_in_bfloat16_is_exact() -> None:
    atoms = torch.randn(30, 5).bfloat16().requires_grad_()
    counts = [7, 0, 13, 10]
    pooled = readouts["max"](atoms, molecules_of(counts))
    assert pooled.dtype == torch.bfloat16
    assert torch.equal(pooled.float(), loops("max", atoms.float(), counts))
    pooled.float().sum().backward()
    assert atoms.grad is not None
    assert atoms.grad.float().sum() == 15  # one in each column of each molecule that has atoms


def test_a_number_that_is_none_is_not_swallowed() -> None:
    atoms = torch.tensor([[1.0], [torch.nan], [2.0]])
    assert readouts["max"](atoms, molecules_of([2, 1])).isnan().flatten().tolist() == [True, False]
