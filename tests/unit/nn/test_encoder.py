"""The encoder against a plain implementation, and what must not change its output."""

from __future__ import annotations

import dataclasses
from itertools import combinations, product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from cytomol.errors import ConfigError
from cytomol.nn.batch import GraphBatch
from cytomol.nn.categorical import CategoricalTable
from cytomol.nn.encoder import GraphEncoder

ATOMS, BONDS = (119, 5, 12, 12, 10, 6, 6, 2, 2), (5, 6, 2)

FORMS = [
    {"convolution": convolution, "readout": readout}
    for convolution, readout in product(("gin", "gcn"), ("sum", "mean", "max"))
]
"""The forms that an encoder may take."""


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
    h = plain_table(encoder.atoms, graph.atoms)
    v = None if encoder.virtual is None else encoder.virtual.expand(graph.size, -1)
    for depth, layer in enumerate(encoder.layers):
        last = depth == len(encoder.layers) - 1
        if v is not None:
            h = h + v[graph.molecule]
        bond = plain_table(layer.bonds, graph.edge_features) + plain_table(encoder.bonds, graph.edge_features)
        plain = plain_gin if encoder.convolution == "gin" else plain_gcn
        update = layer.norm(plain(layer, h, bond, graph.edge_index))
        if v is not None and not last:
            pooled = torch.zeros_like(v).index_add(0, graph.molecule, h)
            v = v + encoder.virtual_mlps[depth](pooled + v)
        h = h + (update if last else functional.relu(update))
    pool = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[encoder.readout]
    molecules = [h[graph.molecule == molecule] for molecule in range(graph.size)]
    return torch.stack([pool(atoms, dim=0) if len(atoms) else atoms.sum(0) for atoms in molecules])


def plain_gin(layer: Any, h: Tensor, bond: Tensor, edges: Tensor) -> Tensor:
    message = functional.relu(h[edges[0]] + bond)
    return layer.mlp((1 + layer.eps) * h + torch.zeros_like(h).index_add(0, edges[1], message))


def plain_gcn(layer: Any, h: Tensor, bond: Tensor, edges: Tensor) -> Tensor:
    x = functional.linear(h, layer.linear.weight, layer.linear.bias)
    degree = 1 + torch.bincount(edges[1], minlength=len(h))[:, None]
    weight = (degree[edges[0]] * degree[edges[1]]).to(h.dtype) ** -0.5
    message = weight * functional.relu(x[edges[0]] + bond)
    return torch.zeros_like(x).index_add(0, edges[1], message) + functional.relu(x + layer.root) / degree


def build(seed: int = 0, dtype: torch.dtype = torch.float32, **options: Any) -> GraphEncoder:
    torch.manual_seed(seed)
    encoder = GraphEncoder(ATOMS, BONDS, **{"width": 24, "layers": 3, "dropout": 0.0, **options}).to(dtype)
    # so that no zero at the start hides a fault; after a batch norm alike atoms are 0, the kink of a ReLU
    for name, parameter in encoder.named_parameters():
        if name.endswith(("eps", "virtual", "norm.bias")) or name == "bonds.weight":
            torch.nn.init.normal_(parameter.data, std=0.1)
    encoder.atoms.bounded(), encoder.bonds.bounded()
    for layer in encoder.layers:
        layer.bonds.bounded()
    return encoder


def test_published_size() -> None:
    """5 layers, width 300, virtual node: the number of parameters of the published encoder."""
    assert sum(parameter.numel() for parameter in GraphEncoder(ATOMS, BONDS).parameters()) == 3_340_205


