"""The context graph on NetworkX, as published: candidates within scaffolds and clusters, targets on nodes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import networkx as nx
import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold
from sklearn.metrics.pairwise import cosine_similarity
from torch import Tensor

from cytomol.context import ContextGraph
from cytomol.context.criteria.readout import match_genes, strongest
from cytomol.context.profiles import cluster_profiles
from cytomol.corpus import Corpus
from cytomol.training.data import PretrainData
from cytomol.training.targets import BitTarget

__all__ = ["DenseContext", "build_graph", "dense_targets", "similar_in_scaffolds"]

MINIMUM, MAXIMUM, DROPPED = 0.8, 0.99, 0.995
Link = tuple[int, int, float]


def similar_in_scaffolds(smiles: list[str], radius: int = 4, bits: int = 1024) -> list[Link]:
    """Return pairs of molecules above the threshold, compared within Murcko scaffolds by RDKit."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    groups: dict[str, list[int]] = defaultdict(list)
    prints = {}
    for row, text in enumerate(smiles):
        mol = Chem.MolFromSmiles(text)
        if mol is None:
            continue
        prints[row] = generator.GetFingerprint(mol)
        groups[MurckoScaffold.MurckoScaffoldSmiles(mol=mol)].append(row)
    found: list[Link] = []
    compared = 0
    for rows in groups.values():
        for place, row in enumerate(rows[:-1]):
            others = rows[place + 1 :]
            compared += len(others)
            values = DataStructs.BulkTanimotoSimilarity(prints[row], [prints[other] for other in others])
            found += [(row, o, v) for o, v in zip(others, values, strict=True) if np.float32(v) >= MINIMUM]
    return _strongest(found, compared)


def similar_in_clusters(values: NDArray[np.float32]) -> list[Link]:
    """Return pairs of profiles above the threshold, compared within k-means clusters by scikit-learn."""
    filled = np.where(np.isfinite(values), values, np.nanmean(values, axis=0))
    centred = filled - filled.mean(axis=1, keepdims=True)
    labels = cluster_profiles(values)
    found: list[Link] = []
    compared = 0
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        similarity = np.minimum(cosine_similarity(centred[rows]), 1)
        upper = np.triu_indices(len(rows), 1)
        compared += len(upper[0])
        for i, j in zip(*upper, strict=True):
            if similarity[i, j] >= MINIMUM:
                found.append((int(rows[i]), int(rows[j]), float(similarity[i, j])))
    return _strongest(found, compared)


def _strongest(found: list[Link], compared: int) -> list[Link]:
    """Keep what lies above the threshold that bisection between minimum and maximum ends at."""
    grid = np.linspace(MINIMUM, MAXIMUM, 4097).astype(np.float32)
    values = np.sort(np.array([v for _, _, v in found], np.float32))
    allowed = int(np.floor((1 - DROPPED) * compared * (1 + 1e-12)))
    low, high = 0, len(grid) - 1
    while low < high:
        middle = (low + high) // 2
        above = len(values) - np.searchsorted(values, grid[middle], side="left")
        low, high = (low, middle) if above <= allowed else (middle + 1, high)
    return [link for link in found if np.float32(link[2]) >= grid[low]]


def build_graph(corpus: Corpus, targets: dict[str, NDArray[np.float32]]) -> nx.Graph:
    """Return the graph; a node is a space and a row, and carries a dense target for every modality.

    Parameters
    ----------
    corpus
        Molecules, genes, profiles, relations.
    targets
        Scaled features by target space: "morgan" row-aligned with the molecules, the modalities with their
        profiles. A node holds NaN for every space but its own.
    """
    graph = nx.Graph()
    widths = {name: values.shape[1] for name, values in targets.items()}
    missing = {name: np.full(width, np.nan, np.float32) for name, width in widths.items()}

    def add(space: str, count: int, own: str | None) -> None:
        for row in range(count):
            held = {name: nothing.copy() for name, nothing in missing.items()}
            if own is not None:
                held[own] = targets[own][row]
            graph.add_node((space, row), **held)

    def link(left: str, right: str, links: list[Link]) -> None:
        for i, j, weight in links:
            a, b = (left, i), (right, j)
            if weight > 0 and a != b and weight > graph.get_edge_data(a, b, {"weight": 0})["weight"]:
                graph.add_edge(a, b, weight=weight)

    add("molecule", len(corpus.molecules), "morgan")
    add("gene", len(corpus.genes), None)
    for name, modality in corpus.modalities.items():
        add(name, len(modality), name)
        link(name, modality.entity, [(k, int(row), 1.0) for k, row in enumerate(modality.rows)])
        similar = similar_in_clusters(modality.values)
        link(name, name, similar)
        if modality.entity == "gene":
            link("gene", "gene", [(int(modality.rows[i]), int(modality.rows[j]), v) for i, j, v in similar])
        if modality.kind == "expression" and modality.entity == "molecule":
            link("molecule", "gene", _readouts(corpus, name))
    for relation in corpus.relations.values():
        ends = zip(relation.source, relation.target, np.abs(relation.weight), strict=True)
        rows = [(int(i), int(j), float(w)) for i, j, w in ends]
        link(relation.source_entity, relation.target_entity, rows)
    link("molecule", "molecule", similar_in_scaffolds(corpus.smiles))
    return graph


