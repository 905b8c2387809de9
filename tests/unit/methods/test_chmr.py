from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.unit.methods.accounts import with_account

from cytomol.errors import ConfigError
from cytomol.methods import methods
from cytomol.methods.chmr import CHMR
from cytomol.methods.config import CHMRConfig
from cytomol.nn.batch import Batch, Dimensions
from cytomol.objectives.consistency import vicreg

MakeBatch = Callable[..., Batch]
MakeDimensions = Callable[..., Dimensions]

MODALITIES = {"morphology": 7, "expression.L1000": 11, "values": 3}
SMALL: dict[str, Any] = {"width": 16, "layers": 2, "depth": 3}


def build(dimensions: Dimensions, seed: int = 0, **options: Any) -> CHMR:
    torch.manual_seed(seed)
    method = methods["chmr"].from_config(CHMRConfig.build({**SMALL, **options}), dimensions)
    assert isinstance(method, CHMR)
    return method


def gradients(method: CHMR) -> dict[str, torch.Tensor | None]:
    return {name: parameter.grad for name, parameter in method.named_parameters()}


@pytest.mark.parametrize("names", [[], ["morphology"], list(MODALITIES)])
@pytest.mark.parametrize(("size", "observed"), list(itertools.product([1, 2, 9], [0.0, 0.5, 1.0])))
@pytest.mark.parametrize("published", [False, True])
def test_any_modalities_size_and_missingness(
    make_batch: MakeBatch,
    make_dimensions: MakeDimensions,
    names: list[str],
    size: int,
    observed: float,
    *,
    published: bool,
) -> None:
    dimensions = make_dimensions(**{name: MODALITIES[name] for name in names})
    options = CHMRConfig.preset("paper").model_dump() if published else {}
    method = build(dimensions, **{**options, **SMALL})
    output = method(make_batch(size, dimensions, observed=observed))
    output.loss.backward()
    assert output.loss.isfinite()
    assert all(term.isfinite() and not term.requires_grad for term in output.terms.values())
    # every parameter takes part whatever is observed, so that several processes can train together
    for name, gradient in gradients(method).items():
        assert gradient is not None, name
        assert gradient.isfinite().all(), name