@pytest.mark.parametrize("virtual_node", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("counts", [[5, 3, 8, 2], [4, 0, 1, 6], [1, 1], [1], [7]])
@pytest.mark.parametrize("training", [True, False])
def test_equals_plain_implementation(
    virtual_node: bool, form: dict[str, str], counts: list[int], training: bool
) -> None:
    graph = random_graph(counts)
    fast, plain = (build(virtual_node=virtual_node, **form).train(training) for _ in range(2))
    compare(fast, plain, graph, 1e-5)


@settings(max_examples=40, deadline=None)
@given(
    form=st.sampled_from(FORMS),
    counts=st.lists(st.integers(0, 12), min_size=1, max_size=6),
    seed=st.integers(0, 999),
    training=st.booleans(),
)
def test_equals_plain_implementation_in_double_precision(
    form: dict[str, str], counts: list[int], seed: int, training: bool
) -> None:
    fast, plain = (build(seed, torch.float64, **form).train(training) for _ in range(2))
    compare(fast, plain, random_graph(counts, seed), 1e-8)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("readout", ["sum", "max"])
def test_gcn_on_many_atoms(readout: str, training: bool) -> None:
    """A GIN's fused loops take batches as large as this; they must leave a GCN alone."""
    graph = random_graph([40, 0, 33, 1, 25])
    fast, plain = (build(convolution="gcn", readout=readout).train(training) for _ in range(2))
    compare(fast, plain, graph, 1e-5)
    with torch.no_grad():
        torch.testing.assert_close(fast(graph), plain_encoder(plain, graph), rtol=1e-5, atol=1e-5)


def compare(fast: GraphEncoder, plain: GraphEncoder, graph: GraphBatch, near: float) -> None:
    """Compare codes and gradients of an encoder with those of the plain implementation.

    A gradient in front of a batch norm is what is left of large terms that cancel: so gradients are compared
    relative to the largest of all.
    """
    ours, expected = fast(graph), plain_encoder(plain, graph)
    torch.testing.assert_close(ours, expected, rtol=near, atol=near)
    direction = torch.randn(ours.shape, generator=torch.Generator().manual_seed(1), dtype=ours.dtype)
    (ours * direction).sum().backward()
    (expected * direction).sum().backward()
    pairs = [
        (n, p.grad, q.grad) for (n, p), q in zip(fast.named_parameters(), plain.parameters(), strict=True)
    ]
    most = near * max(1.0, *(float(theirs.abs().max()) for _, _, theirs in pairs if theirs is not None))
    for name, own, theirs in pairs:
        if own is None or theirs is None:  # nothing reached it
            assert all(gradient is None or not gradient.any() for gradient in (own, theirs)), name
            continue
        torch.testing.assert_close(own, theirs, rtol=near, atol=most, msg=lambda m, n=name: f"{n}: {m}")


def test_every_form_is_another_function() -> None:
    graph = random_graph([5, 8, 11])
    codes = [build(**form).eval()(graph) for form in FORMS]
    for one, other in combinations(codes, 2):
        assert (one - other).norm() > 0.01 * one.norm()


def test_unknown_forms_are_named() -> None:
    with pytest.raises(ConfigError, match=r"unknown graph encoder 'gat' \(known: gcn, gin\)"):
        build(convolution="gat")
    with pytest.raises(ConfigError, match=r"unknown readout 'median' \(known: max, mean, sum\)"):
        build(readout="median")(random_graph([3]))


@pytest.mark.parametrize("form", FORMS)
def test_invariant_to_atom_order(form: dict[str, str]) -> None:
    graph = random_graph([9, 1, 6])
    encoder = build(**form).eval()
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


@pytest.mark.parametrize("form", FORMS)
def test_invariant_to_batch_composition(form: dict[str, str]) -> None:
    counts = [6, 1, 0, 11, 3]
    encoder = build(**form).eval()
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


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("counts", [[0], [0, 0, 0], [0, 4, 0]])
def test_molecule_without_atoms_is_a_finite_row(counts: list[int], form: dict[str, str]) -> None:
    encoder = build(**form)
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


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("counts", [[12, 20, 0, 7], [30, 0, 45]])
def test_bfloat16_is_near(counts: list[int], form: dict[str, str]) -> None:
    graph = random_graph(counts)
    encoder = build(width=64, **form).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = encoder(graph)
    exact = encoder(graph)
    assert (rough - exact).norm() / exact.norm() < 0.05
