"""Values of a cell: what is explained is what the backbone says by its other ways."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.unit.cells.explained_backbones import COLUMNS, cell_backbone

from cytomol.artifact.backbone import Backbone
from cytomol.cells.explain.choose_value import ValueChoice, choose_value
from cytomol.cells.explain.explained_value import ExplainedValue, ProfileMatch
from cytomol.cells.impute.decoding import decode_profiles
from cytomol.cells.modality import TrainedModality
from cytomol.cells.space import CellSpace
from cytomol.errors import ConfigError, InputError, ModelDirectoryError
from cytomol.nn.batch import Batch

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CCN", "c1ccncc1"]


def batch_of(backbone: Backbone) -> Batch:
    return backbone.builder.build(backbone.store(SMILES, workers=1), np.arange(len(SMILES)))


def value_of(backbone: Backbone, value: ExplainedValue) -> np.ndarray:
    with torch.no_grad():
        rows = value.read(batch_of(backbone))
        return value.score(rows, rows).numpy()


def measured(backbone: Backbone) -> np.ndarray:
    """Return the imputed profiles in measured units, which go on where those of the verb impute stop."""
    scaler, typical = backbone.scalers["morphology"], backbone.typical["morphology"]
    with torch.no_grad():
        scaled = backbone.method.impute(batch_of(backbone))["morphology"].numpy()
    rows = np.asarray(typical.mean + (scaler.inverse(scaled) - scaler.inverse(typical.scaled[None])))
    within = (scaled >= 0) & (scaled <= 1)
    assert within.any()
    imputed = decode_profiles([TrainedModality(backbone, "morphology")], SMILES).profiles["morphology"]
    np.testing.assert_allclose(rows[within], imputed[within], rtol=1e-5)
    return rows


@pytest.mark.parametrize("scaling", ["minmax", "robust"])
@pytest.mark.parametrize("name", ["infoalign", "chmr"])
def test_a_feature_is_the_imputed_one_in_measured_units(name: str, scaling: str) -> None:
    backbone = cell_backbone(name, method=scaling)
    value = choose_value(backbone, ValueChoice(feature="dna"))
    np.testing.assert_allclose(
        value_of(backbone, value), measured(backbone)[:, COLUMNS.index("dna")], rtol=1e-5
    )


@pytest.mark.parametrize("scaling", ["minmax", "robust"])
def test_direction_and_norm_are_of_the_deviation_in_units_of_spread(scaling: str) -> None:
    backbone = cell_backbone("chmr", method=scaling)
    typical = backbone.typical["morphology"]
    apart = (measured(backbone) - typical.mean) / typical.spread
    length = np.linalg.norm(apart, axis=1)
    np.testing.assert_allclose(
        value_of(backbone, choose_value(backbone, ValueChoice(what="norm"))), length, rtol=1e-4
    )
    direction = choose_value(backbone, ValueChoice())
    assert direction.name == "direction"
    np.testing.assert_allclose(value_of(backbone, direction), length, rtol=1e-4)
    # a profile twice as far in the same direction counts twice, one at right angles nothing
    whole = torch.tensor([[3.0, 4.0], [3.0, 4.0]])
    part = torch.tensor([[6.0, 8.0], [-4.0, 3.0]])
    np.testing.assert_allclose(direction.score(part, whole).numpy(), [10.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("name", ["infoalign", "chmr", "contrastive"])
def test_a_match_is_the_cosine_of_the_space(name: str) -> None:
    backbone = cell_backbone(name)
    space = CellSpace.of(TrainedModality(backbone, "morphology"))
    profile = np.array([1.0, 5.0, np.nan, 2.0], np.float32)
    places, _ = space.molecules(SMILES)
    expected = places @ space.profiles(profile[None])[0]
    np.testing.assert_allclose(value_of(backbone, ProfileMatch(space, profile)), expected, atol=1e-5)


def test_what_cannot_be_explained_is_said() -> None:
    backbone = cell_backbone("chmr")
    with pytest.raises(InputError, match=r"morphology has no feature 'nucleus'.*it has 4: area, texture"):
        choose_value(backbone, ValueChoice(feature="nucleus"))
    with pytest.raises(InputError, match=r"no modality 'l1000'.*it knows morphology"):
        choose_value(backbone, ValueChoice(modality="l1000"))
    with pytest.raises(ConfigError, match=r"contrastive decodes no profiles of morphology.*--profile TABLE"):
        choose_value(cell_backbone("contrastive"), ValueChoice())
    space = CellSpace.of(TrainedModality(backbone, "morphology"))
    with pytest.raises(InputError, match="holds no measured value"):
        ProfileMatch(space, np.full(4, np.nan, np.float32))
    backbone.typical = {}
    with pytest.raises(ModelDirectoryError, match="what a typical profile of morphology is"):
        choose_value(backbone, ValueChoice())
