"""Code losses against loops; what each term moves."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from cytomol.objectives.quantization import code_loss, perplexity, reverse_code_loss


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(a @ b / (a.norm() * b.norm()))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(1, 4), st.floats(0, 3), st.integers(0, 10_000))
def test_code_loss_equals_the_loop(n: int, levels: int, eta: float, seed: int) -> None:
    torch.manual_seed(seed)
    rows, codes = torch.randn(n, 5), functional.normalize(torch.randn(10, 5), dim=1)
    chosen, weight = torch.randint(0, 10, (n, levels)), torch.rand(n)
    expected = sum(
        float(weight[i]) * (1 + eta) * (1 - cosine(codes[chosen[i, h]], rows[i])) / levels
        for i in range(n)
        for h in range(levels)
    )
    assert code_loss(rows, codes, chosen, eta, weight).item() == pytest.approx(expected, rel=1e-3, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.floats(0, 3), st.integers(0, 10_000))
def test_reverse_loss_equals_the_loop(n: int, eta: float, seed: int) -> None:
    torch.manual_seed(seed)
    rows, codes = torch.randn(n, 5), functional.normalize(torch.randn(6, 5), dim=1)
    levels = []
    for start, size in ((0, 2), (2, 4)):
        nearest = [max(cosine(code, row) for row in rows) for code in codes[start : start + size]]
        levels.append(sum((1 + eta) * (1 - value) for value in nearest) / size)
    loss = reverse_code_loss(rows, codes, (2, 4), eta)
    assert loss.item() == pytest.approx(sum(levels) / 2, rel=1e-3, abs=1e-5)


def test_a_code_that_no_row_reaches_is_left_out_unless_asked() -> None:
    rows, codes = torch.eye(2), torch.tensor([[0.6, 0.8], [-1.0, 0.0]])
    reached = torch.tensor([[True, False], [True, False]])
    assert reverse_code_loss(rows, codes, (2,), 0.0, reached=reached).item() == pytest.approx(0.2)
    first = reverse_code_loss(rows, codes, (2,), 0.0, reached=reached, unreached_to_first=True)
    assert first.item() == pytest.approx((0.2 + 2) / 2)


def test_eta_moves_codes_and_nothing_else() -> None:
    torch.manual_seed(0)
    rows = torch.randn(4, 5, requires_grad=True)
    codes = functional.normalize(torch.randn(6, 5), dim=1).requires_grad_()
    chosen, weight = torch.randint(0, 6, (4, 1)), torch.full((4,), 0.25)

    def gradients(eta: float) -> tuple[torch.Tensor, torch.Tensor]:
        loss = code_loss(rows, codes, chosen, eta, weight) + reverse_code_loss(rows, codes, (2, 4), eta)
        by_row, by_code = torch.autograd.grad(loss, (rows, codes))
        return by_row, by_code

    (rows0, codes0), (rows1, codes1), (rows2, codes2) = gradients(0.0), gradients(1.0), gradients(2.0)
    assert not codes0.any()
    torch.testing.assert_close(rows0, rows2)
    torch.testing.assert_close(rows0, rows1)
    torch.testing.assert_close(codes2, 2 * codes1)
    assert codes1.any(dim=1).all()  # the reverse assignment reaches every code


def test_reverse_loss_of_no_rows() -> None:
    codes = torch.randn(6, 5, requires_grad=True)
    loss = reverse_code_loss(torch.zeros(0, 5), codes, (2, 4), 1.0)
    loss.backward()
    assert loss.item() == 0


def test_perplexity() -> None:
    assert perplexity(torch.tensor([3, 3, 3]), 8).item() == pytest.approx(1)
    assert perplexity(torch.arange(8), 8).item() == pytest.approx(8)
    shares = [0.5, 0.25, 0.25]
    expected = math.exp(-sum(share * math.log(share) for share in shares))
    assert perplexity(torch.tensor([0, 0, 1, 2]), 4).item() == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 8),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from(["all", "left out", "to the first"]),
    st.integers(0, 10_000),
)
def test_masked_rows_might_as_well_be_absent(n: int, share: float, way: str, seed: int) -> None:
    torch.manual_seed(seed)
    rows, codes = torch.randn(n, 5), functional.normalize(torch.randn(6, 5), dim=1)
    part, reached, chosen = torch.rand(n) < share, torch.rand(n, 6) < 0.4, torch.randint(0, 6, (n,))

    def ask(
        rows: torch.Tensor, part: torch.Tensor | None, reached: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        own, owned = rows.clone().requires_grad_(), codes.clone().requires_grad_()
        loss = reverse_code_loss(
            own,
            owned,
            (2, 4),
            0.5,
            part=part,
            reached=None if way == "all" else reached,
            unreached_to_first=way == "to the first",
        )
        by_row, by_code = torch.autograd.grad(loss, (own, owned), materialize_grads=True)
        return loss, by_row, by_code

    whole, alone = ask(rows, part, reached), ask(rows[part], None, reached[part])
    torch.testing.assert_close(whole[0], alone[0])
    torch.testing.assert_close(whole[1][part], alone[1])
    torch.testing.assert_close(whole[2], alone[2])
    assert not whole[1][~part].any()
    torch.testing.assert_close(perplexity(chosen, 6, part=part), perplexity(chosen[part], 6))
