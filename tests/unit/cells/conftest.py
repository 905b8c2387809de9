"""Small backbones that have learnt a little from a planted corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytomol.artifact.backbone import Backbone
from cytomol.corpus.planted import PlantedCorpus, generate_planted

SMALL = {"width": 16, "layers": 2, "morgan_bits": 64, "epochs": 1, "batch_size": 64, "threads": 1}


@pytest.fixture(scope="session")
def planted() -> PlantedCorpus:
    """Return a small planted corpus."""
    return generate_planted(240, 1)


@pytest.fixture(scope="session")
def backbones(planted: PlantedCorpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return directories of backbones pretrained on it, by the name of their method."""
    from cytomol.methods import methods
    from cytomol.training.pretrain import pretrain

    folder = tmp_path_factory.mktemp("cells")
    for name in methods:
        config = methods[name].Config.build(SMALL)
        if "3d" in config.views:  # conformers take their time
            config = config.updated(views=("1d", "2d"))
        pretrain(planted.corpus, config, folder / name, method=name, quiet=True)
    return {name: folder / name for name in methods}


@pytest.fixture(params=["chmr", "contrastive", "infoalign"])
def backbone(request: pytest.FixtureRequest, backbones: dict[str, Path]) -> Backbone:
    """Return each of them, loaded anew."""
    return Backbone.load(backbones[request.param])
