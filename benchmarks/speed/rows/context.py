"""The context graph of the whole corpus, with similarities, neighbours and filled profiles."""

from __future__ import annotations

import json

from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, show
from benchmarks.speed.process import Ran, python
from benchmarks.speed.settings import Settings

_OURS = """
import json, time
from benchmarks.speed.material import Material
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.context import build_context
corpus = Material.load(8).corpus
store = featurize(corpus.smiles, FeatureOptions(graph=False, maccs=False))
build_context(corpus, store)  # loads what is compiled
began = time.perf_counter()
graph = build_context(corpus, store)
print(json.dumps({"seconds": time.perf_counter() - began, "edges": graph.edge_count}))
"""
_REFERENCE = """
import json, time
import numpy as np
from benchmarks.speed.material import Material
from benchmarks.speed.reference.context import DenseContext, build_graph
from cytomol.chem.featurize import FeatureOptions, featurize
from rdkit import rdBase
rdBase.DisableLog("rdApp.*")
corpus = Material.load(8).corpus
store = featurize(corpus.smiles, FeatureOptions(graph=False, maccs=False))
began = time.perf_counter()
context = DenseContext.from_graph(build_graph(corpus, store.dense("morgan")))
print(json.dumps({"seconds": time.perf_counter() - began, "edges": len(context.neighbours) // 2}))
"""


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure time inside and peak memory of whole processes; the fingerprints come from the cache."""
    material.fingerprints  # noqa: B018 - fills the cache
    figures = []
    for name, code, repeats in (("cytomol", _OURS, settings.slow_repeats), ("reference", _REFERENCE, 1)):
        ran = [python(["-c", code], threads=settings.threads) for _ in range(repeats)]
        figures += _figures(name, ran, settings)
    show(figures)
    return figures


def _figures(name: str, ran: list[Ran], settings: Settings) -> list[Figure]:
    facts = [json.loads(r.output.strip().splitlines()[-1]) for r in ran]
    seconds = sorted(f["seconds"] for f in facts)
    peaks = sorted(r.peak / 1e9 for r in ran)
    note = f"{facts[0]['edges']:,} edges; " + (
        "all pairs, exact" if name == "cytomol" else "within scaffolds and clusters"
    )
    row, middle, n = "context graph, whole corpus", len(ran) // 2, len(ran)
    return [
        Figure(row, name, settings.threads, "s", seconds[middle], seconds[0], seconds[-1], n, note),
        Figure(
            f"{row}: peak memory", name, settings.threads, "GB", peaks[middle], peaks[0], peaks[-1], n, note
        ),
    ]
