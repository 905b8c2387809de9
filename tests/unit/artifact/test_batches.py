"""Views of a batch against molecule-by-molecule loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cytomol.artifact.batches import GEOMETRY_LIMIT, BatchBuilder, batches_by_size, collate_graphs
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ModelDirectoryError

SMILES = [
    "CCO",
    "not a molecule",
    "c1ccccc1C(=O)O",
    "[Na+].[Cl-]",
    "C",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "",
    "C#N",
]


def _store() -> MoleculeStore:
    store = featurize(SMILES, FeatureOptions(morgan_bits=256), cache=None)
    geometry = np.random.default_rng(0).normal(3, 2, (len(SMILES), 5)).astype(np.float32)
    geometry[:, 4] = 7  # constant
    geometry[[1, 6]] = np.nan  # invalid
    geometry[3] = np.nan  # no conformer
    geometry[2, 1] = np.nan  # one descriptor undefined
    geometry[5, 0] = 1e6  # gone wrong
    return store.with_block("geometry", geometry)


STORE = _store()


@given(st.lists(st.integers(0, len(SMILES) - 1), max_size=12))
def test_graphs_equal_a_loop_over_molecules(rows: list[int]) -> None:
    graph = collate_graphs(STORE, np.array(rows, np.int64))
    atoms, edges, bonds, owner, first = [], [], [], [], 0
    for position, row in enumerate(rows):
        a = STORE.atoms[STORE.atom_offsets[row] : STORE.atom_offsets[row + 1]]
        part = slice(STORE.edge_offsets[row], STORE.edge_offsets[row + 1])
        atoms.append(a)
        edges.append(STORE.edges[:, part].astype(np.int64) + first)
        bonds.append(STORE.edge_features[part])
        owner += [position] * len(a)
        first += len(a)
    assert graph.size == len(rows)
    if not rows:
        return
    assert np.array_equal(graph.atoms.numpy(), np.concatenate(atoms))
    assert np.array_equal(graph.edge_index.numpy(), np.concatenate(edges, axis=1))
    assert np.array_equal(graph.edge_features.numpy(), np.concatenate(bonds))
    assert graph.molecule.tolist() == owner
    assert bool((graph.edge_index[1].diff() >= 0).all())
    assert graph.edge_index.is_contiguous()


def test_fingerprints_are_morgan_then_maccs() -> None:
    rows = np.array([2, 0, 1])
    batch = BatchBuilder(("1d",)).build(STORE, rows)
    expected = np.concatenate([STORE.dense("morgan", rows), STORE.dense("maccs", rows)], axis=1)
    assert torch.equal(batch.views["1d"], torch.from_numpy(expected))
    assert batch.graph is None
    assert batch.views["1d"].shape[1] == BatchBuilder(("1d",)).widths(STORE.widths)["1d"] == 256 + 167
    assert not batch.views["1d"][2].any()


def test_geometry_is_standardised_masked_and_bounded() -> None:
    train = np.array([0, 2, 3, 4, 7])
    builder = BatchBuilder.fit(("3d",), STORE, train)
    rows = np.arange(len(SMILES))
    batch = builder.build(STORE, rows)
    values, mask = batch.views["3d"].numpy(), batch.view_mask["3d"].numpy()
    assert mask.tolist() == [True, False, True, False, True, True, False, True]
    assert not np.isnan(values).any()
    assert (values[~mask] == 0).all()
    assert values[2, 1] == 0
    assert (values[:, 4] == 0).all()
    assert values[5, 0] == GEOMETRY_LIMIT
    known = STORE.blocks["geometry"][[0, 2, 4, 7]][:, 2]
    first, median, third = np.quantile(known, [0.25, 0.5, 0.75])
    assert values[0, 2] == pytest.approx((known[0] - median) / ((third - first) / 1.349), rel=1e-5)


def test_statistics_come_from_training_molecules_alone() -> None:
    builder = BatchBuilder.fit(("3d",), STORE, np.array([0, 2, 4, 7]))
    changed = STORE.blocks["geometry"].copy()
    changed[5] = -1e5
    other = BatchBuilder.fit(("3d",), STORE.with_block("geometry", changed), np.array([0, 2, 4, 7]))
    assert np.array_equal(builder.center, other.center)
    assert np.array_equal(builder.spread, other.spread)


def test_statistics_survive_saving() -> None:
    builder = BatchBuilder.fit(("1d", "3d"), STORE, np.arange(4))
    again = BatchBuilder.from_statistics(("1d", "3d"), builder.statistics())
    assert np.array_equal(again.center, builder.center)
    assert again.widths(STORE.widths) == {"1d": 423, "3d": 5}
    with pytest.raises(ModelDirectoryError, match=r"geometry\.spread"):
        BatchBuilder.from_statistics(("3d",), {"geometry.center": builder.center})


def test_a_table_without_values_has_harmless_statistics() -> None:
    empty = STORE.with_block("geometry", np.full((len(SMILES), 3), np.nan, np.float32))
    builder = BatchBuilder.fit(("3d",), empty, np.arange(3))
    assert builder.center.tolist() == [0, 0, 0]
    assert builder.spread.tolist() == [1, 1, 1]


@given(st.lists(st.integers(0, len(SMILES) - 1), max_size=30), st.integers(1, 7))
def test_batches_by_size_hold_every_row_once(rows: list[int], size: int) -> None:
    parts = list(batches_by_size(STORE, np.array(rows, np.int64), size))
    assert sorted(np.concatenate([[], *parts]).astype(int).tolist()) == sorted(rows)
    assert all(1 <= len(part) <= size for part in parts)
    counts = [int(STORE.atom_counts[row]) for part in parts for row in part]
    assert counts == sorted(counts)
