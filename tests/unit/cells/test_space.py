"""Molecules and profiles in one space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import trained_modality
from cytomol.cells.space import CellSpace
from cytomol.corpus.planted import PlantedCorpus
from cytomol.errors import ConfigError, InputError, ModelDirectoryError


def test_rows_answer_rows_and_have_length_one(backbone: Backbone, planted: PlantedCorpus) -> None:
    space = CellSpace.of(trained_modality(backbone, "morphology"))
    smiles = [planted.corpus.smiles[0], "no molecule", planted.corpus.smiles[1]]
    places, valid = space.molecules(smiles)
    assert valid.tolist() == [True, False, True]
    assert np.isnan(places[1]).all()
    np.testing.assert_allclose(np.linalg.norm(places[[0, 2]], axis=1), 1, atol=1e-5)
    alone, _ = space.molecules(smiles[2:])
    np.testing.assert_allclose(alone[0], places[2], atol=1e-5)
    values = np.asarray(planted.corpus.modalities["morphology"].values[:5])
    placed = space.profiles(values)
    assert placed.shape == (5, places.shape[1])
    np.testing.assert_allclose(np.linalg.norm(placed, axis=1), 1, atol=1e-5)


def test_a_profile_with_nothing_measured_has_no_place(backbone: Backbone) -> None:
    modality = trained_modality(backbone, "morphology")
    values = np.full((2, len(modality.columns)), np.nan, np.float32)
    values[0, 0] = 1.0
    placed = CellSpace.of(modality).profiles(values)
    assert np.isfinite(placed[0]).all()
    assert np.isnan(placed[1]).all()


def test_decoded_cosine_is_the_correlation_of_deviations(
    backbones: dict[str, Path], planted: PlantedCorpus
) -> None:
    backbone = Backbone.load(backbones["infoalign"])
    modality = trained_modality(backbone, "morphology")
    space = CellSpace.of(modality)
    assert space.way == "decoded"
    store = backbone.store(planted.corpus.smiles[:4])
    values = np.nan_to_num(np.asarray(planted.corpus.modalities["morphology"].values[:3]), nan=3.0)
    with torch.inference_mode():
        decoded = backbone.method.impute(backbone.builder.build(store, np.arange(4)))["morphology"].numpy()
    scaled = np.clip(backbone.scalers["morphology"].transform(values), 0, 1)
    expected = np.corrcoef(decoded - modality.typical.scaled, scaled - modality.typical.scaled)[:4, 4:]
    found = space.molecules(store)[0] @ space.profiles(values).T
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_projected_cosine_is_what_the_method_contrasts(
    backbones: dict[str, Path], planted: PlantedCorpus
) -> None:
    backbone = Backbone.load(backbones["contrastive"])
    modality = trained_modality(backbone, "expression")
    space = CellSpace.of(modality)
    assert space.way == "projected"
    store = backbone.store(planted.corpus.smiles[:4])
    values = np.nan_to_num(np.asarray(planted.corpus.modalities["expression"].values[:3]))
    with torch.inference_mode():
        anchors = backbone.method.embed(backbone.builder.build(store, np.arange(4)))
        rows = backbone.profile_rows("expression", values)
        projected = backbone.method.profiles["expression"](torch.from_numpy(rows))
    expected = torch.nn.functional.cosine_similarity(anchors[:, None], projected[None], dim=2).numpy()
    np.testing.assert_allclose(space.molecules(store)[0] @ space.profiles(values).T, expected, atol=1e-5)


def test_a_missing_value_counts_as_the_mean(backbone: Backbone, planted: PlantedCorpus) -> None:
    modality = trained_modality(backbone, "morphology")
    space = CellSpace.of(modality)
    values = np.nan_to_num(np.asarray(planted.corpus.modalities["morphology"].values[:3]), nan=3.0)
    holes, filled = values.copy(), values.copy()
    holes[:, 2] = np.nan
    if space.way == "projected":
        filled[:, 2] = modality.typical.mean[2]
    else:  # the mean of the axis that is compared
        mean = modality.typical.scaled[None]
        filled[:, 2] = backbone.scalers["morphology"].inverse(mean)[0, 2]
    np.testing.assert_allclose(space.profiles(holes), space.profiles(filled), atol=1e-4)


def test_what_a_method_cannot_do_is_said(backbones: dict[str, Path]) -> None:
    infoalign = trained_modality(Backbone.load(backbones["infoalign"]), "morphology")
    with pytest.raises(ConfigError, match="projects no profiles of morphology"):
        CellSpace.of(infoalign, "projected")
    contrastive = trained_modality(Backbone.load(backbones["contrastive"]), "morphology")
    with pytest.raises(ConfigError, match="decodes no profiles of morphology"):
        CellSpace.of(contrastive, "decoded")


def test_unknown_modalities_and_wrong_widths_are_said(backbone: Backbone) -> None:
    with pytest.raises(InputError, match=r"no modality .imaging.*it knows morphology"):
        trained_modality(backbone, "imaging")
    with pytest.raises(InputError, match="several modalities"):
        trained_modality(backbone, None)
    modality = trained_modality(backbone, "morphology")
    with pytest.raises(InputError, match=r"profiles of shape \(2, 3\)"):
        CellSpace.of(modality).profiles(np.zeros((2, 3), np.float32))


def test_features_are_matched_by_name(backbone: Backbone) -> None:
    modality = trained_modality(backbone, "morphology")
    columns = modality.columns
    values = np.arange(2 * len(columns), dtype=np.float32).reshape(2, -1)
    shuffled = np.concatenate([values[:, ::-1], np.zeros((2, 1), np.float32)], axis=1)
    found = modality.aligned(shuffled, (*columns[::-1], "further"), where="t.csv")
    np.testing.assert_array_equal(found, values)
    with pytest.raises(InputError, match=f"t.csv: lacks 1 of the {len(columns)} features.*{columns[0]}"):
        modality.aligned(values[:, 1:], columns[1:], where="t.csv")


def test_a_backbone_without_typical_profiles_says_so(backbones: dict[str, Path]) -> None:
    backbone = Backbone.load(backbones["infoalign"])
    backbone.typical = {}
    with pytest.raises(ModelDirectoryError, match="typical profile of morphology"):
        CellSpace.of(trained_modality(backbone, "morphology")).molecules(["CCO"])
