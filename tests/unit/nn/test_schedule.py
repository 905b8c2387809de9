"""The learning rate as a function of the step."""

from __future__ import annotations

import itertools
import math

import pytest

from cytomol.nn.schedule import learning_rate


def test_cosine_of_infoalign() -> None:
    rates = [learning_rate(step, steps=100, warmup=0, base=1e-4) for step in range(101)]
    assert rates[0] == 1e-4
    assert rates[50] == pytest.approx(1e-4 * math.cos(math.pi * 7 / 32))
    assert rates[100] == pytest.approx(1e-4 * math.cos(7 * math.pi / 16))
    assert all(later < earlier for earlier, later in itertools.pairwise(rates))


def test_half_a_cycle_ends_at_zero() -> None:
    assert learning_rate(100, steps=100, warmup=10, base=1.0, cycles=0.5) == pytest.approx(0, abs=1e-12)


def test_warm_up_rises_to_the_base() -> None:
    rates = [learning_rate(step, steps=50, warmup=4, base=1.0) for step in range(6)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5] < 1


def test_constant() -> None:
    assert {learning_rate(s, steps=9, warmup=0, base=0.3, schedule="constant") for s in range(9)} == {0.3}


def test_a_warm_up_longer_than_the_training_never_divides_by_zero() -> None:
    assert learning_rate(5, steps=5, warmup=5, base=1.0) == 1.0
