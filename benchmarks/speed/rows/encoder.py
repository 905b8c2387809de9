"""The frozen encoder: molecules encoded in a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from benchmarks.speed.limits import Products
from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare
from benchmarks.speed.reference.encoder import ReferenceEncoder
from benchmarks.speed.reference.features import molecule_graph
from benchmarks.speed.settings import Settings
from rdkit import Chem, rdBase
from torch_geometric.data import Batch as DataBatch

from cytomol.artifact.batches import collate_graphs
from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES
from cytomol.nn.encoder import GraphEncoder


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure two sizes of batch."""
    import numpy as np

    encoder = GraphEncoder(tuple(ATOM_FEATURE_SIZES), tuple(BOND_FEATURE_SIZES)).eval()
    reference = ReferenceEncoder(encoder).eval()
    block = rdBase.BlockLogs()
    data = [molecule_graph(text) for text in material.smiles[:1024]]
    del block
    figures = []
    for size in (1024, 256):
        graph = collate_graphs(material.store, np.arange(size))
        batch = DataBatch.from_data_list(data[:size])
        products = Products(_frozen(reference, batch))
        note = f"its matrix products alone, {products.flops / size / 1e6:.0f} MFLOP a molecule"
        variants = [
            Variant("cytomol", _frozen(encoder, graph), size),
            Variant("cytomol, bf16", _frozen(encoder, graph, torch.bfloat16), size),
            Variant("reference", _frozen(reference, batch), size),
            Variant("limit", products, size, note),
            *_chemprop(material.smiles[:size]),
        ]
        figures += compare(
            f"frozen encoder, batch {size}",
            "mol/s",
            variants,
            repeats=settings.repeats,
            threads=settings.threads,
        )
    return figures


def _frozen(encoder: Any, graph: Any, arithmetic: torch.dtype | None = None) -> Callable[[], None]:
    def work() -> None:
        with torch.no_grad(), torch.autocast("cpu", arithmetic, enabled=arithmetic is not None):
            encoder(graph)

    return work


def _chemprop(smiles: list[str]) -> list[Variant]:
    """Chemprop's default message passing, where the package is installed."""
    try:
        from chemprop.data import BatchMolGraph
        from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
        from chemprop.nn import BondMessagePassing, SumAggregation
    except ImportError:
        return []
    featurizer, passing, pool = (
        SimpleMoleculeMolGraphFeaturizer(),
        BondMessagePassing().eval(),
        SumAggregation(),
    )
    graph = BatchMolGraph([featurizer(Chem.MolFromSmiles(text)) for text in smiles])

    def work() -> None:
        with torch.no_grad():
            pool(passing(graph), graph.batch)

    return [Variant("chemprop", work, len(smiles), "3 rounds on bonds, width 300: a smaller network")]
