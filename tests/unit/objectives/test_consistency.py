"""VICReg against loops over rows and columns."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cytomol.objectives.consistency import vicreg


def loop(p: list[list[float]], q: list[list[float]]) -> tuple[float, float, float]:
    n, d = len(p), len(p[0])
    invariance = sum((p[i][j] - q[i][j]) ** 2 for i in range(n) for j in range(d)) / (n * d)
    variance = covariance = 0.0
    for rows in (p, q):
        mean = [sum(row[j] for row in rows) / n for j in range(d)]

        def cov(a: int, b: int, rows: list[list[float]] = rows, mean: list[float] = mean) -> float:
            return sum((row[a] - mean[a]) * (row[b] - mean[b]) for row in rows) / (n - 1)

        if n > 1:
            variance += sum(max(0.0, 1 - math.sqrt(cov(j, j) + 1e-4)) for j in range(d)) / d / 2
            covariance += sum(cov(a, b) ** 2 for a in range(d) for b in range(d) if a != b) / d
    return invariance, variance, covariance


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(1, 6), st.floats(0.1, 3), st.integers(0, 10_000))
@example(2, 4, 0.5, 0)  # the fewest rows that have a variance
def test_equals_the_loop(n: int, d: int, scale: float, seed: int) -> None:
    torch.manual_seed(seed)
    p, q = scale * torch.randn(n, d), scale * torch.randn(n, d) + 1
    expected = loop(p.double().tolist(), q.double().tolist())
    terms = vicreg(p, q)
    assert [term.item() for term in terms] == pytest.approx(list(expected), rel=1e-3, abs=1e-4)
    assert terms.total().item() == pytest.approx(sum(expected), rel=1e-3, abs=2e-4)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_rows(n: int) -> None:
    p, q = torch.randn(n, 3, requires_grad=True), torch.randn(n, 3, requires_grad=True)
    terms = vicreg(p, q)
    terms.total().backward()
    assert terms.variance.item() == terms.covariance.item() == 0
    assert p.grad is not None
    assert p.grad.isfinite().all()


def test_collapsed_rows_have_a_finite_gradient() -> None:
    rows = torch.ones(5, 3, requires_grad=True)
    hinge = vicreg(rows, rows).variance
    hinge.backward()
    assert hinge.item() == pytest.approx(1 - math.sqrt(1e-4))
    assert rows.grad is not None
    assert rows.grad.isfinite().all()


def test_both_ways_to_the_covariance_agree() -> None:
    torch.manual_seed(0)
    rows = torch.randn(12, 5, dtype=torch.float64)
    tall, wide = rows, torch.cat([rows, torch.zeros(12, 20, dtype=torch.float64)], 1)
    torch.testing.assert_close(vicreg(tall, tall).covariance * 5, vicreg(wide, wide).covariance * 25)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 12), st.sampled_from([0.0, 0.2, 0.6, 1.0]), st.integers(0, 10_000))
def test_masked_rows_might_as_well_be_absent(n: int, d: int, share: float, seed: int) -> None:
    """With none, one or more left: terms and finite gradients are equal."""
    torch.manual_seed(seed)
    part = torch.rand(n) < share
    p, q = 0.5 * torch.randn(2, n, d) + 3

    def ask(p: torch.Tensor, q: torch.Tensor, part: torch.Tensor | None) -> list[torch.Tensor]:
        own = [p.clone().requires_grad_(), q.clone().requires_grad_()]
        terms = vicreg(*own, part=part)
        return [*terms, *torch.autograd.grad(terms.total(), own)]

    whole, alone = ask(p, q, part), ask(p[part], q[part], None)
    for every, few in zip(whole[:3], alone[:3], strict=True):
        torch.testing.assert_close(every, few, rtol=1e-4, atol=1e-5)
    for every, few in zip(whole[3:], alone[3:], strict=True):
        torch.testing.assert_close(every[part], few, rtol=1e-3, atol=1e-4)
        assert not every[~part].any()


def test_weights_count_in_the_invariance_alone() -> None:
    torch.manual_seed(0)
    p, q = torch.randn(2, 7, 4)
    weight = torch.tensor([0.0, 1.0, 2.0, 0.5, 1.0, 3.0, 0.5])
    plain, weighted = vicreg(p, q), vicreg(p, q, weight=weight)
    wanted = sum(w * (a - b).square().mean() for w, a, b in zip(weight, p, q, strict=True)) / weight.sum()
    torch.testing.assert_close(weighted.invariance, wanted)
    torch.testing.assert_close(weighted.variance, plain.variance)
    torch.testing.assert_close(weighted.covariance, plain.covariance)
    part = torch.tensor([True, False, True, True, True, False, True])
    torch.testing.assert_close(
        vicreg(p, q, part=part, weight=weight).invariance,
        vicreg(p[part], q[part], weight=weight[part]).invariance,
    )
