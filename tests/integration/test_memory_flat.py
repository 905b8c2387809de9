"""A long run holds no more than a short one: after the first epochs nothing new is kept."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from benchmarks.memory.kernels import epochs

from cytomol.methods import methods

_SMALL: dict[str, Any] = {"width": 64, "layers": 3, "epochs": 4, "batch_size": 64, "threads": 2, "workers": 1}


@pytest.mark.skipif(
    not (sys.platform.startswith("linux") and torch.backends.mkldnn.is_available()),
    reason="reads glibc's heap and oneDNN's log",
)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("method", methods.names())
def test_later_epochs_keep_nothing_new(method: str, precision: str) -> None:
    views = tuple(view for view in methods[method].Config().views if view != "3d")
    found = epochs(method, 500, {**_SMALL, "views": views, "precision": precision})
    assert len(found) == 4
    # the first epoch meets every shape; what an epoch keeps after that, every epoch that follows would
    assert [epoch.kernels for epoch in found[2:]] == [0, 0], found
    assert found[3].used - found[1].used < 1e6, found
