"""Fixtures shared by the whole suite."""

from __future__ import annotations

import functools
import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Lightning looks through every installed package for callbacks twice in a training. They stay the same here.
importlib.metadata.entry_points = functools.cache(importlib.metadata.entry_points)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data; skip where there is none."""
    folder = os.environ.get("CYTOMOL_DATA")
    if not folder:
        pytest.skip("real data not available: set CYTOMOL_DATA to the folder that holds it")
    path = Path(folder).resolve()
    if not (path / "corpus" / "molecules.parquet").exists():
        pytest.skip(f"CYTOMOL_DATA={folder} holds no corpus/molecules.parquet")
    return path


@pytest.fixture(autouse=True, scope="session")
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the suite out of the user's cache."""
    os.environ.setdefault("CYTOMOL_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def _as_many_kernels_as_before() -> Iterator[None]:
    """Take back what a verb has asked of oneDNN: a process that another test starts would inherit it."""
    names = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
    before = {name: os.environ.get(name) for name in names}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return directories of small backbones with random weights, by the name of their method."""
    return write_untrained(tmp_path_factory.mktemp("backbones"))


def write_untrained(folder: Path) -> dict[str, Path]:
    """Write small backbones with random weights below ``folder``."""
    import torch

    from cytomol.artifact.backbone import Backbone
    from cytomol.artifact.batches import BatchBuilder
    from cytomol.artifact.directory import save_model
    from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
    from cytomol.methods import methods
    from cytomol.nn.batch import Dimensions

    small = {"width": 16, "layers": 2, "morgan_bits": 64, "morgan_radius": 2}
    for name in methods:
        config = methods[name].Config.build(small)
        if "3d" in config.views:  # conformers take their time
            config = config.updated(views=("1d", "2d"))
        dimensions = Dimensions(
            atom_features=tuple(ATOM_FEATURE_SIZES),
            bond_features=tuple(BOND_FEATURE_SIZES),
            views={"1d": 64 + 167} if "1d" in config.views else {},
            targets={"morgan": 64},
            binary_targets=("morgan",),
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            method = methods[name].from_config(config, dimensions).eval()
        backbone = Backbone(name, config, method, dimensions, {}, BatchBuilder(config.views), {})
        save_model(
            folder / name,
            kind="backbone",
            config=backbone.description(),
            weights=backbone.weights(),
            statistics=backbone.statistics(),
        )
    return {name: folder / name for name in methods}
