"""Fixtures shared by the whole suite."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine draws examples says nothing of the code.
settings.register_profile("cytomol", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cytomol")


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


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a small predictor with the record of its fit and its report.

    A task has the name that a stranger would give it, repeats that differ, bounds and a salt.
    """
    import numpy as np
    import pandas as pd

    from cytomol import finetune
    from cytomol.assays.labels import read_labels
    from cytomol.errors import InputNote
    from cytomol.predict.record import RecordSource
    from cytomol.report.write import write_report

    rings = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1", "c1cc[nH]c1", "C1CCOC1"]
    tails = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)", "CC(C)", "FC(F)(F)", "OCC"]
    smiles = [f"{tail}{ring}" for ring in rings for tail in tails]
    table = pd.DataFrame({"smiles": [*smiles, *smiles[:4], "CCN.Cl"]})
    noise = np.random.default_rng(0).normal(scale=0.3, size=len(table))
    table[STRANGER] = [f"{len(text) + extra:.2f}" for text, extra in zip(table["smiles"], noise, strict=True)]
    table.loc[::20, STRANGER] = "<5"
    table["amine"] = ["yes" if "N" in text or "n" in text else "no" for text in table["smiles"]]
    order = {text: place for place, text in enumerate(dict.fromkeys(table["smiles"]))}
    folds = np.array(
        [("train", "train", "test", "test", "valid")[order[text] % 5] for text in table["smiles"]]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputNote)
        labels = read_labels(table, [STRANGER, "amine"])
    fitted = finetune(
        table["smiles"],
        labels,
        folds=folds,
        ids=[f"M-{row}" for row in range(len(table))],
        learner="neighbours",
        record=RecordSource("table.csv", ("cytomol", "finetune", "table.csv", "-o", "model")),
        workers=1,
    )
    directory = fitted.predictor.save(tmp_path_factory.mktemp("reported") / "model")
    write_report(directory)
    return directory


STRANGER = "<script>alert(1)</script> $IC_50$"
"""A name of a column as nobody should trust it."""
