"""A long run holds no more than a short one: after the first epochs nothing new is kept."""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import pytest
import torch
from benchmarks.memory.kernels import Epoch, epochs_of

from cytomol.methods import methods

_SMALL: dict[str, Any] = {"width": 64, "layers": 3, "epochs": 4, "batch_size": 64, "threads": 2, "workers": 1}


_CASES = list(product(methods.names(), ("32-true", "bf16-mixed")))

pytestmark = pytest.mark.skipif(
    not (sys.platform.startswith("linux") and torch.backends.mkldnn.is_available()),
    reason="reads glibc's heap and oneDNN's log",
)


@pytest.fixture(scope="module")
def ran() -> dict[tuple[str, str], list[Epoch]]:
    """Return the epochs of every method and precision, one after the other in one process."""
    runs = []
    for method, precision in _CASES:
        views = tuple(view for view in methods[method].Config().views if view != "3d")
        runs.append((method, {**_SMALL, "views": views, "precision": precision}))
    return dict(zip(_CASES, epochs_of(500, runs), strict=True))


@pytest.mark.parametrize("case", _CASES, ids="-".join)
def test_later_epochs_keep_nothing_new(
    case: tuple[str, str], ran: dict[tuple[str, str], list[Epoch]]
) -> None:
    found = ran[case]
    assert len(found) == 4
    # the first epoch meets every shape; what an epoch keeps after that, every epoch that follows would
    assert [epoch.kernels for epoch in found[2:]] == [0, 0], found
    assert found[3].used - found[1].used < 1e6, found
