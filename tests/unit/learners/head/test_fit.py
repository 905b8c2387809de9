from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cytomol.learners.head.fit import Best, FitData, apply, batches, fit_head, make_optimizer, seeded
from cytomol.predict.config import FinetuneConfig

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


def followed(config: FinetuneConfig, monkeypatch: pytest.MonkeyPatch) -> tuple[list[float], list[float]]:
    """Return the learning rate of every step, and the last one of the optimizer."""
    rates: list[float] = []
    made: list[torch.optim.Optimizer] = []

    def spy(groups: list[dict[str, object]], config: FinetuneConfig) -> torch.optim.Optimizer:
        optimizer = make_optimizer(groups, config)
        optimizer.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
        made.append(optimizer)
        return optimizer

    monkeypatch.setattr("cytomol.learners.head.fit.make_optimizer", spy)
    fit(config)
    return rates, [group["lr"] for group in made[0].param_groups]


def test_onecycle_rises_to_the_rate_and_ends_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    config = FinetuneConfig(schedule="onecycle", epochs=20, batch_size=16, patience=0, keep="last", lr=0.01)
    rates, _ = followed(config, monkeypatch)
    assert len(rates) == 20 * 4
    top = int(np.argmax(rates))
    assert rates[top] == pytest.approx(0.01, rel=1e-3)
    assert top < len(rates) / 5
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    assert rates[-1] < 1e-5 * 0.01


def test_onecycle_of_a_single_step(monkeypatch: pytest.MonkeyPatch) -> None:
    config = FinetuneConfig(schedule="onecycle", epochs=1, patience=0, keep="last")
    assert len(followed(config, monkeypatch)[0]) == 1


def test_cosine_falls_from_epoch_to_epoch_by_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    config = FinetuneConfig(schedule="cosine", epochs=20, batch_size=16, patience=100, lr=0.01)
    rates, _ = followed(config, monkeypatch)
    steps = 4  # 60 rows
    expected = [0.01 * math.cos(math.pi * 7 / 16 * epoch / 20) for epoch in range(20) for _ in range(steps)]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_cosine_goes_with_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    config = FinetuneConfig(schedule="cosine", epochs=200, batch_size=16, patience=5, lr=0.01)
    rates, _ = followed(config, monkeypatch)
    assert len(rates) < 200 * 4
    assert rates[-1] < 0.01


def test_the_forest_is_added_in_loss_and_validation() -> None:
    given = data()
    forest = torch.rand(given.targets.shape, generator=torch.Generator().manual_seed(1))
    beside = dataclasses.replace(given, forest=forest, forest_gamma=0.3)
    config = FinetuneConfig(
        epochs=1, batch_size=len(given.train), lr=1e-9, weight_decay=0.0, select_by="loss"
    )
    with seeded(0):
        module = head(2)
        before = copy.deepcopy(module)
        result = fit_head(module, beside, config, device=CPU)
    with torch.no_grad():
        logits = 0.3 * before(given.inputs).double().numpy() + forest.double().numpy()
    y = given.targets.double().numpy()
    p = 1 / (1 + np.exp(-logits))
    losses = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    loss, validation = result.history[0]
    assert loss == pytest.approx(np.nanmean(losses[given.train]), rel=1e-5)
    assert validation == pytest.approx(-np.nanmean(losses[given.valid]), rel=1e-5)


def test_raw_values_have_the_l1_of_the_labels() -> None:
    given = dataclasses.replace(data("regression"), scale=np.ones(1))
    config = FinetuneConfig(epochs=1, batch_size=len(given.train), lr=1e-9, weight_decay=0.0)
    with seeded(0):
        module = head(1)
        before = copy.deepcopy(module)
        result = fit_head(module, given, config, device=CPU)
    with torch.no_grad():
        error = np.abs(before(given.inputs).numpy() - given.targets.numpy())
    assert result.history[0][0] == pytest.approx(np.nanmean(error[given.train]), rel=1e-5)
    assert result.history[0][1] == pytest.approx(-np.nanmean(error[given.valid]), rel=1e-5)


def test_a_constant_rate_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    rates, last = followed(FinetuneConfig(epochs=3, batch_size=16, lr=0.003), monkeypatch)
    assert set(rates) == set(last) == {0.003}


def states_of(config: FinetuneConfig, *, listen: bool = True) -> tuple[nn.Module, list[dict[str, Tensor]]]:
    given, states = data(), []
    with seeded(0):
        module = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Linear(8, 2))
        note = lambda *_: states.append(copy.deepcopy(module.state_dict()))  # noqa: E731
        fit_head(module, given, config, device=CPU, on_epoch=note if listen else None)
    return module, states


@pytest.mark.parametrize("epochs", [1, 4, 10])
def test_average_is_the_mean_of_the_last_quarter(epochs: int) -> None:
    config = FinetuneConfig(epochs=epochs, batch_size=16, lr=0.01, patience=0, keep="average")
    module, states = states_of(config)
    assert len(states) == epochs
    last = states[epochs - -(-epochs // 4) :]
    assert len(last) == {1: 1, 4: 1, 10: 3}[epochs]
    for name, tensor in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        expected = torch.stack([state[name].double() for state in last]).mean(dim=0)
        torch.testing.assert_close(tensor.double(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize(("keep", "epochs"), [("last", 4), ("average", 4), ("best", 1)])
def test_valid_rows_are_not_trained_on(kind: str, keep: str, epochs: int) -> None:
    """Where they have nothing to choose, neither their features nor their labels change a weight."""
    config = FinetuneConfig.build({"epochs": epochs, "batch_size": 16, "patience": 0, "keep": keep})
    weights = []
    for changed in (False, True):
        given = data(kind)
        if changed:
            given.inputs[given.valid] = 3 - given.inputs[given.valid]
            given.targets[given.valid] = 1 - given.targets[given.valid]
        with seeded(0):
            module = head(given.targets.shape[1])
            fit_head(module, given, config, device=CPU)
        weights.append(module.state_dict())
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


def test_last_keeps_the_last_epoch_whatever_validation_says() -> None:
    module, states = states_of(FinetuneConfig(epochs=6, batch_size=16, lr=0.1, patience=0, keep="last"))
    assert all(torch.equal(tensor, states[-1][name]) for name, tensor in module.state_dict().items())


@pytest.mark.parametrize("keep", ["last", "average"])
def test_a_listener_does_not_change_what_stays(keep: str) -> None:
    config = FinetuneConfig.build({"epochs": 5, "batch_size": 16, "patience": 0, "keep": keep})
    with_one, without = states_of(config)[0].state_dict(), states_of(config, listen=False)[0].state_dict()
    assert all(torch.equal(tensor, without[name]) for name, tensor in with_one.items())


def test_the_score_without_choice_is_that_of_the_weights_that_stay() -> None:
    config = FinetuneConfig(epochs=8, batch_size=16, lr=0.01, patience=0, keep="average")
    given = data()
    with seeded(0):
        module = head(2)
        result = fit_head(module, given, config, device=CPU)
    assert result.epochs == result.best_epoch == 8
    assert len(result.history) == 1
    output = apply(module, given.inputs[given.valid])
    assert result.best_score == pytest.approx(given.validate(output, "score"))
    assert not module.training


def test_smoothing_and_focus_reach_the_loss() -> None:
    plain = fit(FinetuneConfig(epochs=2))[0].state_dict()
    for option in ({"label_smoothing": 0.2}, {"focal_gamma": 2.0}):
        other = fit(FinetuneConfig.build({"epochs": 2, **option}))[0].state_dict()
        assert not all(torch.equal(plain[name], other[name]) for name in plain)
