"""What each idea of the fast path brings: the step of a graph encoder with the idea and without it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import torch
from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare
from benchmarks.speed.settings import Settings
from torch import Tensor
from torch.nn import functional

from cytomol.artifact.batches import batches_by_size, collate_graphs
from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
from cytomol.nn import dropout, encoder, gin, linear
from cytomol.nn.batch import GraphBatch
from cytomol.nn.categorical import CategoricalTable
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.segments import Edges

_SIZE = 256  # the size at which the goals are missed


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure training steps, every variant after the first two without an idea or with one not kept."""
    store = material.store
    rows = np.arange(_SIZE)
    graph = collate_graphs(store, rows)
    torch.manual_seed(0)
    network = GraphEncoder(tuple(ATOM_FEATURE_SIZES), tuple(BOND_FEATURE_SIZES)).train()
    plain = mock.patch.object(encoder, "fits", return_value=False)
    choice = not linear.onednn_is_faster()
    other = mock.patch.object(linear, "onednn_is_faster", return_value=choice)
    variants = [
        Variant("cytomol", _step(network, graph), _SIZE, "all that was kept"),
        Variant("with bfloat16 products", _step(network, graph, half=True), _SIZE, "kept, by --precision"),
        Variant("without fused loops", _step(network, graph, plain), _SIZE, "kept: torch's own operations"),
        Variant(
            "and without sorted edges",
            _step(network, graph, plain, mock.patch.object(gin, "message_sum", _scattered)),
            _SIZE,
            "kept on GPUs: gathers and index_add instead",
        ),
        Variant(
            "and without kinds of atoms",
            _step(network, graph, plain, mock.patch.object(CategoricalTable, "forward", _columns)),
            _SIZE,
            "kept: one look-up for each column of each atom instead",
        ),
        Variant(
            "and with torch's dropout",
            _step(network, graph, plain, mock.patch.object(dropout.Dropout, "forward", _torch_dropout)),
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
    variants += _compiled(network, graph, plain)
    return compare(
        f"ideas: encoder training step, batch {_SIZE}",
        "mol/s",
        variants,
        repeats=settings.repeats,
        threads=settings.threads,
        warm=2,
    ) + _bucketing(material, settings)


def _step(network: GraphEncoder, graph: GraphBatch, *patches: Any, half: bool = False) -> Callable[[], None]:
    def work() -> None:
        with contextlib.ExitStack() as stack:
            for patch in patches:
                stack.enter_context(patch)
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                result = network(graph)
            network.zero_grad()
            result.float().sum().backward()

    return work


def _scattered(nodes: Tensor, table: Tensor, edges: Edges) -> Tensor:
    messages = functional.relu(nodes[edges.sources.index] + table[edges.bonds.index])
    return torch.zeros_like(nodes).index_add(0, edges.targets.index, messages)


def _columns(table: CategoricalTable, features: Tensor) -> Tensor:
    return table._embed(features)


def _torch_dropout(module: dropout.Dropout, rows: Tensor) -> Tensor:
    return functional.dropout(rows, module.p, module.training)


def _compiled(network: GraphEncoder, graph: GraphBatch, plain: Any) -> list[Variant]:
    """torch.compile of the plain path, where there is a compiler."""
    step = _step(network, graph, plain)
    compiled = torch.compile(network, dynamic=True)

    def work() -> None:
        with plain:
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
