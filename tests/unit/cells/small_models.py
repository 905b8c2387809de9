"""Small backbones with random weights that know modalities, for the tests of what a cell knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.batches import BatchBuilder
from cytomol.artifact.directory import save_model
from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.typical import TypicalProfile
from cytomol.methods import methods
from cytomol.nn.batch import Dimensions

SMALL = {"width": 16, "layers": 2, "morgan_bits": 64, "morgan_radius": 2}
COLUMNS = {"painting": tuple(f"Cells_{i}" for i in range(6)), "genes": ("ATF1", "TP53", "MYC")}


def write_small(folder: Path, name: str, modalities: tuple[str, ...] = ("painting",)) -> Path:
    """Write a backbone of a method that has learnt from these modalities; return its directory."""
    config = methods[name].Config.build(SMALL)
    if "3d" in config.views:  # conformers take their time
        config = config.updated(views=("1d", "2d"))
    widths = {modality: len(COLUMNS[modality]) for modality in modalities}
    dimensions = Dimensions(
        atom_features=tuple(ATOM_FEATURE_SIZES),
        bond_features=tuple(BOND_FEATURE_SIZES),
        views={"1d": 64 + 167} if "1d" in config.views else {},
        targets={"morgan": 64, **widths},
        binary_targets=("morgan",),
        modalities=widths,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        method = methods[name].from_config(config, dimensions).eval()
    values = {
        modality: np.random.default_rng(7).normal(5, 2, (40, width)).astype(np.float32)
        for modality, width in widths.items()
    }
    scalers = {modality: FeatureScaler.fit(rows) for modality, rows in values.items()}
    about = {
        modality: {"kind": "morphology", "entity": "molecule", "columns": list(COLUMNS[modality])}
        for modality in modalities
    }
    backbone = Backbone(name, config, method, dimensions, about, BatchBuilder(config.views), scalers)
    backbone.typical = {
        modality: TypicalProfile.fit(rows, scalers[modality]) for modality, rows in values.items()
    }
    save_model(
        folder / name,
        kind="backbone",
        config=backbone.description(),
        weights=backbone.weights(),
        statistics=backbone.statistics(),
    )
    return folder / name
