"""The context graph on NetworkX, as published: profiles pooled, candidates within scaffolds and clusters.

It departs from the published code where docs/method.md says so: an edge keeps its largest weight, unmeasured
values are column means, and profiles are compared part by part.
"""

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
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity
from torch import Tensor

from cytomol.context import ContextGraph
from cytomol.context.criteria.readout import match_genes
from cytomol.corpus import Corpus
from cytomol.corpus.schema import Modality
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.targets import BitTarget

__all__ = ["DenseContext", "Pooled", "build_graph", "dense_targets", "pool", "similar_in_scaffolds"]

MINIMUM, MAXIMUM, DROPPED = 0.8, 0.99, 0.995
Link = tuple[int, int, float]


@dataclass(frozen=True)
class Pooled:
    """Profiles of one kind side by side, as published: all of genes, all morphology, all expression.

    Attributes
    ----------
    name, entity, kind
        Names of the parts joined by +; whose profiles, and what was measured.
    owners
        Molecules or genes with any of the parts, rising.
    parts
        Table of each part, a row for each owner, NaN where it was not measured.
    columns
        Feature names of each part.
    """

    name: str
    entity: str
    kind: str
    owners: list[int]
    parts: list[NDArray[np.float32]]
    columns: list[tuple[str, ...]]

    @property
    def values(self) -> NDArray[np.float32]:
        """All parts side by side."""
        return np.concatenate(self.parts, axis=1)


def pool(corpus: Corpus) -> list[Pooled]:
    """Merge the tables of each kind on their molecule or gene, repeats averaged, one row at a time."""
    kinds: dict[str, list[Modality]] = defaultdict(list)
    for modality in corpus.modalities.values():
        kinds["gene" if modality.entity == "gene" else modality.kind].append(modality)
    pooled = []
    for group in kinds.values():
        owned: list[dict[int, list[NDArray[np.float32]]]] = []
        for modality in group:
            rows: dict[int, list[NDArray[np.float32]]] = defaultdict(list)
            for owner, values in zip(modality.rows.tolist(), modality.values, strict=True):
                rows[owner].append(values)
            owned.append(rows)
        single = len(group) == 1 and group[0].entity == "molecule"
        owners = group[0].rows.tolist() if single else sorted(set().union(*owned))
        parts = []
        for modality, rows in zip(group, owned, strict=True):
            table = np.full((len(owners), modality.width), np.nan, np.float32)
            for place, owner in enumerate(owners):
                if owner in rows:
                    table[place] = np.nanmean(rows[owner], axis=0) if len(rows[owner]) > 1 else rows[owner][0]
            parts.append(modality.values if single else table)
        name = "+".join(modality.name for modality in group)
        columns = [modality.columns for modality in group]
        pooled.append(Pooled(name, group[0].entity, group[0].kind, owners, parts, columns))
    return pooled


