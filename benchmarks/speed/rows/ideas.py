"""What each idea of the fast path brings: the step of a graph encoder with the idea and without it."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import torch
from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare
from benchmarks.speed.settings import Settings
from torch import Tensor, nn
from torch.nn import functional

from cytomol.artifact.batches import batches_by_size, collate_graphs
from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
from cytomol.nn import linear
from cytomol.nn.batch import GraphBatch
from cytomol.nn.categorical import CategoricalTable
from cytomol.nn.choice import plain_operations
from cytomol.nn.dropout import Dropout
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.gin import GINLayer
from cytomol.nn.segments import GroupedEdges

_SIZE = 256  # the size at which the goals are missed


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure training steps, every variant after the first two without an idea or with one not kept."""
    store = material.store
    rows = np.arange(_SIZE)
    graph = collate_graphs(store, rows)
    torch.manual_seed(0)
    network = GraphEncoder(tuple(ATOM_FEATURE_SIZES), tuple(BOND_FEATURE_SIZES)).train()
    scattered = exchanged(network, GINLayer, ScatteredLayer(tuple(BOND_FEATURE_SIZES), network.width))
    columns = exchanged(network, CategoricalTable, ColumnTable((1,), 1))
    plain_dropout = exchanged(network, Dropout, nn.Dropout())
    choice = not linear.onednn_is_faster()
    other = partial(mock.patch.object, linear, "onednn_is_faster", return_value=choice)
    plain = plain_operations
    variants = [
        Variant("cytomol", _step(network, graph), _SIZE, "all that was kept"),
        Variant("with bfloat16 products", _step(network, graph, half=True), _SIZE, "kept, by --precision"),
        Variant("without fused loops", _step(network, graph, plain), _SIZE, "kept: torch's own operations"),
        Variant(
            "and without sorted edges",
            _step(scattered, graph, plain),
            _SIZE,
            "kept on GPUs: gathers and index_add instead",
        ),
        Variant(
            "and without kinds of atoms",
            _step(columns, graph, plain),
            _SIZE,
            "kept: one look-up for each column of each atom instead",
        ),
        Variant(
            "and with torch's dropout",
            _step(plain_dropout, graph, plain),
            _SIZE,
            "kept: 16 random bits an element",
        ),
        Variant(
            "and with the other products",
            _step(network, graph, plain, other),
            _SIZE,
            "kept by processor: MKL on Intel's, oneDNN on others",
        ),
    ]
    variants += _compiled(network, graph)
    return compare(
        f"ideas: encoder training step, batch {_SIZE}",
        "mol/s",
        variants,
        repeats=settings.repeats,
        threads=settings.threads,
        warm=2,
    ) + _bucketing(material, settings)


def _step(
    network: GraphEncoder, graph: GraphBatch, *ways: Callable[[], Any], half: bool = False
) -> Callable[[], None]:
    def work() -> None:
        with contextlib.ExitStack() as stack:
            for way in ways:
                stack.enter_context(way())
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                result = network(graph)
            network.zero_grad()
            result.float().sum().backward()

    return work


class ScatteredLayer(GINLayer):
    """The layer with gathers and index_add in the place of sorted edges."""

    def forward(self, atoms: Tensor, shared: Tensor, edges: GroupedEdges) -> Tensor:
        """Mix atoms with their neighbours, as the layer it stands for does."""
        messages = functional.relu(atoms[edges.sources.index] + self.kinds(shared)[edges.bonds.index])
        sums = torch.zeros_like(atoms).index_add(0, edges.targets.index, messages)
        mixed: Tensor = self.norm(self.mlp(torch.addcmul(sums, atoms, 1 + self.eps)))
        return mixed


class ColumnTable(CategoricalTable):
    """The table with one look-up for each column of each atom."""

    def forward(self, features: Tensor) -> Tensor:
        """Embed categorical features, as the table it stands for does."""
        return functional.embedding_bag(features + self.offsets, self.bounded(), mode="sum")


def exchanged(network: GraphEncoder, kind: type[nn.Module], other: nn.Module) -> GraphEncoder:
    """Return a copy of a network in which modules of a kind compute as another one does."""
    copied = copy.deepcopy(network)
    for module in list(copied.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, kind):
                one = copy.copy(other)
                one.__dict__ = {**one.__dict__, **child.__dict__}  # its weights and its settings
                setattr(module, name, one)
    return copied


def _compiled(network: GraphEncoder, graph: GraphBatch) -> list[Variant]:
    """torch.compile of the plain path, where there is a compiler."""
    step = _step(network, graph, plain_operations)
    compiled = torch.compile(network, dynamic=True)

    def work() -> None:
        with plain_operations():
            network.zero_grad()
            compiled(graph).sum().backward()

    try:
        work()
    except Exception as error:  # noqa: BLE001 - whatever the compiler says, it goes into the table
        reason = f"not kept: fails ({type(error).__name__})"
        return [Variant("and with torch.compile", step, _SIZE, reason)]
    return [Variant("and with torch.compile", work, _SIZE, "not kept: slower than the fused loops")]


def _bucketing(material: Material, settings: Settings) -> list[Figure]:
    """Measure inference in batches of like size, and in batches as they come."""
    store, rows = material.store, np.arange(len(material.store))
    network = GraphEncoder(tuple(ATOM_FEATURE_SIZES), tuple(BOND_FEATURE_SIZES)).eval()

    def encode(parts: list[Any]) -> Callable[[], None]:
        graphs = [collate_graphs(store, part) for part in parts]

        def work() -> None:
            with torch.no_grad():
                for graph in graphs:
                    network(graph)

        return work

    alike = list(batches_by_size(store, rows, 256))
    mixed = [rows[k : k + 256] for k in range(0, len(rows), 256)]
    variants = [
        Variant("like sizes", encode(alike), len(rows), "kept, against batches of giants; as fast"),
        Variant("mixed sizes", encode(mixed), len(rows)),
    ]
    return compare(
        "ideas: batches by size, inference",
        "mol/s",
        variants,
        repeats=settings.repeats,
        threads=settings.threads,
    )
