from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from cytomol.errors import ConfigError
from cytomol.methods import methods
from cytomol.methods.config import InfoAlignConfig
from cytomol.methods.infoalign import InfoAlign
from cytomol.nn.batch import Batch, Dimensions

MakeBatch = Callable[..., Batch]
MakeDimensions = Callable[..., Dimensions]

MODALITIES = {"morphology": 7, "expression.L1000": 11, "values": 3}


def build(dimensions: Dimensions, seed: int = 0, **options: Any) -> InfoAlign:
    torch.manual_seed(seed)
    method = methods["infoalign"].from_config(
        InfoAlignConfig.build({"width": 16, "layers": 2, **options}), dimensions
    )
    assert isinstance(method, InfoAlign)
    return method


@pytest.mark.parametrize("names", [[], ["morphology"], list(MODALITIES)])
@pytest.mark.parametrize("size", [1, 2, 9])
@pytest.mark.parametrize("decode", ["mean", "sample"])
def test_any_modalities_and_size(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, names: list[str], size: int, decode: str
) -> None:
    dimensions = make_dimensions(**{name: MODALITIES[name] for name in names})
    method = build(dimensions, decode=decode, beta=1e-3)
    output = method(make_batch(size, dimensions, observed=0.3))
    output.loss.backward()
    assert output.loss.isfinite()
    assert set(output.terms) == {
        "minimality",
        "sufficiency/morgan",
        *(f"sufficiency/{name}" for name in names),
    }
    for name, parameter in method.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_loss_is_the_sum_of_its_terms(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> None:
    dimensions = make_dimensions(morphology=7)
    output = build(dimensions, beta=0.25)(make_batch(6, dimensions))
    sufficiency = sum(value for name, value in output.terms.items() if name != "minimality")
    torch.testing.assert_close(output.loss.detach(), sufficiency + 0.25 * output.terms["minimality"])


def test_embedding_is_mu_and_does_not_depend_on_the_batch(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(6, dimensions)
    method = build(dimensions).eval()
    assert batch.graph is not None
    mean, _ = method.bottleneck(method.encoder(batch.graph))
    assert torch.equal(method.embed(batch), mean)
    assert mean.shape == (6, method.embedding_width)
    molecules_alone = Batch(size=6, graph=batch.graph)
    assert torch.equal(method.embed(molecules_alone), mean)
    imputed = method.impute(molecules_alone)
    assert {name: tuple(values.shape) for name, values in imputed.items()} == {"morphology": (6, 7)}
    assert ((imputed["morphology"] > 0) & (imputed["morphology"] < 1)).all()


def test_batch_without_graph(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> None:
    dimensions = make_dimensions()
    batch = dataclasses.replace(make_batch(3, dimensions), graph=None)
    with pytest.raises(ConfigError, match="molecular graph"):
        build(dimensions)(batch)


def test_encoder_weights(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> None:
    dimensions = make_dimensions()
    batch = make_batch(4, dimensions)
    source, target = build(dimensions, seed=1).eval(), build(dimensions, seed=2).eval()
    target.set_encoder_weights(source.state_dict())
    assert torch.equal(source.encoder(batch.graph), target.encoder(batch.graph))
