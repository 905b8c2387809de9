"""Graphs and fingerprints, exactly."""

from __future__ import annotations

import numpy as np
from benchmarks.speed.reference.features import fingerprints, molecule_graph
from rdkit import Chem

from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.corpus import Corpus


def test_graphs_are_equal(corpus: Corpus) -> None:
    store = featurize(
        corpus.smiles,
        FeatureOptions(morgan_bits=0, maccs=False, chirality="as_written"),
        cache=None,
        workers=1,
    )
    assert store.valid.sum() > 0.9 * len(store)
    for row in np.flatnonzero(store.valid):
        data = molecule_graph(store.smiles[row])
        atoms = slice(store.atom_offsets[row], store.atom_offsets[row + 1])
        edges = slice(store.edge_offsets[row], store.edge_offsets[row + 1])
        np.testing.assert_array_equal(store.atoms[atoms], data.x.numpy())
        # the fast path sorts edges by target; the edges are the same
        ours = np.concatenate([store.edges[:, edges].T, store.edge_features[edges]], axis=1)
        theirs = np.concatenate([data.edge_index.numpy().T, data.edge_attr.numpy()], axis=1)
        np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_fingerprints_are_equal(corpus: Corpus) -> None:
    store = featurize(corpus.smiles[:500], FeatureOptions(graph=False), cache=None, workers=1)
    mols = [Chem.MolFromSmiles(store.smiles[row]) for row in np.flatnonzero(store.valid)]
    morgan, maccs = fingerprints(mols)
    np.testing.assert_array_equal(store.dense("morgan")[store.valid], morgan)
    np.testing.assert_array_equal(store.dense("maccs")[store.valid], maccs)
