"""Graph convolution against loops over atoms and bonds, values and gradients."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.gcn import GCNLayer
from cytomol.nn.segments import GroupedEdges, group_rows

BONDS, WIDTH = (5, 6, 2), 6

Bonds = dict[tuple[int, int], tuple[int, ...]]


@st.composite
def molecules(draw: st.DrawFn) -> tuple[int, Bonds]:
    """Draw up to eight atoms and any bonds between them, each with its categories."""
    atoms = draw(st.integers(0, 8))
    pairs = [(i, j) for i in range(atoms) for j in range(i)]
    kinds = st.tuples(*(st.integers(0, size - 1) for size in BONDS))
    return atoms, {pair: draw(kinds) for pair in pairs if draw(st.booleans())}


def edges_of(atoms: int, bonds: Bonds, layer: GCNLayer) -> GroupedEdges:
    directed = sorted((i, j, kind) for (a, b), kind in bonds.items() for i, j in ((a, b), (b, a)))
    table = torch.tensor([kind for _, _, kind in directed], dtype=torch.int64).reshape(-1, len(BONDS))
    return GroupedEdges(
        group_rows(torch.tensor([j for _, j, _ in directed], dtype=torch.int64), atoms, ordered=False),
        group_rows(torch.tensor([i for i, _, _ in directed], dtype=torch.int64), atoms, ordered=True),
        group_rows(layer.bonds.code(table), 60, ordered=False),
    )


def layer_of(seed: int) -> GCNLayer:
    torch.manual_seed(seed)
    layer = GCNLayer(BONDS, WIDTH).double()
    layer.bonds.bounded()
    for tensor in (layer.norm.weight, layer.norm.bias, layer.linear.bias, layer.norm.running_mean):
        torch.nn.init.normal_(tensor)
    torch.nn.init.uniform_(layer.norm.running_var, 0.5, 2)
    return layer


def convolve(layer: GCNLayer, atoms: Tensor, shared: Tensor, bonds: Bonds) -> Tensor:
    """The published equation, one atom and one bond at a time."""
    if len(atoms) == 0:
        return atoms
    mapped = [layer.linear.weight @ h + layer.linear.bias for h in atoms]
    degrees = [1 + sum(i in pair for pair in bonds) for i in range(len(atoms))]
    rows = []
    for i, own in enumerate(mapped):
        row = torch.relu(own + layer.root[0]) / degrees[i]
        for pair, (order, stereo, conjugated) in bonds.items():
            if i not in pair:
                continue
            j = pair[0] + pair[1] - i
            weight = layer.bonds.weight
            bond = weight[order] + weight[5 + stereo] + weight[11 + conjugated]
            bond = bond + shared[(order * 6 + stereo) * 2 + conjugated]
            row = row + torch.relu(mapped[j] + bond) / (degrees[i] * degrees[j]) ** 0.5
        rows.append(row)
    mixed, norm = torch.stack(rows), layer.norm
    if layer.training and len(rows) > 1:
        mean, variance = mixed.mean(0), mixed.var(0, correction=0)
    else:
        mean, variance = norm.running_mean, norm.running_var
    return (mixed - mean) / (variance + norm.eps).sqrt() * norm.weight + norm.bias


@settings(max_examples=60, deadline=None)
@given(molecules(), st.integers(0, 99), st.booleans())
def test_equals_loops(graph: tuple[int, Bonds], seed: int, training: bool) -> None:
    count, bonds = graph
    ours = layer_of(seed).train(training)
    loops = copy.deepcopy(ours)
    inputs = []
    for layer, run in ((ours, None), (loops, convolve)):
        draw = torch.Generator().manual_seed(seed)
        atoms = torch.randn(count, WIDTH, dtype=torch.float64, generator=draw).requires_grad_()
        shared = torch.randn(60, WIDTH, dtype=torch.float64, generator=draw).requires_grad_()
        direction = torch.randn(count, WIDTH, dtype=torch.float64, generator=draw)
        output = run(layer, atoms, shared, bonds) if run else layer(atoms, shared, edges_of(*graph, layer))
        (output * direction).sum().backward()
        weights = {name: p.grad for name, p in layer.named_parameters()}
        inputs.append({"output": output.detach(), "atoms": atoms.grad, "shared": shared.grad, **weights})
    for name, theirs in inputs[1].items():
        own = inputs[0][name]
        if theirs is None:  # nothing reached it
            assert own is None or not own.any(), name
            continue
        torch.testing.assert_close(own, theirs, rtol=1e-7, atol=1e-7, msg=lambda m, n=name: f"{n}: {m}")


def test_single_precision_is_near_loops() -> None:
    bonds = {(1, 0): (0, 1, 1), (2, 1): (3, 5, 0), (3, 1): (4, 0, 1), (5, 4): (2, 2, 0)}
    exact = layer_of(0).eval()
    atoms, shared = torch.randn(7, WIDTH, dtype=torch.float64), torch.randn(60, WIDTH, dtype=torch.float64)
    expected = convolve(exact, atoms, shared, bonds)
    single = copy.deepcopy(exact).float()
    result = single(atoms.float(), shared.float(), edges_of(7, bonds, single))
    torch.testing.assert_close(result.double(), expected, rtol=1e-5, atol=1e-5)


def test_half_precision_is_near() -> None:
    bonds: Bonds = {(i + 1, i): (i % 5, i % 6, i % 2) for i in range(40)}
    layer = layer_of(1).float().eval()
    atoms, shared = torch.randn(41, WIDTH), torch.randn(60, WIDTH)
    exact = layer(atoms, shared, edges_of(41, bonds, layer))
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(atoms, shared, edges_of(41, bonds, layer))
    assert 0 < (rough - exact).norm() < 0.02 * exact.norm()


@pytest.mark.parametrize(("virtual_node", "published"), [(False, 527_701 - 301), (True, 2_017_028 - 38_528)])
def test_published_size(virtual_node: bool, published: int) -> None:
    """OGB's leaderboard, less the heads: 1 task for ogbg-molhiv's GCN, 128 for ogbg-molpcba's with the node.

    Its featurizer knew four chiral tags then; the bond table that all layers share is no part of it.
    """
    sizes: Any = ((119, 4, 12, 12, 10, 6, 6, 2, 2), BONDS)
    encoder = GraphEncoder(*sizes, convolution="gcn", virtual_node=virtual_node)
    ours = sum(p.numel() for p in encoder.parameters()) - encoder.bonds.weight.numel()
    assert ours == published
