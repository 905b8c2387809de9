"""Batches made in a second, graphs alone and with everything that a method reads."""

from __future__ import annotations

import numpy as np
from benchmarks.speed.limits import copy_of
from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare
from benchmarks.speed.reference.features import molecule_graph
from benchmarks.speed.settings import Settings
from rdkit import rdBase
from torch_geometric.data import Batch as DataBatch

from cytomol.artifact.batches import collate_graphs


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure batches of 1,024 and 256 molecules in random order."""
    store = material.store
    block = rdBase.BlockLogs()
    data = [molecule_graph(text) for text in material.smiles]
    del block
    order = np.random.default_rng(0).permutation(len(data))
    figures = []
    for size in (1024, 256):
        parts = [order[k : k + size] for k in range(0, len(order) - size + 1, size)]
        graphs = [collate_graphs(store, rows) for rows in parts]
        nbytes = sum(
            t.numel() * t.element_size()
            for g in graphs
            for t in (g.atoms, g.edge_index, g.edge_features, g.molecule)
        )
        amount = size * len(parts)
        variants = [
            Variant("cytomol", lambda p=parts: [collate_graphs(store, rows) for rows in p], amount),
            Variant(
                "reference",
                lambda p=parts: [DataBatch.from_data_list([data[row] for row in rows]) for rows in p],
                amount,
            ),
            Variant("limit", copy_of(nbytes), amount, "one copy of the batches' bytes"),
        ]
        figures += compare(
            f"batching graphs, batch {size}", "mol/s", variants, repeats=settings.repeats, threads=1
        )
    return figures