@pytest.mark.parametrize("views", [("1d",), ("2d",), ("3d",), ("1d", "3d"), ("1d", "2d", "3d")])
def test_views_can_be_switched_off(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, views: tuple[str, ...]
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(6, dimensions)
    method = build(dimensions, views=views)
    assert method(batch).loss.isfinite()
    assert method.embed(batch).shape == (6, 16 * len(views)) == (6, method.embedding_width)
    assert (method.encoder is None) == ("2d" not in views)


def test_masked_view_is_zero_and_its_content_is_not_read(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(8, dimensions)
    method = build(dimensions).eval()
    masked = ~batch.view_mask["3d"]
    assert masked.any()
    spoilt = batch.views["3d"].clone()
    spoilt[masked] = torch.nan
    other = dataclasses.replace(batch, views={**batch.views, "3d": spoilt})
    assert torch.equal(method.embed(batch), method.embed(other))
    assert (method.embed(batch)[masked, 32:] == 0).all()
    assert (method.embed(batch)[~masked, 32:] != 0).any(dim=1).all()
    method.train()(other).loss.backward()
    assert all(gradient is None or gradient.isfinite().all() for gradient in gradients(method).values())


def test_molecule_without_any_view(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(5, dimensions)
    nothing = torch.tensor([True, True, False, True, True])
    batch = dataclasses.replace(batch, view_mask=dict.fromkeys(("1d", "2d", "3d"), nothing))
    method = build(dimensions)
    output = method(batch)
    output.loss.backward()
    assert output.loss.isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients(method).values() if gradient is not None)
    assert (method.embed(batch)[2] == 0).all()


ABLATIONS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "without IA": ({"instance_alignment": False}, {"instance_alignment"}),
    "without DA": ({"distribution_alignment": False}, {"distribution_alignment"}),
    "without SCA": ({"lambda_sca": 0}, {"instance_alignment", "distribution_alignment"}),
    "without VQ": ({"quantizer": "none"}, {"quantization", "reverse_quantization"}),
    "without VQ weight": ({"lambda_vq": 0}, {"quantization", "reverse_quantization"}),
    "without reverse": ({"reverse_assignment": "none"}, {"reverse_quantization"}),
    "without CPR": ({"reconstruction": False}, {"reconstruction/morgan", "reconstruction/morphology"}),
}


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_terms_can_be_switched_off(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, ablation: str
) -> None:
    options, absent = ABLATIONS[ablation]
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(6, dimensions)
    whole = set(build(dimensions)(batch).terms)
    assert absent <= whole
    output = build(dimensions, **options)(batch)
    assert set(output.terms) == whole - absent
    assert output.loss.isfinite()


def test_loss_is_the_weighted_sum_of_its_terms(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    output = build(dimensions, lambda_sca=3.0, lambda_vq=0.5)(make_batch(6, dimensions))
    weights = {
        "instance": 3.0,
        "distribution": 3.0,
        "quantization": 0.5,
        "reverse": 0.5,
        "reconstruction/": 1.0,
    }
    expected = sum(
        weight * value
        for name, value in output.terms.items()
        for start, weight in weights.items()
        if name.startswith(start)
    )
    torch.testing.assert_close(output.loss.detach(), expected)
    assert list(output.metrics) == ["perplexity/1", "perplexity/2", "perplexity/3"]
    assert all(1 <= output.metrics[f"perplexity/{level}"] <= 2**level for level in (1, 2, 3))


def test_held_out_alignment_ignores_placeholders(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(8, dimensions)
    missing = ~batch.responses["morphology"].measured.known
    changed = batch.responses["morphology"].measured.values.clone()
    changed[missing] = 0.123
    other = with_account(batch, "morphology", "measured", values=changed)
    for alignment, same in (("held_out", True), ("paper", False)):
        method = build(dimensions, alignment=alignment, dropout=0.0)
        first, second = method(batch).terms, method(other).terms
        for name in ("instance_alignment", "distribution_alignment", "quantization"):
            assert torch.equal(first[name], second[name]) == same, (alignment, name)


def test_augmented_rows_join_the_contrast_with_their_weight(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(12, dimensions, observed=0.3)
    losses = [
        build(dimensions, augmented_weight=weight, dropout=0.0)(batch).terms["instance_alignment"]
        for weight in (0.0, 0.1, 1.0)
    ]
    assert len({round(loss.item(), 5) for loss in losses}) == 3


@pytest.mark.parametrize("augmentation", ["zero", "random"])
def test_other_augmentations(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, augmentation: str
) -> None:
    """They stand in for every missing profile and read nothing that propagation found."""
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(6, dimensions)
    observed = batch.responses["morphology"].measured.known
    assert observed.any()
    assert not observed.all()
    method = build(dimensions, augmentation=augmentation, alignment="paper").eval()

    def terms(given: Batch) -> dict[str, torch.Tensor]:
        torch.manual_seed(3)
        return method(given).terms

    torch.manual_seed(3)
    noise = torch.rand_like(batch.responses["morphology"].measured.values)
    stand_in = torch.zeros_like(noise) if augmentation == "zero" else noise
    augmented = torch.where(observed[:, None], batch.responses["morphology"].measured.values, stand_in)
    project = method.profiles["morphology"]
    expected = vicreg(project(batch.responses["morphology"].measured.values), project(augmented)).total()
    torch.testing.assert_close(terms(batch)["distribution_alignment"], expected.detach())
    nothing = torch.zeros_like(observed)
    other = torch.full_like(noise, 7.0)
    no_propagation = with_account(batch, "morphology", "augmented", values=other, known=nothing)
    no_propagation = with_account(no_propagation, "morphology", "held_out", values=other, known=nothing)
    assert terms(batch) == terms(no_propagation)
    assert build(dimensions, augmentation=augmentation)(batch).loss.isfinite()


@pytest.mark.parametrize("decode_from", ["modality", "anchor", "both"])
def test_molecule_learns_from_its_response_when_decoded_from(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, decode_from: str
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(6, dimensions)
    batch = dataclasses.replace(batch, targets={"morphology": batch.targets["morphology"]})
    method = build(dimensions, decode_from=decode_from, lambda_sca=0, lambda_vq=0)
    method(batch).loss.backward()
    molecule = method.views["1d"][1].weight.grad
    profile = method.profiles["morphology"][1].weight.grad
    assert (molecule is not None and bool(molecule.any())) == (decode_from != "modality")
    assert (profile is not None and bool(profile.any())) == (decode_from != "anchor")


@pytest.mark.parametrize("decode_from", ["modality", "both"])
@pytest.mark.parametrize("continuous_loss", ["mse", "bce"])
def test_impute(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, decode_from: str, continuous_loss: str
) -> None:
    dimensions = make_dimensions(morphology=7, expression=4)
    batch = make_batch(6, dimensions)
    method = build(dimensions, decode_from=decode_from, continuous_loss=continuous_loss).eval()
    molecules_alone = Batch(size=6, graph=batch.graph, views=batch.views, view_mask=batch.view_mask)
    imputed = method.impute(molecules_alone)
    assert {name: tuple(values.shape) for name, values in imputed.items()} == {
        "morphology": (6, 7),
        "expression": (6, 4),
    }
    assert all(values.isfinite().all() for values in imputed.values())
    if continuous_loss == "bce":
        assert all(((values >= 0) & (values <= 1)).all() for values in imputed.values())
    from_molecule = torch.equal(method.impute(batch)["morphology"], imputed["morphology"])
    assert from_molecule == (decode_from == "both")


@pytest.mark.parametrize(("quantizer", "levels"), [("tree", 3), ("flat", 1)])
def test_codes(make_batch: MakeBatch, make_dimensions: MakeDimensions, quantizer: str, levels: int) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(6, dimensions)
    codes = build(dimensions, quantizer=quantizer).eval().codes(batch)
    assert codes.shape == (6, levels)
    assert codes.dtype == torch.int64
    if quantizer == "tree":
        assert (codes[:, 1:] // 2 == codes[:, :-1]).all()


def test_codes_without_code_book(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> None:
    dimensions = make_dimensions()
    with pytest.raises(ConfigError, match="no code book"):
        build(dimensions, quantizer="none").codes(make_batch(2, dimensions))


def test_same_seed_same_training(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> None:
    dimensions = make_dimensions(**MODALITIES)
    batch = make_batch(8, dimensions)

    def train() -> tuple[float, torch.Tensor]:
        method = build(dimensions, seed=5)
        optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
        for _ in range(3):
            optimizer.zero_grad()
            loss = method(batch).loss
            loss.backward()
            optimizer.step()
        return loss.item(), method.eval().embed(batch)

    (first, embedded), (second, again) = train(), train()
    assert first == second
    assert torch.equal(embedded, again)


@pytest.mark.parametrize("published", [False, True])
def test_training_lowers_the_loss(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, published: bool
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = make_batch(16, dimensions)
    options = CHMRConfig.preset("paper").model_dump() if published else {}
    method = build(dimensions, **{**options, **SMALL, "dropout": 0.0, "decoder_dropout": 0.0})
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-2)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        output = method(batch)
        output.loss.backward()
        optimizer.step()
        losses.append(output.loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_encoder_weights(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> None:
    dimensions = make_dimensions()
    source, target = build(dimensions, seed=1), build(dimensions, seed=2)
    batch = make_batch(4, dimensions)
    target.set_encoder_weights(source.state_dict())
    assert source.encoder is not None
    assert target.encoder is not None
    assert torch.equal(source.eval().encoder(batch.graph), target.eval().encoder(batch.graph))
    build(dimensions, seed=3).set_encoder_weights(source.encoder.state_dict())
    with pytest.raises(ConfigError, match="does not fit"):
        build(dimensions, width=32).set_encoder_weights(source.state_dict())
    with pytest.raises(ConfigError, match="no graph encoder"):
        build(dimensions, views=("1d",)).set_encoder_weights(source.state_dict())


def test_view_that_the_data_lack(make_dimensions: MakeDimensions) -> None:
    dimensions = dataclasses.replace(make_dimensions(), views={"1d": 20})
    with pytest.raises(ConfigError, match="no view 3d"):
        build(dimensions)
