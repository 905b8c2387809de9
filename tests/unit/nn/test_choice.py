from __future__ import annotations

import pytest
import torch

from cytomol.nn.choice import can_be_fused, plain_operations
from cytomol.nn.linear import FEWEST_ROWS

ROWS = torch.zeros(FEWEST_ROWS, 2)


def test_plain_operations_last_as_long_as_they_are_asked_for() -> None:
    assert can_be_fused(ROWS)
    with plain_operations(), plain_operations():
        assert not can_be_fused(ROWS)
    assert can_be_fused(ROWS)


def test_an_error_ends_them_too() -> None:
    with pytest.raises(RuntimeError), plain_operations():
        raise RuntimeError
    assert can_be_fused(ROWS)


@pytest.mark.parametrize("rows", [ROWS[1:], ROWS.double(), ROWS.to("meta")], ids=["few", "double", "meta"])
def test_other_rows_do_not_fit(rows: torch.Tensor) -> None:
    assert not can_be_fused(rows)


@pytest.mark.parametrize(("kind", "fit"), [(torch.bfloat16, True), (torch.float16, False)])
def test_products_may_be_lowered_to_bfloat16_alone(kind: torch.dtype, fit: bool) -> None:
    with torch.autocast("cpu", kind):
        assert can_be_fused(ROWS) == fit
