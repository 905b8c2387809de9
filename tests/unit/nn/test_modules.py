"""Projector, decoder, bottleneck, head, dropout, normalisation, named modules."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from cytomol.nn.bottleneck import Bottleneck
from cytomol.nn.decoder import Decoder
from cytomol.nn.dropout import Dropout
from cytomol.nn.head import PropertyHead
from cytomol.nn.named import NamedModules
from cytomol.nn.norm import BatchNorm
from cytomol.nn.projector import Projector


def test_projector() -> None:
    projector, x = Projector(5, 4), torch.randn(3, 5)
    norm, linear, _ = projector
    torch.testing.assert_close(
        projector(x), functional.silu(functional.layer_norm(x, (5,)) @ linear.weight.T + linear.bias)
    )
    assert isinstance(norm, nn.LayerNorm)


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_decoder_reads_only_the_rows_asked_for(norm: str) -> None:
    torch.manual_seed(0)
    decoder, code = Decoder(6, 9, dropout=0.0, norm=norm), torch.randn(8, 6)
    rows = torch.tensor([5, 0, 5])
    torch.testing.assert_close(decoder(code)[rows], decoder(code, rows))
    assert decoder(code, torch.tensor([], dtype=torch.int64)).shape == (0, 9)
    assert [p.shape[0] for p in decoder.output.parameters()] == [9, 9]
    assert decoder.output.in_features == 24


def test_bottleneck() -> None:
    torch.manual_seed(0)
    bottleneck, x = Bottleneck(4), torch.randn(5000, 4)
    mean, deviation = bottleneck(x)
    expected = functional.silu(x) @ bottleneck.linear.weight.T + bottleneck.linear.bias
    torch.testing.assert_close(mean, expected[:, :4])
    torch.testing.assert_close(deviation, functional.softplus(expected[:, 4:]) + 1e-7)
    assert (Bottleneck(2)(torch.full((1, 2), -1e4))[1] > 0).all()
    standard = (bottleneck.sample(mean, deviation) - mean) / deviation
    assert abs(standard.mean().item()) < 0.03
    assert abs(standard.std().item() - 1) < 0.03


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_head(norm: str, layers: int) -> None:
    head = PropertyHead(7, 3, hidden=11, layers=layers, dropout=0.2, norm=norm)
    assert head(torch.randn(5, 7)).shape == (5, 3)
    assert head(torch.randn(1, 7)).isfinite().all()


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_dropout_keeps_the_expectation(p: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(301, 333, requires_grad=True)
    y = Dropout(p)(x)
    assert abs((y == 0).float().mean().item() - p) < 0.01
    assert abs(y.mean().item() - 1) < 0.02
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())
    assert torch.equal(Dropout(p).eval()(x), x)


def test_dropout_in_half_precision_and_odd_shapes() -> None:
    for shape in [(0, 3), (1, 1), (3,), (2, 3, 5)]:
        y = Dropout(0.5)(torch.ones(shape, dtype=torch.bfloat16))
        assert y.shape == shape
        assert y.dtype == torch.bfloat16


def test_batch_norm_of_one_row_uses_running_statistics() -> None:
    norm = BatchNorm(4)
    norm(torch.randn(50, 4) * 3 + 2)
    before = norm.running_mean.clone()
    row = torch.randn(1, 4)
    trained = norm(row)
    assert torch.equal(norm.running_mean, before)
    torch.testing.assert_close(trained, norm.eval()(row))
    assert norm.train()(torch.randn(0, 4)).shape == (0, 4)


@pytest.mark.parametrize("name", ["values", "a.b", "a%2Eb", "", "keys", "cell painting/ü"])
def test_named_modules_take_any_name(name: str) -> None:
    modules = NamedModules({name: nn.Linear(2, 3), "other": nn.Linear(2, 4)})
    assert modules[name](torch.randn(1, 2)).shape == (1, 3)
    assert list(modules) == [name, "other"]
    assert name in modules
    assert "absent" not in modules
    assert len(modules) == 2
    NamedModules({name: nn.Linear(2, 3), "other": nn.Linear(2, 4)}).load_state_dict(modules.state_dict())
