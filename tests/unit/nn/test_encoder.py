"""The encoder against a plain implementation, and what must not change its output."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cytomol.nn.batch import GraphBatch
from cytomol.nn.categorical import CategoricalTable
from cytomol.nn.encoder import GraphEncoder

ATOMS, BONDS = (119, 5, 12, 12, 10, 6, 6, 2, 2), (5, 6, 2)


def random_graph(atom_counts: list[int], seed: int = 0) -> GraphBatch:
    """Random trees with a few rings; a count of 0 is an invalid molecule, 1 has no bonds."""
    draw = torch.Generator().manual_seed(seed)
    edges, first = [], 0
    for count in atom_counts:
        for atom in range(1, count):
            other = int(torch.randint(0, atom, (1,), generator=draw))
            edges += [(first + atom, first + other), (first + other, first + atom)]
        first += count
    bonds = torch.stack([torch.randint(0, size, (len(edges) // 2,), generator=draw) for size in BONDS], 1)
    features = bonds.repeat_interleave(2, dim=0)
    index = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
    order = torch.argsort(index[1], stable=True)
    return GraphBatch(
        atoms=torch.stack([torch.randint(0, size, (first,), generator=draw) for size in ATOMS], 1),
        edge_index=index[:, order].contiguous(),
        edge_features=features[order],
        molecule=torch.repeat_interleave(torch.arange(len(atom_counts)), torch.tensor(atom_counts)),
        size=len(atom_counts),
    )


def plain_table(table: CategoricalTable, features: Tensor) -> Tensor:
    parts = torch.split(table.weight, list(table.sizes))
    return sum((part[features[:, k]] for k, part in enumerate(parts)), torch.zeros(()))


def plain_encoder(encoder: GraphEncoder, graph: GraphBatch) -> Tensor:
    """The equations with index_add, table look-ups column by column, and no dropout."""
    source, target = graph.edge_index
    h = plain_table(encoder.atoms, graph.atoms)
    v = None if encoder.virtual is None else encoder.virtual.expand(graph.size, -1)
    for depth, layer in enumerate(encoder.layers):
        last = depth == len(encoder.layers) - 1
        if v is not None:
            h = h + v[graph.molecule]
        bond = plain_table(layer.bonds, graph.edge_features) + plain_table(encoder.bonds, graph.edge_features)
        message = functional.relu(h[source] + bond)
        update = layer.norm(
            layer.mlp((1 + layer.eps) * h + torch.zeros_like(h).index_add(0, target, message))
        )
        if v is not None and not last:
            pooled = torch.zeros_like(v).index_add(0, graph.molecule, h)
            v = v + encoder.virtual_mlps[depth](pooled + v)
        h = h + (update if last else functional.relu(update))
    total = h.new_zeros(graph.size, h.shape[1]).index_add(0, graph.molecule, h)
    if encoder.readout == "mean":
        total = total / torch.bincount(graph.molecule, minlength=graph.size).clamp(min=1)[:, None]
    return total


def build(seed: int = 0, **options: Any) -> GraphEncoder:
    torch.manual_seed(seed)
    encoder = GraphEncoder(ATOMS, BONDS, **{"width": 24, "layers": 3, "dropout": 0.0, **options})
    for name, parameter in encoder.named_parameters():  # so that no zero at the start hides a fault
        if name.endswith(("eps", "virtual")) or name == "bonds.weight":
            torch.nn.init.normal_(parameter.data, std=0.1)
    encoder.atoms.bounded(), encoder.bonds.bounded()
    for layer in encoder.layers:
        layer.bonds.bounded()
    return encoder


def test_published_size() -> None:
    """5 layers, width 300, virtual node: the number of parameters of the published encoder."""
    assert sum(parameter.numel() for parameter in GraphEncoder(ATOMS, BONDS).parameters()) == 3_340_205


@pytest.mark.parametrize("virtual_node", [True, False])
@pytest.mark.parametrize("readout", ["sum", "mean"])
@pytest.mark.parametrize("counts", [[5, 3, 8, 2], [4, 0, 1, 6], [1, 1], [1], [7]])
@pytest.mark.parametrize("training", [True, False])
def test_equals_plain_implementation(
    virtual_node: bool, readout: str, counts: list[int], training: bool
) -> None:
    graph = random_graph(counts)
    fast = build(virtual_node=virtual_node, readout=readout).train(training)
    plain = build(virtual_node=virtual_node, readout=readout).train(training)
    direction = torch.randn(len(counts), 24, generator=torch.Generator().manual_seed(1))
    ours, expected = fast(graph), plain_encoder(plain, graph)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)
    (ours * direction).sum().backward()
    (expected * direction).sum().backward()
    references = dict(plain.named_parameters())
    for name, parameter in fast.named_parameters():
        reference = references[name].grad
        if reference is None:
            assert parameter.grad is None or not parameter.grad.any(), name
            continue
        assert parameter.grad is not None, name
        torch.testing.assert_close(
            parameter.grad, reference, rtol=1e-4, atol=1e-4, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_invariant_to_atom_order() -> None:
    graph = random_graph([9, 1, 6])
    encoder = build().eval()
    places = torch.cat(
        [torch.randperm(9), torch.tensor([9]), 10 + torch.randperm(6)]
    )  # old atom at each new place
    new = torch.empty_like(places)
    new[places] = torch.arange(len(places))
    index = new[graph.edge_index]
    order = torch.argsort(index[1], stable=True)
    shuffled = dataclasses.replace(
        graph, atoms=graph.atoms[places], edge_index=index[:, order], edge_features=graph.edge_features[order]
    )
    torch.testing.assert_close(encoder(graph), encoder(shuffled), rtol=1e-5, atol=1e-5)


def test_invariant_to_batch_composition() -> None:
    counts = [6, 1, 0, 11, 3]
    encoder = build().eval()
    together = encoder(random_graph(counts))
    whole = random_graph(counts)
    for molecule, row in enumerate(together):
        atoms = (whole.molecule == molecule).nonzero().flatten()
        first = int(atoms[0]) if len(atoms) else 0
        edges = torch.isin(whole.edge_index[1], atoms)
        alone = GraphBatch(
            atoms=whole.atoms[atoms],
            edge_index=whole.edge_index[:, edges] - first,
            edge_features=whole.edge_features[edges],
            molecule=torch.zeros(len(atoms), dtype=torch.int64),
            size=1,
        )
        torch.testing.assert_close(encoder(alone)[0], row, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("counts", [[0], [0, 0, 0], [0, 4, 0]])
def test_molecule_without_atoms_is_a_finite_row(counts: list[int]) -> None:
    encoder = build()
    for training in (True, False):
        encoded = encoder.train(training)(random_graph(counts))
        assert encoded.shape == (len(counts), 24)
        assert encoded.isfinite().all()
        assert (encoded[[i for i, count in enumerate(counts) if count == 0]] == 0).all()
        encoded.sum().backward()


def test_dropout_and_seed() -> None:
    encoder = build(dropout=0.5)
    graph = random_graph([5, 6])
    torch.manual_seed(3)
    first = encoder(graph)
    torch.manual_seed(3)
    assert torch.equal(encoder(graph), first)
    assert not torch.equal(encoder(graph), first)


def test_bfloat16_is_near() -> None:
    graph = random_graph([12, 20, 7])
    encoder = build(width=64).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = encoder(graph)
    exact = encoder(graph)
    assert (rough - exact).norm() / exact.norm() < 0.05


def test_table_rows_are_at_most_one_long() -> None:
    table = CategoricalTable((4, 3), 8)
    torch.nn.init.normal_(table.weight.data, std=3.0)
    features = torch.tensor([[0, 2], [3, 1]])
    embedded = table(features)
    assert (table.weight.norm(dim=1) <= 1 + 1e-6).all()
    torch.testing.assert_close(embedded, table.combinations()[table.code(features)])
    assert table.combinations().shape == (12, 8)
