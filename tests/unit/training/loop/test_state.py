"""What a saved training holds beside the model."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import torch
from torch import nn

from cytomol.training.loop.state import (
    RunState,
    metrics_csv,
    optimizer_tensors,
    partial_path,
    restore_optimizer,
)


def _trained(steps: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    optimizer = torch.optim.Adam(module.parameters(), lr=0.1, fused=True)
    for step in range(steps):
        optimizer.zero_grad()
        module(torch.full((2, 3), float(step + 1))).sum().backward()
        optimizer.step()
    return module, optimizer


def test_an_optimizer_continues_where_it_stood() -> None:
    straight, _ = _trained(5)
    module, optimizer = _trained(3)
    other = torch.optim.Adam(module.parameters(), lr=0.1, fused=True)
    restore_optimizer(other, optimizer_tensors(optimizer))
    for step in (3, 4):
        other.zero_grad()
        module(torch.full((2, 3), float(step + 1))).sum().backward()
        other.step()
    for one, two in zip(straight.parameters(), module.parameters(), strict=True):
        assert torch.equal(one, two)


def test_metrics_have_a_column_for_whatever_appeared() -> None:
    state = RunState(
        history=[
            {"epoch": 1, "lr": 0.1, "train": {"loss": 2.0}, "valid": {}},
            {"epoch": 2, "lr": 0.05, "train": {"loss": 1.0, "new": 3.0}, "valid": {"loss": 1.5}},
        ]
    )
    rows = list(csv.DictReader(io.StringIO(metrics_csv(state))))
    assert [row["train/loss"] for row in rows] == ["2.0", "1.0"]
    assert rows[0]["valid/loss"] == ""
    assert rows[1]["train/new"] == "3.0"
    assert metrics_csv(RunState()) == ""


def test_the_state_lies_beside_the_output() -> None:
    assert partial_path(Path("a/model.v1")) == Path("a/model.v1.partial")
