from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.unit.methods.accounts import with_account
from torch.nn import functional

from cytomol.errors import ConfigError
from cytomol.methods.config import ContrastiveConfig
from cytomol.methods.contrastive import Contrastive
from cytomol.nn.batch import Batch, Dimensions
from cytomol.objectives.infoloob import cloob

MakeBatch = Callable[..., Batch]
MakeDimensions = Callable[..., Dimensions]


def build(dimensions: Dimensions, **options: Any) -> Contrastive:
    torch.manual_seed(0)
    config = ContrastiveConfig.build({"width": 16, "layers": 2, "hidden": 12, **options})
    return Contrastive.from_config(config, dimensions).eval()


@pytest.mark.parametrize("retrieval", [True, False])
def test_each_modality_is_contrasted_among_the_molecules_that_have_it(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, retrieval: bool
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = make_batch(20, dimensions, observed=0.4)
    method = build(dimensions, retrieval=retrieval, retrieval_scale=6.0, temperature=0.3)
    output = method(batch)
    molecules = method.embed(batch)
    losses = {}
    for name in dimensions.modalities:
        rows = batch.responses[name].measured.known
        assert 2 < int(rows.sum()) < 20
        profiles = method.profiles[name](batch.responses[name].measured.values[rows])
        losses[name] = cloob(molecules[rows], profiles, 0.3, scale=6.0 if retrieval else None).item()
        nearest = functional.cosine_similarity(molecules[rows][:, None], profiles[None], dim=2).argmax(dim=1)
        right = (nearest == torch.arange(int(rows.sum()))).float().mean()
        assert output.metrics[f"recognised/{name}"] == pytest.approx(right.item())
        assert output.terms[f"contrast/{name}"] == pytest.approx(losses[name], rel=1e-4)
    assert output.loss.item() == pytest.approx(sum(losses.values()) / 2, rel=1e-4)


def test_a_molecule_without_profiles_takes_no_part(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(12, dimensions)
    missing = ~batch.responses["morphology"].measured.known
    assert missing.any()
    method = build(dimensions)
    views = {view: torch.where(missing[:, None], 0.5, values) for view, values in batch.views.items()}
    profiles = torch.where(missing[:, None], 9.0, batch.responses["morphology"].measured.values)
    other = with_account(batch, "morphology", "measured", values=profiles)
    other = dataclasses.replace(other, views=views)
    assert not torch.equal(method.embed(other), method.embed(batch))
    torch.testing.assert_close(method(other).loss, method(batch).loss)


def test_a_modality_that_one_molecule_has_does_not_count(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = make_batch(12, dimensions)
    one = torch.arange(12) == 3
    batch = with_account(batch, "expression", "measured", known=one)
    output = build(dimensions)(batch)
    assert output.terms["contrast/expression"] == 0
    assert output.loss.item() == pytest.approx(output.terms["contrast/morphology"].item())


def test_a_molecule_without_any_view_takes_no_part(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(10, dimensions, observed=1.0)
    known = torch.arange(10) != 4
    masked = dataclasses.replace(batch, view_mask={"1d": known, "2d": known})
    left_out = with_account(batch, "morphology", "measured", known=known)
    method = build(dimensions)
    assert not method.embed(masked)[4].any()
    torch.testing.assert_close(method(masked).loss, method(left_out).loss)
    # with one view of two it still does
    every = torch.ones(10, dtype=torch.bool)
    half = dataclasses.replace(batch, view_mask={"1d": known, "2d": every})
    none = with_account(half, "morphology", "measured", known=known)
    assert method.embed(half)[4].any()
    assert not torch.isclose(method(half).loss, method(none).loss)


def test_the_graph_is_asked_for(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> None:
    dimensions = make_dimensions(morphology=7)
    method = build(dimensions)
    with pytest.raises(ConfigError, match="molecular graph"):
        method(dataclasses.replace(make_batch(3, dimensions), graph=None))
    with pytest.raises(ConfigError, match="no view 3d"):
        build(dataclasses.replace(dimensions, views={"1d": 20}), views=("3d",))


def test_the_paper_reads_fingerprints_and_z_scores() -> None:
    paper = ContrastiveConfig.preset("paper")
    assert (paper.views, paper.morgan_radius, paper.morgan_bits) == (("1d",), 3, 1024)
    assert (paper.width, paper.hidden, paper.hidden_layers) == (512, 1024, 4)
    assert paper.profile_inputs == "zscore"
    assert paper.retrieval
    assert paper.temperature * paper.retrieval_scale == pytest.approx(1)
