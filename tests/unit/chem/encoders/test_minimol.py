"""MiniMol: its features against their definitions, its vectors against those of the published package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from rdkit import Chem

from cytomol.chem.encoders import encode_molecules, encoders
from cytomol.chem.encoders.minimol import MiniMol
from cytomol.chem.encoders.minimol_graph import read_graph
from cytomol.errors import InputError, MissingDependencyError
from cytomol.evaluate.sets import SETS

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("minimol") is None, reason="pip install --no-deps minimol"
)
# of minimol 1.3.5 with graphium 2.4.7: the first five numbers, the length and the mean of each vector
PUBLISHED = {
    "CCO": ([-0.07699, -0.10519, -0.12458, -0.16341, -0.05117], 13.66165, 0.161001),
    "CC(=O)Oc1ccccc1C(=O)O": ([-0.04648, -0.05422, 1.91545, 0.30593, 0.51829], 15.50149, 0.506096),
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C": ([0.19228, 0.13002, 1.50663, 0.17446, 0.86253], 15.83195, 0.527510),
    "C": ([-0.16773, -0.08724, -0.10594, -0.16737, 0.06385], 12.27849, 0.099764),
}


def graph_of(smiles: str) -> nx.Graph:
    """Return the bonds of a molecule between its atoms in canonical order, as networkx has them."""
    mol = Chem.MolFromSmiles(smiles)
    ranks = list(Chem.CanonicalRankAtoms(mol))
    graph = nx.Graph()
    graph.add_nodes_from(range(len(ranks)))
    graph.add_edges_from((ranks[b.GetBeginAtomIdx()], ranks[b.GetEndAtomIdx()]) for b in mol.GetBonds())
    return graph


@pytest.mark.parametrize("smiles", [ASPIRIN, "CCO", "C", "[Na+].[Cl-]", "c1ccccc1.CC"])
def test_eigenvectors_and_walks_are_those_of_the_graph(smiles: str) -> None:
    graph, found = graph_of(smiles), read_graph(smiles)
    assert {tuple(pair) for pair in np.stack([found.sources, found.targets], 1).tolist()} == {
        pair for a, b in graph.edges for pair in ((a, b), (b, a))
    }
    laplacian = nx.laplacian_matrix(graph, nodelist=range(len(graph))).toarray()
    values, vectors = found.eigen[..., 0], found.eigen[..., 1]
    np.testing.assert_allclose(laplacian @ vectors, values * vectors, atol=5e-3)  # rounded to half precision
    for part in nx.connected_components(graph):
        rows = sorted(part)
        expected = np.linalg.eigvalsh(laplacian[np.ix_(rows, rows)])[:8]
        np.testing.assert_allclose(values[rows[0], : len(expected)], expected, atol=5e-3)
    if len(graph) > 1:
        adjacency = nx.to_numpy_array(graph, nodelist=range(len(graph)))
        step = adjacency / np.maximum(adjacency.sum(axis=1, keepdims=True), 1)
        for steps in (1, 2, 7, 16):
            expected = np.diagonal(np.linalg.matrix_power(step, steps))
            np.testing.assert_allclose(found.returns[:, steps - 1], expected, atol=1e-3)
    else:
        assert (found.returns == 1).all()


def test_atoms_and_bonds_are_one_hot() -> None:
    found = read_graph("C[N+](C)(C)CC=O")
    assert found.atoms.shape == (7, 85)
    for start, stop in ((5, 49), (49, 69), (69, 77), (77, 85)):  # element, group, period, valence
        assert (found.atoms[:, start:stop].sum(axis=1) == 1).all()
    assert found.atoms[:, 1].sum() == 1  # the charge
    assert (found.bonds[:, :5].sum(axis=1) == 1).all()
    assert (found.bonds[:, 5:12].sum(axis=1) == 1).all()
    assert (found.bonds[:, 1] == 1).sum() == 2  # the double bond, both ways


def test_what_is_no_molecule_is_refused() -> None:
    with pytest.raises(ValueError, match="is no molecule"):
        read_graph("nothing")


@pytest.mark.parametrize("smiles", ["[U]", "*CC", "[He]", "[La]", "[Og]"])
def test_every_element_has_features(smiles: str) -> None:
    assert np.isfinite(read_graph(smiles).atoms).all()


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match="pip install --no-deps minimol"):
        encoders["minimol"]().check()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "state_dict.pth"
    path.write_bytes(b"something else")
    monkeypatch.setattr(MiniMol, "_weights", lambda _: path)
    with pytest.raises(InputError, match="are not the weights of MiniMol v1"):
        MiniMol().encode(["CCO"])


def test_it_says_which_sets_it_may_have_seen() -> None:
    assert set(MiniMol.pretraining.sets) == set(SETS)
    assert MiniMol.pretraining.sets["toxcast"][0] == "seen"
    assert "PubChem" in MiniMol.pretraining.said("minimol")
    page = (Path(__file__).parents[4] / "docs" / "encoders.md").read_text(encoding="utf-8")
    for name, (exposure, why) in MiniMol.pretraining.sets.items():
        assert f"| {name} | {exposure} | {why} |" in page


@needs_weights
@pytest.mark.parametrize("smiles", PUBLISHED)
def test_vectors_are_those_of_the_published_package(smiles: str) -> None:
    first, length, mean = PUBLISHED[smiles]
    values, reasons = encode_molecules(MiniMol(), [smiles])
    assert reasons == [""]
    np.testing.assert_allclose(values[0, :5], first, atol=2e-4)
    np.testing.assert_allclose(np.linalg.norm(values[0]), length, rtol=1e-4)
    np.testing.assert_allclose(values[0].mean(), mean, atol=1e-4)


@needs_weights
def test_a_vector_does_not_depend_on_the_molecules_beside_it() -> None:
    encoder = MiniMol()
    together = encoder.encode([ASPIRIN, "CCO", "C"])
    for row, smiles in enumerate([ASPIRIN, "CCO", "C"]):
        np.testing.assert_allclose(encoder.encode([smiles])[0], together[row], atol=2e-5)
