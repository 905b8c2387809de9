"""One step of training: its randomness, its learning rate, its optimizer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cytomol.errors import CytomolError
from cytomol.methods.config import InfoAlignConfig
from cytomol.methods.output import MethodOutput
from cytomol.nn.batch import Batch
from cytomol.training.loop.module import PretrainModule, check_finite
from cytomol.training.loop.state import RunState

STEPS = 3


class Drawing(nn.Module):
    """A method whose loss is a random number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([3.0, -0.5, 0.0], dtype=torch.float64))

    def forward(self, batch: Batch) -> MethodOutput:
        del batch
        return MethodOutput(torch.rand(()) * self.weight.sum().float())


def _module(rank: int = 0, **options: Any) -> PretrainModule:
    config = InfoAlignConfig.build({"epochs": 4, **options})
    module = PretrainModule(Drawing(), config, RunState(), STEPS)  # type: ignore[arg-type]
    module.trainer = SimpleNamespace(optimizers=[module.configure_optimizers()], global_rank=rank)
    return module


def _drawn(module: PretrainModule, epoch: int, batch: int) -> Tensor:
    module.state.epoch, module.state.batch = epoch, batch
    loss = module.training_step(Batch(size=1), 0)["loss"]
    assert isinstance(loss, Tensor)
    return loss.detach()


def test_each_step_has_its_own_randomness_which_nothing_before_it_changes() -> None:
    places = [(epoch, batch) for epoch in range(3) for batch in range(STEPS)]
    module = _module()
    drawn = [float(_drawn(module, *place)) for place in places]
    assert len(set(drawn)) == len(places)
    resumed = _module()
    torch.rand(17)
    assert [float(_drawn(resumed, *place)) for place in reversed(places)] == drawn[::-1]
    other = _module(seed=1)
    assert not set(drawn) & {float(_drawn(other, *place)) for place in places}
    # processes that train together draw as one, and each takes its part
    assert [float(_drawn(_module(rank=1), *place)) for place in places] == drawn


def test_each_step_has_the_rate_of_the_schedule() -> None:
    module = _module(lr=0.1, warmup_epochs=1, cosine_cycles=0.5)
    rates = []
    for epoch in range(4):
        for batch in range(STEPS):
            _drawn(module, epoch, batch)
            rates.append(module.trainer.optimizers[0].param_groups[0]["lr"])
    rising = [0.1 * (step + 1) / 4 for step in range(STEPS)]
    falling = [0.1 * np.cos(np.pi / 2 * step / 9) for step in range(9)]
    assert rates == pytest.approx(rising + falling)
    constant = _module(lr=0.1, warmup_epochs=0, schedule="constant")
    assert constant.rate() == 0.1


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_with_weight_decay_by_hand(decay: float) -> None:
    module = _module(lr=0.01, weight_decay=decay)
    optimizer, weight = module.trainer.optimizers[0], module.method.weight
    expected, gradients = weight.detach().numpy().copy(), [0.3, -2.0, 0.05]
    first = second = np.zeros(3)
    for step in range(1, 6):
        weight.grad = torch.tensor(gradients, dtype=torch.float64) * step
        optimizer.step()
        gradient = np.array(gradients) * step + decay * expected
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        unbiased = first / (1 - 0.9**step), second / (1 - 0.999**step)
        expected = expected - 0.01 * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    np.testing.assert_allclose(weight.detach().numpy(), expected, rtol=1e-9)


def test_a_loss_that_is_no_number_says_where() -> None:
    check_finite(1.0, RunState())
    with pytest.raises(CytomolError, match=r"became inf in epoch 3, batch 5"):
        check_finite(float("inf"), RunState(epoch=2, batch=4))
