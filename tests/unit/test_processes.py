"""Processes beside this one start from nothing, in the one way that Windows has too."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from cytomol.chem.featurize import featurize
from cytomol.chem.options import FeatureOptions
from cytomol.processes import default_workers, fresh_processes
from cytomol.serve.feature_pool import FeaturePool

SMILES = [f"{'C' * length}{end}" for length in range(1, 35) for end in ("O", "N", "C1CC1")] + ["C1CC", ""]


def test_default_is_one_worker_per_processor() -> None:
    assert 1 <= default_workers() <= (os.cpu_count() or 1)


def test_no_process_is_a_copy_of_this_one() -> None:
    assert fresh_processes().get_start_method() != "fork"


def test_spawned_processes_answer_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has spawn alone: nothing that goes to a process may need what a copy would bring along."""
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert fresh_processes("cytomol.chem.chunk").get_start_method() == "spawn"
    options = FeatureOptions(morgan_radius=2, morgan_bits=256, maccs=True)
    alone = featurize(SMILES, options, workers=1, cache=None)
    assert (
        featurize(SMILES, options, workers=2, cache=None).blocks["morgan"] == alone.blocks["morgan"]
    ).all()
    with FeaturePool(1) as pool:
        served = pool.stores(SMILES, [options])[0]
    assert served.errors == alone.errors
    assert (served.blocks["morgan"] == alone.blocks["morgan"]).all()
