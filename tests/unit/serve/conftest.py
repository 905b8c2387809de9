"""Small fitted models, held as a service holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.unit.cells.small_models import write_small

from cytomol import finetune
from cytomol.assays.labels import Labels, Task
from cytomol.serve.served_models import ServedModels
from cytomol.serve.service_app import create_service
from cytomol.serve.service_limits import ServiceLimits

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1"]
TAILS = ["C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]


@pytest.fixture(scope="session")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return directories: a predictor with a task of each kind, and a backbone with two modalities."""
    folder = tmp_path_factory.mktemp("served")
    size = np.array([float(len(smiles)) for smiles in SMILES])
    aromatic = np.array([float("c1" in smiles) for smiles in SMILES])
    ring = np.array([float(min(at // len(TAILS), 2)) for at in range(len(SMILES))])
    tasks = (
        Task("size", "regression"),
        Task("aromatic", "binary", ("no", "yes")),
        Task("ring", "multiclass", ("benzene", "pyridine", "other")),
    )
    bounds = np.zeros((len(SMILES), 3), np.int8)
    bounds[0, 0] = 1
    labels = Labels(tasks, np.stack([size, aromatic, ring], axis=1), bounds=bounds)
    folds = np.array(["valid" if at % 4 == 3 else "train" for at in range(len(SMILES))])
    fitted = finetune(SMILES, labels, folds=folds, learner="neighbours", cache=None)
    fitted.predictor.save(folder / "assays")
    write_small(folder, "chmr", ("painting", "genes"))
    return {"assays": folder / "assays", "cells": folder / "chmr"}


@pytest.fixture(scope="session")
def models(directories: dict[str, Path]) -> ServedModels:
    """Return the two models, loaded."""
    return ServedModels.load([f"{name}={path}" for name, path in directories.items()], atoms=100)


@pytest.fixture(scope="session")
def plain(models: ServedModels) -> ServedModels:
    """Return a predictor alone, without uncertainty and evidence."""
    model = models["assays"]
    assert model.predictor is not None
    bare = replace(model.predictor, uncertainty=None, evidence=None)
    return ServedModels([replace(model, name="bare", predictor=bare)])


LIMITS = ServiceLimits(rows=60, explained_rows=5, numbers=5000, atoms=100, body_bytes=40_000)


@pytest.fixture(scope="session")
def app(models: ServedModels) -> FastAPI:
    """Return a service of both models."""
    return create_service(models, LIMITS)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """Return a client of it."""
    with TestClient(app, base_url="http://localhost") as client:
        yield client
