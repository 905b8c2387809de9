"""Both reconstruction losses against the loop over molecules, walk nodes and features."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cytomol.nn.batch import TargetSums
from cytomol.nn.together import Together
from cytomol.objectives import sufficiency
from cytomol.objectives.sufficiency import walk_cross_entropy, walk_squared_error


@dataclass
class Walks:
    """Targets of visited nodes (NaN where not observed), path weights and decoded rows."""

    decoded: np.ndarray  # (molecules, width)
    targets: np.ndarray  # (molecules, steps, width)
    weights: np.ndarray  # (molecules, steps)

    def sums(self) -> TargetSums:
        seen = ~np.isnan(self.targets)
        rows = np.flatnonzero(seen.any(axis=(1, 2)))
        weight, value = self.weights[:, :, None] * seen, np.nan_to_num(self.targets)
        return TargetSums(
            rows=torch.from_numpy(rows),
            weight=torch.from_numpy(weight.sum(1)[rows]).float(),
            value=torch.from_numpy((weight * value).sum(1)[rows]).float(),
            square=torch.from_numpy((weight * value**2).sum(1)[rows]).float(),
            entries=torch.tensor(float(seen.sum())),
        )

    def loop(self, kind: str) -> float:
        total, entries = 0.0, 0
        for i, molecule in enumerate(self.targets):
            for s, node in enumerate(molecule):
                for j, target in enumerate(node):
                    if math.isnan(target):
                        continue
                    entries += 1
                    value = self.decoded[i, j]
                    if kind == "squared":
                        loss = (value - target) ** 2
                    else:
                        p = 1 / (1 + math.exp(-value))
                        loss = -(target * math.log(p) + (1 - target) * math.log(1 - p))
                    total += self.weights[i, s] * loss
        return total / max(entries, 1)


@st.composite
def walks(draw: st.DrawFn) -> Walks:
    molecules, steps, width = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    targets = rng.random((molecules, steps, width))
    targets[rng.random(targets.shape) < draw(st.sampled_from([0.0, 0.5, 1.0]))] = np.nan
    weights = np.concatenate([np.ones((molecules, 1)), rng.random((molecules, steps))], 1).cumprod(1)[
        :, :steps
    ]
    return Walks(rng.normal(0, 3, (molecules, width)), targets, weights)


@settings(max_examples=60, deadline=None)
@given(walks(), st.sampled_from(["entropy", "squared"]))
def test_equals_the_loop(case: Walks, kind: str) -> None:
    sums = case.sums()
    decoded = torch.from_numpy(case.decoded).float()[sums.rows]
    loss = {"entropy": walk_cross_entropy, "squared": walk_squared_error}[kind](decoded, sums)
    assert loss.item() == pytest.approx(case.loop(kind), rel=1e-4, abs=1e-5)


def test_one_weight_a_row_where_everything_is_observed() -> None:
    torch.manual_seed(0)
    targets, weights, decoded = torch.rand(3, 4, 5), torch.rand(3, 4, 1), torch.randn(3, 5)
    whole = TargetSums(
        torch.arange(3),
        weights.expand_as(targets).sum(1),
        (weights * targets).sum(1),
        (weights * targets**2).sum(1),
        torch.tensor(60.0),
    )
    narrow = replace(whole, weight=weights.sum(1))
    for loss in (walk_cross_entropy, walk_squared_error):
        torch.testing.assert_close(loss(decoded, narrow), loss(decoded, whole))


@pytest.mark.parametrize("loss", [walk_cross_entropy, walk_squared_error])
def test_gradient_and_no_rows(loss: object) -> None:
    torch.manual_seed(0)
    empty = TargetSums(
        torch.zeros(0, dtype=torch.int64),
        torch.zeros(0, 1),
        torch.zeros(0, 5),
        torch.zeros(0, 5),
        torch.zeros(()),
    )
    decoded = torch.randn(0, 5, requires_grad=True)
    value: Tensor = loss(decoded, empty)  # type: ignore[operator]
    value.backward()
    assert value.item() == 0
    assert decoded.grad is not None


def test_extreme_logits_are_finite() -> None:
    sums = TargetSums(torch.arange(1), torch.ones(1, 2), torch.tensor([[1.0, 0.0]]), None, torch.tensor(2.0))
    assert walk_cross_entropy(torch.tensor([[1e4, -1e4]]), sums).item() == pytest.approx(0)
    assert walk_cross_entropy(torch.tensor([[-1e4, 1e4]]), sums).item() == pytest.approx(1e4)


def test_squared_error_needs_the_second_moment() -> None:
    sums = TargetSums(torch.arange(1), torch.ones(1, 1), torch.ones(1, 1), None, torch.tensor(1.0))
    with pytest.raises(ValueError, match="second moment"):
        walk_squared_error(torch.zeros(1, 1), sums)


def test_the_mean_is_over_the_entries_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.tensor([[1.0, 3.0]])
    ones = torch.ones(1, 2)
    sums = TargetSums(torch.tensor([0]), ones, 0 * ones, 0 * ones, torch.tensor(2.0))
    assert walk_squared_error(values, sums).item() == pytest.approx(5)
    monkeypatch.setattr(sufficiency, "current", lambda: Together(0, 2))
    monkeypatch.setattr(sufficiency, "summed", lambda both: both + torch.tensor([6.0, 6.0]))  # of the other
    assert walk_squared_error(values, sums).item() == pytest.approx((10 + 6) / (2 + 6))