def similar_in_scaffolds(smiles: list[str], radius: int = 2, bits: int = 1024) -> list[Link]:
    """Return pairs of molecules above the threshold, compared within chiral Murcko scaffolds by RDKit."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    groups: dict[str, list[int]] = defaultdict(list)
    prints = {}
    for row, text in enumerate(smiles):
        mol = Chem.MolFromSmiles(text)
        if mol is None:
            continue
        prints[row] = generator.GetFingerprint(mol)
        groups[Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))].append(row)
    found: list[Link] = []
    compared = 0
    for rows in groups.values():
        for place, row in enumerate(rows[:-1]):
            others = rows[place + 1 :]
            compared += len(others)
            values = DataStructs.BulkTanimotoSimilarity(prints[row], [prints[other] for other in others])
            found += [(row, o, v) for o, v in zip(others, values, strict=True) if np.float32(v) >= MINIMUM]
    return _strongest(found, compared)


def similar_profiles(values: NDArray[np.float32], *, clustered: bool) -> list[Link]:
    """Return pairs of profiles above the threshold, all or within k-means clusters, by scikit-learn."""
    measured = np.flatnonzero(np.isfinite(values).any(axis=1))
    values = values[measured]
    if not len(values):
        return []
    filled = np.where(np.isfinite(values), values, np.nanmean(values, axis=0))
    centred = filled - filled.mean(axis=1, keepdims=True)
    labels = np.zeros(len(values), int)
    if clustered:
        plane = PCA(n_components=min(2, *filled.shape), random_state=0).fit_transform(filled)
        clusters = min(100, len(np.unique(plane, axis=0)))
        labels = KMeans(n_clusters=clusters, n_init=1, random_state=0).fit_predict(plane)
    found: list[Link] = []
    compared = 0
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        similarity = np.minimum(cosine_similarity(centred[rows]), 1)
        upper = np.triu_indices(len(rows), 1)
        compared += len(upper[0])
        for i, j in zip(*upper, strict=True):
            if similarity[i, j] >= MINIMUM:
                found.append((int(measured[rows[i]]), int(measured[rows[j]]), float(similarity[i, j])))
    return _strongest(found, compared)


def _strongest(found: list[Link], compared: int) -> list[Link]:
    """Keep what lies above the threshold that bisection ends at, the weight rounded to two digits."""
    grid = np.linspace(MINIMUM, MAXIMUM, 4097).astype(np.float32)
    values = np.sort(np.array([v for _, _, v in found], np.float32))
    allowed = int(np.floor((1 - DROPPED) * compared * (1 + 1e-12)))
    low, high = 0, len(grid) - 1
    while low < high:
        middle = (low + high) // 2
        above = len(values) - np.searchsorted(values, grid[middle], side="left")
        low, high = (low, middle) if above <= allowed else (middle + 1, high)
    return [(i, j, round(v, 2)) for i, j, v in found if np.float32(v) >= grid[low]]


def build_graph(corpus: Corpus, structures: NDArray[np.float32]) -> nx.Graph:
    """Return the graph as published; a node is a space and a row, and carries a dense target for every space.

    Genes with a profile alone are nodes, and carry it themselves.

    Parameters
    ----------
    corpus
        Molecules, genes, profiles, relations.
    structures
        Targets of the molecules, shape (molecules, bits).
    """
    graph = nx.Graph()
    tables = pool(corpus)
    widths = {"morgan": structures.shape[1]} | {table.name: table.values.shape[1] for table in tables}
    missing = {name: np.full(width, np.nan, np.float32) for name, width in widths.items()}

    def add(space: str, number: int, own: str, values: NDArray[np.float32]) -> None:
        held = {name: nothing.copy() for name, nothing in missing.items()}
        held[own] = values
        graph.add_node((space, number), **held)

    def link(left: str, right: str, links: list[Link]) -> None:
        for i, j, weight in links:
            a, b = (left, i), (right, j)
            if a not in graph or b not in graph or a == b or weight <= 0:
                continue
            if weight > graph.get_edge_data(a, b, {"weight": 0})["weight"]:
                graph.add_edge(a, b, weight=weight)

    for row, bits in enumerate(structures):
        add("molecule", row, "morgan", bits)
    for table in tables:
        values, gene = table.values, table.entity == "gene"
        for place, owner in enumerate(table.owners):
            add("gene" if gene else table.name, owner if gene else place, table.name, values[place])
    for table in tables:
        space = "gene" if table.entity == "gene" else table.name
        clustered = table.entity == "gene" or table.kind != "expression"
        if table.entity == "molecule":
            link(space, "molecule", [(k, owner, 1.0) for k, owner in enumerate(table.owners)])
        for part in table.parts:
            pairs = similar_profiles(part, clustered=clustered)
            if table.entity == "gene":
                pairs = [(table.owners[i], table.owners[j], v) for i, j, v in pairs]
            link(space, space, pairs)
        if table.kind == "expression" and table.entity == "molecule":
            link("molecule", "gene", _readouts(corpus, table))
    for relation in corpus.relations.values():
        ends = zip(relation.source, relation.target, np.abs(relation.weight), strict=True)
        rows = [(int(i), int(j), float(w)) for i, j, w in ends]
        link(relation.source_entity, relation.target_entity, rows)
    link("molecule", "molecule", similar_in_scaffolds(corpus.smiles))
    return graph


def _readouts(corpus: Corpus, table: Pooled) -> list[Link]:
    """Link molecules with genes by the top 1% of |value|, which is the weight."""
    genes = match_genes([name for columns in table.columns for name in columns], corpus.genes)
    size = np.abs(np.nan_to_num(table.values))
    wanted = max(round(0.01 * int(np.isfinite(table.values).sum())), 1)
    top = np.argsort(size, axis=None, kind="stable")[-wanted:]
    rows, columns = np.unravel_index(top, size.shape)
    return [
        (table.owners[row], int(genes[column]), float(size[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if genes[column] >= 0
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
        nodes = np.arange(len(values))
        if not isinstance(target, BitTarget) and target.row_of is not None:
            nodes = np.flatnonzero(target.row_of >= 0)
            values = values[target.row_of[nodes]]
        table[target.first + nodes] = torch.from_numpy(values)
        tables[name] = table
    return tables
