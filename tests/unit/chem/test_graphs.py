"""Graphs of many molecules: both ways give OGB's features, edges sorted by target atom."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from cytomol.chem import graphs
from cytomol.chem.graphs import GraphBuilder, graph_arrays
from cytomol.chem.parse import parse_smiles


def assert_equals_ogb(arrays, mols, ogb_graph) -> None:
    for i, mol in enumerate(mols):
        a, b = arrays["atom_offsets"][i : i + 2]
        c, d = arrays["edge_offsets"][i : i + 2]
        if mol is None:
            assert (a, c) == (b, d)
            continue
        expected = ogb_graph(mol)
        np.testing.assert_array_equal(arrays["atoms"][a:b], expected.atoms)
        np.testing.assert_array_equal(arrays["edges"][:, c:d], expected.edges)
        np.testing.assert_array_equal(arrays["edge_features"][c:d], expected.edge_features)


@pytest.mark.parametrize("compiled", [False, True])
def test_hard_molecules_equal_ogb(hard_smiles: list[str], ogb_graph, compiled: bool) -> None:
    mols = [None, *(parse_smiles(s).mol for s in hard_smiles), None]
    mols.insert(10, None)
    arrays = graph_arrays(mols, compiled=compiled)
    assert arrays["atoms"].dtype == arrays["edge_features"].dtype == np.uint8
    assert arrays["edges"].dtype == np.int32
    assert arrays["atom_offsets"].dtype == arrays["edge_offsets"].dtype == np.int64
    assert_equals_ogb(arrays, mols, ogb_graph)


def test_this_rdkit_is_read_the_fast_way() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert graphs._binary_form_is_known()


@pytest.mark.real_data
def test_two_thousand_real_molecules_equal_ogb(real_data: Path, ogb_graph) -> None:
    import pandas as pd

    smiles = pd.read_parquet(real_data / "corpus" / "molecules.parquet")["smiles"].sample(
        2000, random_state=8
    )
    mols = [parse_smiles(s).mol for s in smiles]
    assert_equals_ogb(graph_arrays(mols), mols, ogb_graph)


@pytest.mark.parametrize("compiled", [False, True])
def test_nothing_and_only_invalid_molecules(compiled: bool) -> None:
    for mols in ([], [None], [None, None]):
        arrays = graph_arrays(mols, compiled=compiled)
        assert arrays["atoms"].shape == (0, 9)
        assert arrays["edges"].shape == (2, 0)
        assert arrays["edge_features"].shape == (0, 3)
        assert arrays["atom_offsets"].tolist() == arrays["edge_offsets"].tolist() == [0] * (len(mols) + 1)


def test_what_the_loop_does_not_know_takes_the_plain_way() -> None:
    """Queries, residues and coordinates are forms that no SMILES has."""
    residues = Chem.MolFromSequence("GA")
    query = Chem.MolFromSmarts("[C,N]~[#6]")
    query.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(query)
    mols = [parse_smiles("CCO").mol, residues, query, parse_smiles("c1ccccc1").mol]
    plain, compiled = graph_arrays(mols, compiled=False), graph_arrays(mols, compiled=True)
    for name in plain:
        np.testing.assert_array_equal(plain[name], compiled[name])


def test_unknown_binary_form_is_said_and_plain_way_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    from cytomol.chem import binary

    real = binary.decode

    def altered(data, starts, atoms, *rest):
        known = real(data, starts, atoms, *rest)
        atoms[:, 0] += 1
        return known

    monkeypatch.setattr(binary, "decode", altered)
    graphs._binary_form_is_known.cache_clear()
    mols = [Chem.MolFromSmiles("CCO")] * 200
    try:
        with pytest.warns(RuntimeWarning, match="unknown form"):
            arrays = graph_arrays(mols)
    finally:
        graphs._binary_form_is_known.cache_clear()
    np.testing.assert_array_equal(arrays["atoms"], graph_arrays(mols, compiled=False)["atoms"])


def test_builder_chooses_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not GraphBuilder(3)._compiled
    assert GraphBuilder(10_000)._compiled


@given(
    st.lists(st.sampled_from(["C", "CC", "c1ccccc1", "C1CC1.[Na+]", "N[C@@H](C)C(=O)O", None]), max_size=12)
)
@settings(max_examples=50, deadline=None)
def test_order_and_both_ways_agree(names: list[str | None]) -> None:
    mols = [None if s is None else Chem.MolFromSmiles(s) for s in names]
    plain, compiled = graph_arrays(mols, compiled=False), graph_arrays(mols, compiled=True)
    for name in plain:
        np.testing.assert_array_equal(plain[name], compiled[name])
    assert np.diff(plain["atom_offsets"]).tolist() == [0 if m is None else m.GetNumAtoms() for m in mols]
