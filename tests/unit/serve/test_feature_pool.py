"""Molecules read by other processes are as those read here; one that kills a process takes no other along."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
import pytest
from tests.unit.serve.conftest import SMILES

from cytomol.chem.featurize import featurize
from cytomol.chem.options import FeatureOptions
from cytomol.serve import feature_pool
from cytomol.serve.feature_pool import FeaturePool
from cytomol.serve.served_models import ServedModels

WAYS = [FeatureOptions(), FeatureOptions(graph=False, morgan_bits=2048, morgan_radius=2, maccs=False)]


@pytest.fixture(scope="module")
def pool() -> Iterator[FeaturePool]:
    with FeaturePool(2) as pool:
        yield pool


def same(one: Any, other: Any) -> bool:
    return (
        one.errors == other.errors
        and one.smiles == other.smiles
        and np.array_equal(one.atoms, other.atoms)
        and np.array_equal(one.edges, other.edges)
        and all(np.array_equal(one.blocks[name], other.blocks[name]) for name in other.blocks)
    )


@pytest.mark.parametrize("count", [0, 1, 7, len(SMILES)])
def test_molecules_are_read_as_here_and_in_order(pool: FeaturePool, count: int) -> None:
    texts = [*SMILES[:count], "x", ""]
    for found, options in zip(pool.stores(texts, WAYS), WAYS, strict=True):
        assert same(found, featurize(texts, options, cache=None))


def test_a_molecule_that_could_stall_is_refused() -> None:
    chain = "C" * 201
    (store,) = FeaturePool(0).stores([chain, "C"], [FeatureOptions()])
    assert store.errors[0].startswith("too large for the service")
    assert store.errors[1] == ""


class Mortal:
    """Stands for processes that one molecule kills; what they were given then, and later, is lost."""

    started = 0

    def __init__(self, *_: Any, **__: Any) -> None:
        Mortal.started += 1
        self.dead = False

    def submit(self, read: Any, texts: list[str], options: Any) -> Future[Any]:
        if self.dead:
            raise BrokenProcessPool
        future: Future[Any] = Future()
        self.dead = "DIE" in texts
        if self.dead:
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(read(texts, options))
        return future

    def shutdown(self, **_: Any) -> None:
        self.dead = True


def test_one_that_kills_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_pool, "ProcessPoolExecutor", Mortal)
    texts = ["C", "CC", "DIE", "CCC", "CCCC", "DIE", "N"]
    with FeaturePool(1) as pool:
        (store,) = pool.stores(texts, WAYS[:1])
        lost = "the process that read it died"
        assert store.errors == ["", "", lost, "", "", lost, ""]
        rest = [0, 1, 3, 4, 6]
        assert same(store.take(rest), featurize([texts[row] for row in rest], WAYS[0], cache=None))
        assert pool.stores(["C"] * 5, WAYS[:1])[0].valid.all()
    assert Mortal.started < 8


def test_all_that_a_predictor_reads_is_asked_for(models: ServedModels) -> None:
    predictor = models["assays"].predictor
    assert predictor is not None
    features = predictor.features
    options = features.needed
    found = dict(zip(options, FeaturePool(0).stores(SMILES, options), strict=True))
    store = features.store_from(found.__getitem__)
    assert same(store, features.store(SMILES, cache=None))
