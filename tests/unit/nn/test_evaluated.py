"""A module is evaluated, and is afterwards as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cytomol.nn.evaluated import evaluated


class Counting(nn.Sequential):
    """Counts how often its mode is switched."""

    switched = 0

    def train(self, mode: bool = True) -> Counting:
        self.switched += 1
        return super().train(mode)


def network() -> Counting:
    return Counting(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))


def test_it_answers_without_chance_and_trains_on():
    module = network()
    with evaluated(module), torch.no_grad():
        first, second = module(torch.ones(3, 2)), module(torch.ones(3, 2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert all(part.training for part in module.modules())


def test_one_that_is_evaluated_already_is_left_alone():
    module = network().eval()
    module.switched = 0
    with evaluated(module):
        pass
    assert module.switched == 0
    assert not any(part.training for part in module.modules())


def test_a_part_in_training_mode_is_seen():
    module = network().eval()
    module[2].train()
    with evaluated(module):
        assert not module[2].training
    assert not module[2].training  # the mode of the whole, which alone is known


def test_an_error_leaves_no_other_mode_behind():
    module = network()
    with pytest.raises(ValueError, match="wrong"), evaluated(module):
        raise ValueError("wrong")
    assert all(part.training for part in module.modules())
