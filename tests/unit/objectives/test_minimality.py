"""The minimality estimate against torch.distributions and the closed form."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from cytomol.objectives.minimality import minimality


def test_equals_torch_distributions() -> None:
    torch.manual_seed(0)
    mean, deviation = torch.randn(6, 4), torch.rand(6, 4) + 0.1
    sample = mean + deviation * torch.randn(6, 4)
    posterior = Independent(Normal(mean, deviation), 1)
    prior = Independent(Normal(torch.zeros(4), torch.ones(4)), 1)
    expected = (posterior.log_prob(sample) - prior.log_prob(sample)).mean()
    torch.testing.assert_close(minimality(sample, mean, deviation), expected)


def test_mean_over_samples_is_the_divergence() -> None:
    torch.manual_seed(0)
    mean, deviation = (
        torch.tensor([[0.5, -1.0]]).expand(200_000, 2),
        torch.tensor([[0.3, 1.5]]).expand(200_000, 2),
    )
    estimate = minimality(mean + deviation * torch.randn(200_000, 2), mean, deviation)
    exact = kl_divergence(Normal(mean[0], deviation[0]), Normal(torch.zeros(2), torch.ones(2))).sum()
    assert estimate.item() == pytest.approx(exact.item(), abs=0.02)


def test_no_rows() -> None:
    empty = torch.zeros(0, 4)
    assert minimality(empty, empty, empty).item() == 0
