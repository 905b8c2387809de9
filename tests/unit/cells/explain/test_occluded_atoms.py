"""Occlusion of a backbone's values: the loss without an atom, computed here by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.unit.cells.explained_backbones import cell_backbone

from cytomol.cells.explain.choose_value import ValueChoice, choose_value
from cytomol.cells.explain.occluded_atoms import occlude_value
from cytomol.nn.batch import GraphBatch


def test_an_atom_is_worth_what_the_value_loses_without_its_node() -> None:
    backbone = cell_backbone("infoalign")
    value = choose_value(backbone, ValueChoice(feature="area"))
    explained = occlude_value(backbone, ["CCO"], value)[0]
    store = backbone.store(["CCO"], workers=1)
    batch = backbone.builder.build(store, np.arange(1))
    graph = batch.graph
    assert graph is not None
    # without the oxygen, atom 2: the two carbons and their bond
    without = GraphBatch(
        graph.atoms[:2],
        torch.tensor([[1, 0], [0, 1]]),
        graph.edge_features[:2],
        torch.zeros(2, dtype=torch.int64),
        1,
    )
    with torch.no_grad():
        rows = [backbone.method.encoder(one) for one in (graph, without)]
        mean = [backbone.method.bottleneck(row)[0] for row in rows]
        scaled = [torch.sigmoid(backbone.method.decoders["morphology"](one))[0, 0] for one in mean]
    scaler = backbone.scalers["morphology"]
    expected = float(scaled[0] - scaled[1]) * scaler.span[0]
    assert explained.attributions[0].atoms[2] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("what", ["direction", "norm"])
def test_rows_do_not_depend_on_their_neighbours(what: str) -> None:
    backbone = cell_backbone("chmr")
    value = choose_value(backbone, ValueChoice(what=what))
    smiles = ["CC(=O)Oc1ccccc1C(=O)O", "not a molecule", "O", "CCN.Cl"]
    together = occlude_value(backbone, smiles, value, batch_size=7)
    assert [one.error != "" for one in together] == [False, True, False, False]
    for text, one in zip(smiles, together, strict=True):
        alone = occlude_value(backbone, [text], value)[0]
        assert alone.error == one.error
        for first, second in zip(one.attributions, alone.attributions, strict=True):
            np.testing.assert_allclose(first.atoms, second.atoms, atol=1e-5)
            np.testing.assert_allclose(first.pieces, second.pieces, atol=1e-5)


def test_equal_atoms_are_worth_the_same() -> None:
    backbone = cell_backbone("chmr")
    value = choose_value(backbone, ValueChoice(feature="texture"))
    atoms = occlude_value(backbone, ["c1ccccc1"], value)[0].attributions[0].atoms
    np.testing.assert_allclose(atoms, np.full(6, atoms[0]), atol=1e-5)
    assert atoms[0] != 0