def _readouts(corpus: Corpus, name: str) -> list[Link]:
    modality = corpus.modalities[name]
    genes = match_genes(modality.columns, corpus.genes)
    rows, columns = strongest(modality.values, 0.01)
    known = genes[columns] >= 0
    rows, columns = rows[known], columns[known]
    size = np.abs(modality.values[rows, columns])
    weight = np.minimum(size / (np.quantile(size, 0.99) if len(size) else 1), 1)
    return [
        (int(modality.rows[row]), int(genes[column]), float(w))
        for row, column, w in zip(rows, columns, weight, strict=True)
    ]


@dataclass(frozen=True)
class DenseContext:
    """The graph as tensors, with one dense target table over all nodes for every space."""

    first: Tensor
    neighbours: Tensor
    weights: Tensor
    targets: dict[str, Tensor]

    @classmethod
    def from_graph(cls, graph: nx.Graph) -> DenseContext:
        """Stack nodes and edges in their order."""
        place = {node: k for k, node in enumerate(graph.nodes)}
        first, neighbours, weights = [0], [], []
        for node in graph.nodes:
            for other, facts in graph.adj[node].items():
                neighbours.append(place[other])
                weights.append(facts["weight"])
            first.append(len(neighbours))
        names = list(next(iter(graph.nodes(data=True)))[1])
        targets = {
            name: torch.from_numpy(np.stack([held[name] for _, held in graph.nodes(data=True)]))
            for name in names
        }
        return cls(torch.tensor(first), torch.tensor(neighbours), torch.tensor(weights), targets)

    def walk(self, starts: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Return the nodes of uniform walks and their path weights, shape (n, length + 1)."""
        nodes, weights = [starts], [torch.ones(len(starts))]
        for _ in range(length):
            here = nodes[-1]
            begin, end = self.first[here], self.first[here + 1]
            moves = end > begin
            edge = begin + (torch.rand(len(here)) * (end - begin)).long()
            edge = torch.where(moves, edge, 0)
            nodes.append(torch.where(moves, self.neighbours[edge], here))
            weights.append(torch.where(moves, weights[-1] * self.weights[edge], 0.0))
        return torch.stack(nodes, dim=1), torch.stack(weights, dim=1)

    @classmethod
    def from_rows(cls, graph: ContextGraph, targets: dict[str, Tensor]) -> DenseContext:
        """Take the edges of a graph in compressed rows, and dense targets that were made elsewhere."""
        return cls(
            torch.from_numpy(graph.indptr),
            torch.from_numpy(graph.indices.astype(np.int64)),
            torch.from_numpy(graph.weights),
            targets,
        )


def dense_targets(data: PretrainData) -> dict[str, Tensor]:
    """Return every target space of a pretraining as a dense table over all nodes, NaN where unknown."""
    tables = {}
    for name, target in data.targets.items():
        table = torch.full((data.graph.node_count, target.width), torch.nan)
        if isinstance(target, BitTarget):
            bits = np.unpackbits(target.packed, axis=1, count=target.width, bitorder="little")
            values = bits.astype(np.float32)
        else:
            values = target.values.copy()
        values[~target.train] = np.nan
        table[target.first : target.first + len(values)] = torch.from_numpy(values)
        tables[name] = table
    return tables
