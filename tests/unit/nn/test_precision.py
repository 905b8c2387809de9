from __future__ import annotations

import torch

from cytomol.nn.precision import full_precision


def test_products_keep_their_precision_within_mixed_precision() -> None:
    rows = torch.randn(3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert (rows @ rows).dtype == torch.bfloat16
        with full_precision(rows.device):
            assert (rows @ rows).dtype == torch.float32


def test_a_device_without_mixed_precision_is_left_alone() -> None:
    rows = torch.randn(3, 3, device="meta")
    with full_precision(rows.device):
        assert (rows @ rows).dtype == torch.float32
