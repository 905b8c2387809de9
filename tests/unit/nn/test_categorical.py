"""The table of categorical features."""

from __future__ import annotations

import torch

from cytomol.nn.categorical import CategoricalTable


def test_table_rows_are_at_most_one_long() -> None:
    table = CategoricalTable((4, 3), 8)
    torch.nn.init.normal_(table.weight.data, std=3.0)
    features = torch.tensor([[0, 2], [3, 1]])
    embedded = table(features)
    assert (table.weight.norm(dim=1) <= 1 + 1e-6).all()
    torch.testing.assert_close(embedded, table.combinations()[table.code(features)])
    assert table.combinations().shape == (12, 8)
