"""InfoLOOB and retrieval against loops that know the equations and not the code."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from cytomol.objectives.infoloob import cloob, infoloob, retrieve

Rows = NDArray[np.float64]


def unit(rows: Rows) -> Rows:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def infoloob_loop(anchor: Rows, positive: Rows, tau: float) -> float:
    n = len(anchor)
    total = 0.0
    for i in range(n):
        others = sum(math.exp(anchor[i] @ positive[j] / tau) for j in range(n) if j != i)
        total -= math.log(math.exp(anchor[i] @ positive[i] / tau) / others)
    return total / n


def retrieve_loop(state: Rows, stored: Rows, beta: float) -> Rows:
    found = []
    for x in state:
        weights = np.array([math.exp(beta * (u @ x)) for u in stored])
        weights /= weights.sum()
        mixed = sum(w * u for w, u in zip(weights, stored, strict=True))
        found.append(mixed / np.linalg.norm(mixed))
    return np.array(found)


def cloob_loop(x: Rows, y: Rows, tau: float, beta: float | None) -> float:
    x, y = unit(x), unit(y)
    if beta is None:
        return infoloob_loop(x, y, tau) + infoloob_loop(y, x, tau)
    among_x = infoloob_loop(retrieve_loop(x, x, beta), retrieve_loop(y, x, beta), tau)
    return among_x + infoloob_loop(retrieve_loop(y, y, beta), retrieve_loop(x, y, beta), tau)


def draw(n: int, d: int, seed: int) -> tuple[Rows, Rows]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    return x, x + rng.normal(size=(n, d))


def tensors(*rows: Rows) -> list[Tensor]:
    return [torch.from_numpy(table).float() for table in rows]


CASES = {
    "n": st.integers(2, 12),
    "d": st.integers(1, 9),
    "tau": st.floats(0.05, 3),
    "beta": st.none() | st.floats(0.1, 30),
    "seed": st.integers(0, 2**16),
}


@settings(deadline=None)
@given(**CASES)
def test_the_objective_is_its_loop(n: int, d: int, tau: float, beta: float | None, seed: int) -> None:
    x, y = draw(n, d, seed)
    found = cloob(*tensors(x, y), tau, scale=beta).item()
    assert found == pytest.approx(cloob_loop(x, y, tau, beta), rel=2e-3, abs=2e-3)


@settings(deadline=None)
@given(**CASES)
def test_rows_that_take_no_part_might_be_anything(
    n: int, d: int, tau: float, beta: float | None, seed: int
) -> None:
    x, y = tensors(*draw(n, d, seed))
    part = torch.rand(n, generator=torch.Generator().manual_seed(seed)) < 0.6
    left = cloob(x[part], y[part], tau, scale=beta)
    spoilt = torch.where(part[:, None], x, 1e4)
    spoilt.requires_grad_()
    masked = cloob(spoilt, torch.where(part[:, None], y, -7.0), tau, scale=beta, part=part)
    torch.testing.assert_close(masked, left, rtol=1e-3, atol=1e-3)
    masked.backward()
    assert spoilt.grad is not None
    assert spoilt.grad.isfinite().all()
    assert not spoilt.grad[~part].any()


def test_one_direction_by_hand() -> None:
    """Two rows: each is told from the one other."""
    a, b = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.6, 0.8], [0.8, 0.6]])
    # rows of similarity are (0.6, 0.8) and (0.8, 0.6): -(0.6 - 0.8) / tau for both
    assert infoloob(a, b, 0.5).item() == pytest.approx(0.4)
    # the loss has no floor at zero, as InfoNCE has
    assert infoloob(a, a, 0.5).item() == pytest.approx(-2.0)


@pytest.mark.parametrize("number", [0, 1])
def test_one_row_has_nothing_to_be_told_from(number: int) -> None:
    x, y = tensors(*draw(4, 3, 0))
    part = torch.arange(4) < number
    for scale in (None, 5.0):
        assert cloob(x[:number], y[:number], 0.1, scale=scale) == 0
        assert cloob(x, y, 0.1, scale=scale, part=part) == 0


def test_a_large_scale_retrieves_the_nearest_and_a_small_one_the_mean() -> None:
    stored = torch.eye(3)
    state = torch.tensor([[0.9, 0.3, 0.1]])
    torch.testing.assert_close(retrieve(state, stored, 1000.0), stored[:1])
    torch.testing.assert_close(retrieve(state, stored, 1e-6), torch.full((1, 3), 3**-0.5))
    only = torch.tensor([False, True, True])
    torch.testing.assert_close(retrieve(state, stored, 1000.0, part=only), stored[1:2])


@settings(deadline=None)
@given(**CASES)
def test_weights_are_those_of_the_mean(n: int, d: int, tau: float, beta: float | None, seed: int) -> None:
    """Whole weights are as good as rows counted so often, among the same candidates."""
    x, y = tensors(*draw(n, d, seed))
    weight = torch.randint(0, 4, (n,), generator=torch.Generator().manual_seed(seed)).float()
    x, y = torch.nn.functional.normalize(x, dim=1), torch.nn.functional.normalize(y, dim=1)
    similarity = (x @ y.T / tau).double()
    others = similarity.masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf)
    losses = (others.logsumexp(dim=1) - similarity.diagonal()).tolist() if n > 1 else [0.0] * n
    wanted = sum(w * loss for w, loss in zip(weight.tolist(), losses, strict=True)) / max(
        weight.sum().item(), 1e-12
    )
    assert infoloob(x, y, tau, weight=weight).item() == pytest.approx(wanted, rel=1e-3, abs=1e-3)
    everyone = torch.ones(n, dtype=torch.bool)
    masked = infoloob(x, y, tau, weight=weight, part=everyone)
    assert masked.item() == pytest.approx(wanted, rel=1e-3, abs=1e-3)
    alike = cloob(x, y, tau, scale=beta, weight=torch.full((n,), 3.0))
    torch.testing.assert_close(alike, cloob(x, y, tau, scale=beta), rtol=1e-4, atol=1e-4)
