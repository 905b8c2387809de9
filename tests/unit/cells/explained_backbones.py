"""Small backbones with random weights that know a modality of molecules."""

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

COLUMNS = ("area", "texture", "dna", "spread")


def cell_backbone(name: str, views: tuple[str, ...] = ("1d", "2d"), *, method: str = "minmax") -> Backbone:
    """Return a backbone that knows the modality "morphology", of four features."""
    config = methods[name].Config.build({"width": 16, "layers": 2, "morgan_bits": 64, "morgan_radius": 2})
    if name != "infoalign":
        config = config.updated(views=views)
    width = {"morphology": len(COLUMNS)}
    dimensions = Dimensions(
        atom_features=tuple(ATOM_FEATURE_SIZES),
        bond_features=tuple(BOND_FEATURE_SIZES),
        views={"1d": 64 + 167} if "1d" in config.views else {},
        modalities=width,
        targets=width,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = methods[name].from_config(config, dimensions).eval()
    values = np.random.default_rng(0).normal(3, 2, size=(40, 4)).astype(np.float32)
    scaler = FeatureScaler.fit(values, method=method)
    about = {"kind": "continuous", "entity": "molecule", "columns": list(COLUMNS)}
    backbone = Backbone(
        name,
        config,
        network,
        dimensions,
        {"morphology": about},
        BatchBuilder(config.views),
        {"morphology": scaler},
        {"morphology": scaler} if network.profiles is not None else {},
    )
    backbone.typical = {"morphology": TypicalProfile.fit(values, scaler)}
    return backbone


def save_cell_backbone(backbone: Backbone, folder: Path) -> Path:
    """Write it as a model directory."""
    save_model(
        folder,
        kind="backbone",
        config=backbone.description(),
        weights=backbone.weights(),
        statistics=backbone.statistics(),
    )
    return folder
