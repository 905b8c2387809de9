from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cytomol.predict.config import FinetuneConfig
from cytomol.predict.fit import Best, FitData, apply, batches, fit_head, seeded

CPU = torch.device("cpu")


def data(kind: str = "classification", n: int = 120) -> FitData:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(n, 6, generator=generator)
    value = inputs[:, :1] - inputs[:, 1:2]
    targets = (
        torch.cat([(value > 0).float(), (value < 0.5).float()], 1) if kind == "classification" else value
    )
    targets = targets.clone()
    targets[::9, 0] = torch.nan
    rows = torch.arange(n)
    metric = "roc_auc" if kind == "classification" else "mae"
    return FitData(
        inputs, targets, rows[: n // 2], rows[n // 2 :], kind, metric, np.full(targets.shape[1], 2.0)
    )


def head(tasks: int) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, tasks))


def fit(config: FinetuneConfig, kind: str = "classification") -> tuple[nn.Module, FitData, list[float]]:
    given = data(kind)
    scores: list[float] = []
    with seeded(0):
        module = head(given.targets.shape[1])
        fit_head(module, given, config, device=CPU, on_epoch=lambda *report: scores.append(report[3]))
    return module, given, scores


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_learns_and_keeps_the_best_epoch(kind: str) -> None:
    config = FinetuneConfig(epochs=60, lr=1e-2, batch_size=16, patience=10)
    module, given, scores = fit(config, kind)
    final = given.validate(apply(module, given.inputs[given.valid]), "score")
    assert final == pytest.approx(max(scores))
    assert final > (0.95 if kind == "classification" else -0.6)


def test_regression_is_scored_in_units_of_the_task() -> None:
    given = data("regression")
    output = torch.nan_to_num(given.targets[given.valid]) + 1.0
    assert given.validate(output, "score") == pytest.approx(-2.0)


def test_stops_when_patience_is_over() -> None:
    _, _, scores = fit(FinetuneConfig(epochs=200, lr=1e-2, patience=5, batch_size=16))
    assert len(scores) == int(np.argmax(scores)) + 1 + 5


def test_without_patience_all_epochs_run() -> None:
    assert len(fit(FinetuneConfig(epochs=12, patience=0))[2]) == 12


def test_validation_without_both_classes_falls_back_on_the_loss() -> None:
    given = data()
    given.targets[given.valid] = 1.0
    good, bad = torch.full((60, 2), 5.0), torch.full((60, 2), -5.0)
    assert given.validate(good, "score") > given.validate(bad, "score")


def test_the_same_seed_gives_the_same_weights() -> None:
    config = FinetuneConfig(epochs=3)
    first, second = fit(config)[0].state_dict(), fit(config)[0].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_best_is_the_first_of_equals() -> None:
    best, module = Best(patience=2), nn.Linear(1, 1)
    assert [best.update(e, s, [module]) for e, s in enumerate([0.1, 0.5, 0.5, 0.4])] == [
        False,
        False,
        False,
        True,
    ]
    assert best.epoch == 1


@pytest.mark.parametrize(("rows", "size"), [(257, 256), (5, 2), (1, 256), (512, 256), (3, 2)])
def test_batches_hold_every_row_once_and_none_a_single_one(rows: int, size: int) -> None:
    parts = list(batches(torch.arange(rows), size))
    assert sorted(torch.cat(parts).tolist()) == list(range(rows))
    assert max(map(len, parts)) <= size
    assert rows == 1 or size == 2 or min(map(len, parts)) > 1


def test_seeded_restores_generator_and_threads() -> None:
    torch.manual_seed(3)
    expected, threads = torch.rand(1), torch.get_num_threads()
    torch.manual_seed(3)
    with seeded(7, threads=1):
        torch.rand(5)
        assert torch.get_num_threads() == 1
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads
