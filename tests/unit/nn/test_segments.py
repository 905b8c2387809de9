"""Group sums and look-ups against index_add, values and gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.nn.segments import GroupedEdges, group_rows, message_sum, spread, total


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=20), st.booleans())
def test_total_and_spread(index: list[int], ordered: bool) -> None:
    rows = torch.tensor(sorted(index) if ordered else index, dtype=torch.int64)
    groups = group_rows(rows, 7, ordered=ordered)
    values = torch.randn(len(rows), 3, dtype=torch.float64, requires_grad=True)
    expected = torch.zeros(7, 3, dtype=torch.float64).index_add(0, rows, values)
    torch.testing.assert_close(total(values, groups), expected)
    table = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(spread(table, groups), table[rows])
    assert torch.autograd.gradcheck(lambda x: total(x, groups), values)
    assert torch.autograd.gradcheck(lambda x: spread(x, groups), table)


@pytest.mark.parametrize("edges", [0, 1, 12])
def test_message_sum(edges: int) -> None:
    torch.manual_seed(edges)
    source, target = torch.randint(0, 5, (edges,)), torch.randint(0, 5, (edges,)).sort().values
    bond = torch.randint(0, 4, (edges,))
    grouped = GroupedEdges(
        group_rows(source, 5, ordered=False),
        group_rows(target, 5, ordered=True),
        group_rows(bond, 4, ordered=False),
    )
    nodes = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    table = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    expected = torch.zeros(5, 3, dtype=torch.float64).index_add(
        0, target, (nodes[source] + table[bond]).relu()
    )
    torch.testing.assert_close(message_sum(nodes, table, grouped), expected)
    assert torch.autograd.gradcheck(lambda x, t: message_sum(x, t, grouped), (nodes, table))
