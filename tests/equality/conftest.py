"""Molecules on which the fast path is compared with the published one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from rdkit import rdBase

from cytomol.corpus import Corpus, read_corpus
from cytomol.corpus.planted import generate_planted


@pytest.fixture(autouse=True)
def _quiet_rdkit() -> Iterator[None]:
    block = rdBase.BlockLogs()
    yield
    del block


def restrict(corpus: Corpus, molecules: NDArray[np.int64]) -> Corpus:
    """Keep some molecules, with what is known of them, and all genes."""
    place = np.full(len(corpus), -1, np.int64)
    place[molecules] = np.arange(len(molecules))
    modalities, relations = {}, {}
    for name, modality in corpus.modalities.items():
        if modality.entity == "molecule":
            kept = modality.take(place[modality.rows] >= 0)
            modalities[name] = dataclasses.replace(kept, rows=place[kept.rows])
        else:
            modalities[name] = modality
    for name, relation in corpus.relations.items():
        keep = np.ones(len(relation), bool)
        ends = {"source": relation.source, "target": relation.target}
        for end in ends:
            if getattr(relation, f"{end}_entity") == "molecule":
                keep &= place[ends[end]] >= 0
                ends[end] = place[ends[end]]
        relations[name] = dataclasses.replace(
            relation,
            source=ends["source"][keep],
            target=ends["target"][keep],
            weight=relation.weight[keep],
        )
    table = corpus.molecules.iloc[molecules].reset_index(drop=True)
    assert isinstance(table, pd.DataFrame)
    return dataclasses.replace(corpus, molecules=table, modalities=modalities, relations=relations)


@pytest.fixture(scope="session", params=["planted", "real"])
def corpus(request: pytest.FixtureRequest) -> Corpus:
    """Return a planted corpus, or 2,000 molecules of the real one, half of them with a profile."""
    if request.param == "planted":
        return generate_planted(600, seed=1).corpus
    folder = os.environ.get("CYTOMOL_DATA")
    if not folder or not (Path(folder) / "corpus" / "molecules.parquet").exists():
        pytest.skip("real data not available: set CYTOMOL_DATA to the folder that holds it")
    whole = read_corpus(Path(folder) / "corpus")
    draw = np.random.default_rng(0)
    measured = np.unique(
        np.concatenate([m.rows for m in whole.modalities.values() if m.entity == "molecule"])
    )
    chosen = draw.choice(measured, 1000, replace=False)
    others = draw.choice(np.setdiff1d(np.arange(len(whole)), chosen), 1000, replace=False)
    return restrict(whole, np.sort(np.concatenate([chosen, others])))
