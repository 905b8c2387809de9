"""Batches made on the device are those made on the host."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.artifact.batches import BatchBuilder
from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted
from cytomol.methods.config import CHMRConfig, InfoAlignConfig, MethodConfig
from cytomol.nn.batch import Batch, TargetSums
from cytomol.progress import Reporter
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.prepare import prepare
from cytomol.training.dataset.resident import ResidentData, resident_bytes

TARGETS = ("morgan", "maccs", "counts", "descriptors")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """A corpus with gaps, two molecules that cannot be read and some with a single atom."""
    corpus = generate_planted(200, seed=5).corpus
    smiles = list(corpus.smiles)
    smiles[7], smiles[8], smiles[9] = "C", "nonsense", "[Na+].[Cl-]"
    corpus = replace(corpus, molecules=corpus.molecules.drop(columns="inchikey").assign(smiles=smiles))
    gappy: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    for number, (name, modality) in enumerate(corpus.modalities.items()):
        values = modality.values.copy()
        if number % 2:
            values[rng.random(values.shape) < 0.1] = np.nan
        gappy[name] = replace(modality, values=values)
    return replace(corpus, modalities=gappy)


def _config(method: str, **options: Any) -> MethodConfig:
    kind = {"infoalign": InfoAlignConfig, "chmr": CHMRConfig}[method]
    views = {} if method == "infoalign" else {"views": ("1d", "2d")}
    return kind.build(
        {"morgan_bits": 64, "molecule_targets": TARGETS, "validation_fraction": 0.2, **views, **options}
    )


def _with_noise_for_geometry(data: PretrainData) -> PretrainData:
    noise = np.random.default_rng(0).normal(size=(len(data.store), 24)).astype(np.float32)
    noise[::3] = np.nan
    noise[1, :5] = np.nan
    store = data.store.with_block("geometry", noise)
    return replace(data, store=store, builder=BatchBuilder.fit(("1d", "2d", "3d"), store, data.train))


@pytest.fixture(scope="module")
def prepared(corpus: Corpus) -> dict[str, PretrainData]:
    quiet = Reporter(quiet=True)
    return {
        "infoalign": prepare(corpus, _config("infoalign"), quiet),
        "no walks": prepare(corpus, _config("infoalign", walk_length=0, modalities=()), quiet),
        "stuck": prepare(corpus, _config("infoalign", count_stuck=True, gene_profiles="leaf"), quiet),
        "chmr": _with_noise_for_geometry(prepare(corpus, _config("chmr"), quiet)),
        "unrestored": prepare(corpus, _config("chmr", restore_observed=False, propagation_steps=1), quiet),
        "bare": prepare(corpus, _config("chmr", modalities=()), quiet),
    }


KINDS = ("infoalign", "no walks", "stuck", "chmr", "unrestored", "bare")


def _full(sums: TargetSums, size: int) -> TargetSums:
    """Return sums with a row for every molecule of the batch."""
    assert sums.rows is not None

    def spread(part: torch.Tensor) -> torch.Tensor:
        return part.new_zeros(size, part.shape[1]).index_copy(0, sums.rows, part)

    assert sums.square is not None
    return TargetSums(None, spread(sums.weight), spread(sums.value), spread(sums.square), sums.entries)


def _assert_same(host: Batch, device: Batch) -> None:
    assert host.size == device.size
    for field in ("views", "view_mask"):
        ours, theirs = getattr(device, field), getattr(host, field)
        assert list(ours) == list(theirs), field
        for name in theirs:
            assert ours[name].dtype == theirs[name].dtype
            assert torch.equal(ours[name], theirs[name]), (field, name)
    assert list(device.responses) == list(host.responses)
    for name, expected in host.responses.items():
        for which in ("measured", "augmented", "held_out"):
            ours, theirs = getattr(device.responses[name], which), getattr(expected, which)
            assert ours.values.dtype == theirs.values.dtype
            assert torch.equal(ours.values, theirs.values), (name, which)
            assert torch.equal(ours.known, theirs.known), (name, which)
    assert (host.graph is None) == (device.graph is None)
    if host.graph is not None:
        assert device.graph is not None
        for field in ("atoms", "edge_index", "edge_features", "molecule"):
            assert torch.equal(getattr(device.graph, field), getattr(host.graph, field)), field
        expected = torch.sort(host.graph.edge_index[0], stable=True)[1]
        assert torch.equal(device.graph.by_source, expected)
    assert list(device.targets) == list(host.targets)
    for name, wanted in host.targets.items():
        ours, full = device.targets[name], _full(wanted, host.size)
        assert ours.rows is None
        assert float(ours.entries) == float(full.entries), name
        for part in ("weight", "value", "square"):
            left, right = torch.broadcast_tensors(getattr(ours, part), getattr(full, part))
            torch.testing.assert_close(left, right, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 60), validation=st.booleans())
@settings(max_examples=12, deadline=None)
def test_a_batch_made_on_the_device_is_the_one_made_on_the_host(
    prepared: dict[str, PretrainData], kind: str, seed: int, size: int, validation: bool
) -> None:
    data = prepared[kind]
    rows = np.random.default_rng(seed).integers(0, len(data.store), size)
    host = data.batch(rows, np.random.default_rng(seed), validation=validation)
    resident = ResidentData(data, "cpu")
    draw = data.draw(rows, np.random.default_rng(seed), validation=validation)
    _assert_same(host, resident.batch(draw))


@pytest.mark.parametrize("kind", KINDS)
def test_making_a_batch_reads_no_value_back(prepared: dict[str, PretrainData], kind: str) -> None:
    """Tensors without values: whatever asked for one, or had a shape that depends on one, would raise."""
    data = prepared[kind]
    draw = data.draw(data.train[:20], np.random.default_rng(0))
    batch = ResidentData(data, "meta").batch(draw)
    expected = data.batch(data.train[:20], np.random.default_rng(0))
    assert batch.size == 20
    if expected.graph is not None:
        assert batch.graph is not None
        assert batch.graph.atoms.shape == expected.graph.atoms.shape
        assert batch.graph.atoms.device.type == "meta"


def test_the_room_is_foretold(prepared: dict[str, PretrainData]) -> None:
    for kind in ("infoalign", "chmr"):
        data = prepared[kind]
        taken = _bytes(ResidentData(data, "cpu"), set())
        assert 0.5 < resident_bytes(data) / taken < 2


def _bytes(thing: object, seen: set[int]) -> int:
    """Add up the tensors below an object."""
    if id(thing) in seen or isinstance(thing, PretrainData):
        return 0
    seen.add(id(thing))
    if isinstance(thing, torch.Tensor):
        return thing.nbytes
    parts: list[object] = []
    if isinstance(thing, dict):
        parts = list(thing.values())
    elif isinstance(thing, tuple | list):
        parts = list(thing)
    elif hasattr(thing, "__dict__"):
        parts = list(vars(thing).values())
    return sum(_bytes(part, seen) for part in parts)
