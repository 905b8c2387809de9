"""What the speed benchmark sets each idea against computes the same numbers, by another way."""

from __future__ import annotations

import numpy as np
import torch
from benchmarks.speed.rows.ideas import ColumnTable, ScatteredLayer, exchanged
from torch import nn

from cytomol.artifact.batches import collate_graphs
from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.nn.categorical import CategoricalTable
from cytomol.nn.choice import plain_operations
from cytomol.nn.dropout import Dropout
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.gin import GINLayer

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "c1ccccc1O", "CCN(CC)CC", "CCO"]


def test_exchanged_modules_compute_the_same() -> None:
    graph = collate_graphs(featurize(SMILES, FeatureOptions(), workers=1), np.arange(len(SMILES)))
    torch.manual_seed(0)
    sizes = tuple(BOND_FEATURE_SIZES)
    network = GraphEncoder(tuple(ATOM_FEATURE_SIZES), sizes, width=16, layers=2, dropout=0.0).train()
    nn.init.normal_(network.bonds.weight)
    kinds = (GINLayer, CategoricalTable, Dropout)
    others = (ScatteredLayer(sizes, 16), ColumnTable((1,), 1), nn.Dropout())
    with plain_operations():
        expected = network(graph)
        for kind, other in zip(kinds, others, strict=True):
            copied = exchanged(network, kind, other)
            there = [module for module in network.modules() if isinstance(module, kind)]
            assert sum(type(module) is type(other) for module in copied.modules()) == len(there) > 0
            torch.testing.assert_close(copied(graph), expected)
    assert [p.shape for p in copied.parameters()] == [p.shape for p in network.parameters()]
    assert not any(isinstance(module, nn.Dropout) and module.p for module in copied.modules())
