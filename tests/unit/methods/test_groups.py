from __future__ import annotations

import pytest
import torch

from cytomol.methods.groups import JoinedGroups


@pytest.fixture(params=["masked", "condensed"], autouse=True)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test in both forms: as on an accelerator, and as on a CPU."""
    if request.param == "masked":
        monkeypatch.setattr("cytomol.nn.condense.LOOKING_IS_FREE", frozenset())
    return str(request.param)


def test_groups_with_rows_count_alike(form: str) -> None:
    some, none = torch.tensor([True, False, True, False]), torch.zeros(4, dtype=torch.bool)
    tables = torch.arange(24.0).reshape(3, 4, 2)
    groups = JoinedGroups.build(zip(tables, (None, some, none), strict=True))
    assert groups.filled == 2
    expected = {tuple(row.tolist()): 1 / 8 for row in tables[0]}
    expected |= {tuple(row.tolist()): 1 / 4 for row in tables[1][some]}
    found = {
        tuple(row.tolist()): w for row, w in zip(groups.rows, groups.weight.tolist(), strict=True) if w > 0
    }
    assert found == expected
    assert groups.sizes == ([4, 4, 4] if form == "masked" else [4, 2, 0])
    assert (groups.part is None) == (form == "condensed")


def test_each_group_comes_back_with_its_rows_of_a_table() -> None:
    some, none = torch.tensor([False, True, True]), torch.zeros(3, dtype=torch.bool)
    tables = torch.randn(3, 3, 2)
    groups = JoinedGroups.build(zip(tables, (none, some, None), strict=True))
    for (rows, part, own), table, mask in zip(
        groups.apart(2 * groups.rows), tables, (none, some, ~none), strict=True
    ):
        taken = slice(None) if part is None else part
        assert torch.equal(rows[taken], table[mask])
        assert torch.equal(own, 2 * rows)


def test_no_group_has_a_row() -> None:
    groups = JoinedGroups.build([(torch.randn(3, 2), torch.zeros(3, dtype=torch.bool))])
    assert groups.filled == 1
    assert not groups.weight.any()
