"""InfoNCE against the loop over pairs."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.objectives.contrast import info_nce


def loop(anchor: torch.Tensor, positive: torch.Tensor, temperature: float, weight: list[float]) -> float:
    losses = []
    for i in range(len(anchor)):
        cosines = [
            float(anchor[i] @ positive[j] / (anchor[i].norm() * positive[j].norm()))
            for j in range(len(positive))
        ]
        exponentials = [math.exp(cosine / temperature) for cosine in cosines]
        losses.append(-math.log(exponentials[i] / sum(exponentials)))
    return sum(w * loss for w, loss in zip(weight, losses, strict=True)) / sum(weight)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 6), st.floats(0.05, 2), st.integers(0, 10_000), st.booleans())
def test_equals_the_loop(n: int, d: int, temperature: float, seed: int, weighted: bool) -> None:
    torch.manual_seed(seed)
    anchor, positive = torch.randn(n, d), torch.randn(n, d)
    weight = torch.rand(n) + 0.01 if weighted else None
    expected = loop(
        anchor.double(), positive.double(), temperature, [1.0] * n if weight is None else weight.tolist()
    )
    assert info_nce(anchor, positive, temperature, weight).item() == pytest.approx(
        expected, rel=1e-3, abs=1e-5
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), st.floats(1e-4, 1e4), st.integers(0, 10_000))
def test_weights_count_by_their_ratio_alone(n: int, scale: float, seed: int) -> None:
    torch.manual_seed(seed)
    anchor, positive, weight = torch.randn(n, 3), torch.randn(n, 3), torch.rand(n) + 0.1
    same = info_nce(anchor, positive, 0.2, weight * scale).item()
    assert same == pytest.approx(info_nce(anchor, positive, 0.2, weight).item(), rel=1e-4)


def test_perfect_and_hopeless() -> None:
    eye = torch.eye(4)
    assert info_nce(eye, eye, 0.01).item() == pytest.approx(0, abs=1e-6)
    same = torch.ones(4, 3)
    assert info_nce(same, same, 0.2).item() == pytest.approx(math.log(4))


@pytest.mark.parametrize("n", [0, 1])
def test_few_rows_have_zero_loss_and_gradient(n: int) -> None:
    anchor, positive = torch.randn(n, 3, requires_grad=True), torch.randn(n, 3, requires_grad=True)
    loss = info_nce(anchor, positive, 0.2)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert anchor.grad is not None
    assert positive.grad is not None
    assert anchor.grad.isfinite().all()


def test_zero_row_is_finite() -> None:
    anchor = torch.zeros(3, 4, requires_grad=True)
    loss = info_nce(anchor, torch.randn(3, 4), 0.2)
    loss.backward()
    assert loss.isfinite()
    assert anchor.grad is not None
    assert anchor.grad.isfinite().all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.sampled_from([0.0, 0.2, 0.6]), st.integers(0, 10_000))
def test_rows_that_weigh_nothing_might_as_well_be_absent(n: int, share: float, seed: int) -> None:
    """With none and with one that weighs something, too: losses and finite gradients are equal."""
    torch.manual_seed(seed)
    weight = (torch.rand(n) + 0.1) * (torch.rand(n) < share)
    anchor, positive = torch.randn(2, n, 4)
    taken = weight > 0

    def ask(*tables: torch.Tensor) -> list[torch.Tensor]:
        own = [table.clone().requires_grad_() for table in tables[:2]]
        loss = info_nce(*own, 0.2, tables[2])
        return [loss, *torch.autograd.grad(loss, own)]

    whole, alone = ask(anchor, positive, weight), ask(anchor[taken], positive[taken], weight[taken])
    torch.testing.assert_close(whole[0], alone[0])
    for every, few in zip(whole[1:], alone[1:], strict=True):
        torch.testing.assert_close(every[taken], few)
        assert not every[~taken].any()
