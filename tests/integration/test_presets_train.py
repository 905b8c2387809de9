"""The published forms train, are saved whole, and read profiles as they were trained to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.schema import Modality
from cytomol.errors import InputError
from cytomol.methods import methods
from cytomol.methods.config import CHMRConfig, configs
from cytomol.training.pretrain import pretrain

FORMS = [
    (name, preset) for name in configs for preset in configs[name].presets if preset in {"paper", "authors"}
]
SMALL: dict[str, Any] = {
    "width": 16, "layers": 2, "epochs": 2, "batch_size": 64, "lr": 1e-3, "threads": 1, "workers": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Return a planted corpus with two modalities of morphology."""
    planted = generate_planted(200, seed=2).corpus
    morphology = planted.modalities["morphology"]
    rows, values = morphology.rows[::2], morphology.values[::2, :4] * 30 + 5
    spots = Modality("spots", "morphology", "molecule", rows, values, ("a", "b", "c", "d"))
    return replace(planted, modalities={**planted.modalities, "spots": spots})


def trained(corpus: Corpus, out: Path, method: str, preset: str, **options: Any) -> Backbone:
    config = configs[method].preset(preset)
    if "3d" in config.views:  # conformers take their time
        config = config.updated(views=("1d", "2d"))
    config = config.updated(**SMALL, **options)
    result = pretrain(corpus, config, out, method=method, quiet=True)
    losses = [entry["train"]["loss"] for entry in result.history]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    return Backbone.load(out)


@pytest.mark.parametrize(("method", "preset"), FORMS)
def test_a_published_form_trains_and_embeds(corpus: Corpus, tmp_path: Path, method: str, preset: str) -> None:
    backbone = trained(corpus, tmp_path / "model", method, preset)
    embedding, valid = backbone.embed(corpus.smiles[:8])
    assert valid.all()
    assert np.isfinite(embedding).all()
    pooled = preset == "authors"
    names = {"morphology+spots"} if pooled else {"morphology", "spots"}
    assert names <= set(backbone.modalities)
    assert set(backbone.modalities) == set(backbone.dimensions.modalities)
    for name, about in backbone.modalities.items():
        assert len(about["columns"]) == backbone.dimensions.modalities[name]
    store = backbone.store(corpus.smiles[:3])
    with torch.inference_mode():
        decoded = backbone.method.impute(backbone.builder.build(store, np.arange(3)))
    reconstructs = methods[method].needs(backbone.config).targets
    expected = backbone.dimensions.modalities if reconstructs else {}
    assert {name: rows.shape[1] for name, rows in decoded.items()} == expected


def test_profiles_are_read_as_they_were_in_training(corpus: Corpus, tmp_path: Path) -> None:
    """Raw as they are, z-scored by what was learnt, and by the targets' scale in [0, 1]."""
    values = corpus.modalities["spots"].values[:5]
    found = {}
    for kind in ("raw", "zscore", "minmax"):
        backbone = trained(corpus, tmp_path / kind, "chmr", "default", profile_inputs=kind)
        found[kind] = backbone.profile_rows("spots", values)
    np.testing.assert_array_equal(found["raw"], values)
    assert 0 <= found["minmax"].min() <= found["minmax"].max() <= 1
    # the same profiles but for place and unit, column by column
    for column in range(values.shape[1]):
        raw, scaled = found["raw"][:, column], found["zscore"][:, column]
        spread = np.diff(raw) / np.where(np.diff(scaled) == 0, np.nan, np.diff(scaled))
        np.testing.assert_allclose(spread, np.nanmean(spread), rtol=1e-3)
    with pytest.raises(InputError, match="no modality 'colour'"):
        backbone.profile_rows("colour", values)
    with pytest.raises(InputError, match="4 columns"):
        backbone.profile_rows("spots", values[:, :3])


def test_a_backbone_of_before_reads_profiles_as_its_targets(corpus: Corpus, tmp_path: Path) -> None:
    """Directories that say nothing of inputs come from a version that scaled both alike."""
    backbone = trained(corpus, tmp_path / "model", "chmr", "default")
    config = backbone.config.model_dump(mode="json")
    new = ("profile_inputs", "target_spaces", "gene_profiles", "unprofiled_genes", "zero_biases", "encoder")
    old = {name: value for name, value in config.items() if name not in new}
    description = {**backbone.description(), "config": {**old, "reverse_assignment": True}}
    statistics = {k: v for k, v in backbone.statistics().items() if not k.startswith("input.")}
    again = Backbone.build(description, backbone.weights(), statistics, where="old")
    values = corpus.modalities["spots"].values[:5]
    np.testing.assert_array_equal(again.profile_rows("spots", values), backbone.profile_rows("spots", values))
    smiles = corpus.smiles[:4]
    np.testing.assert_array_equal(again.embed(smiles)[0], backbone.embed(smiles)[0])


def test_biases_start_at_nought_where_asked(corpus: Corpus, tmp_path: Path) -> None:
    for zero in (True, False):
        config = CHMRConfig.build({**SMALL, "views": ("1d",), "epochs": 0, "zero_biases": zero})
        pretrain(corpus, config, tmp_path / str(zero), method="chmr", quiet=True)
        method = Backbone.load(tmp_path / str(zero)).method
        biases = [m.bias for m in method.modules() if isinstance(m, torch.nn.Linear) and m.bias is not None]
        assert biases
        assert all(bool(bias.any()) != zero for bias in biases)
