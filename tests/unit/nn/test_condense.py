from __future__ import annotations

import torch

from cytomol.nn.condense import condense


def test_rows_that_take_no_part_are_left_out_on_a_cpu() -> None:
    part, table = torch.tensor([True, False, True]), torch.tensor([[1.0], [2.0], [3.0]])
    left, (rows, numbers) = condense(part, table, torch.arange(3))
    assert left is None
    assert rows.tolist() == [[1.0], [3.0]]
    assert numbers.tolist() == [0, 2]


def test_elsewhere_they_stay_with_their_mask() -> None:
    part, table = torch.ones(3, dtype=torch.bool, device="meta"), torch.ones(3, 1, device="meta")
    left, (rows,) = condense(part, table)
    assert left is part
    assert rows is table


def test_without_a_mask_all_rows_stay() -> None:
    table = torch.ones(3, 1)
    left, (rows,) = condense(None, table)
    assert left is None
    assert rows is table
