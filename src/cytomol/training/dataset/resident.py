"""Pretraining data that live on the device: batches are made there, and the host waits for nothing.

The host decides which molecules a batch holds and draws its random numbers, so batches are those of
``PretrainData.batch``. Everything else is index operations on the device. No shape depends on values there:
the host knows how many atoms and edges a batch has, and molecules without a target have weight 0.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cytomol.artifact.batches import FINGERPRINTS
from cytomol.nn.batch import Account, Batch, GraphBatch, Response
from cytomol.training.dataset.data import Draw, PretrainData
from cytomol.training.dataset.profile_inputs import ProfileInput, RowTable
from cytomol.training.dataset.resident_targets import resident_target, unpack

__all__ = ["ResidentData", "resident_bytes"]


class ResidentData:
    """Everything a batch is made of, as tensors on a device.

    Parameters
    ----------
    data
        The same on the host.
    device
        Where to put it.

    See Also
    --------
    resident_bytes : how much room it takes.
    """

    def __init__(self, data: PretrainData, device: torch.device | str) -> None:
        self.data = data
        self.device = torch.device(device)
        self._first = data.graph.offsets["molecule"]
        self._graph = _Walkable(data, self.device) if data.walk_length else None
        self._molecules = _Molecules(data, self.device) if "2d" in data.builder.views else None
        self._packed = {
            name: _put(data.store.blocks[name], self.device)
            for name in FINGERPRINTS
            if "1d" in data.builder.views
        }
        self._geometry: tuple[Tensor, Tensor] | None = None
        if "3d" in data.builder.views:
            values, mask = data.builder.geometry(data.store, np.arange(len(data.store)))
            self._geometry = _put(values, self.device), _put(mask, self.device)
        self._targets = {
            name: resident_target(target, data.graph.node_count, self.device)
            for name, target in data.targets.items()
        }
        self._profiles = {name: _Profile(profile, self.device) for name, profile in data.profiles.items()}

    def batch(self, draw: Draw) -> Batch:
        """Return the batch that :meth:`PretrainData.batch` makes of the same molecules and random numbers.

        Its target sums hold all molecules (``TargetSums.rows`` is None).
        """
        draw = draw.to(self.device, non_blocking=True)
        rows = draw.rows
        views: dict[str, Tensor] = {}
        masks: dict[str, Tensor] = {}
        if self._packed:
            widths = self.data.store.widths
            bits = [unpack(block.index_select(0, rows), widths[name]) for name, block in self._packed.items()]
            views["1d"] = torch.cat(bits, dim=1).float()
        if self._geometry is not None:
            values, known = self._geometry
            views["3d"], masks["3d"] = values.index_select(0, rows), known.index_select(0, rows)
        graph = None if self._molecules is None else self._molecules.collate(rows, draw.atoms, draw.edges)
        batch = Batch(size=len(rows), graph=graph, views=views, view_mask=masks, whole=draw.whole)

        starts = rows + self._first
        nodes, weights = starts[:, None], starts.new_ones((len(rows), 1), dtype=torch.float32)
        if self._graph is not None:
            nodes, weights = self._graph.walk(starts, draw.steps)
        sums = {
            name: target.sums(nodes, weights, validation=draw.validation)
            for name, target in self._targets.items()
        }
        return replace(self._with_profiles(batch, rows), targets=sums)

    def _with_profiles(self, batch: Batch, rows: Tensor) -> Batch:
        responses = {name: profile.gather(rows) for name, profile in self._profiles.items()}
        return replace(batch, responses=responses)


def _put(array: NDArray[np.generic], device: torch.device) -> Tensor:
    # torch warns of an array that cannot be written to, as of a mapped file
    return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(device)


class _Walkable:
    """The context graph, to be walked on."""

    def __init__(self, data: PretrainData, device: torch.device) -> None:
        graph = data.graph
        self.indptr = _put(np.asarray(graph.indptr, np.int64), device)
        # one edge more than there are, so that a node without any may look where its first would be
        self.indices = _put(np.append(graph.indices, np.int32(0)), device)
        self.weights = _put(np.append(graph.weights, np.float32(0)), device)

    def walk(self, starts: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Return nodes and path weights of walks, shape (B, L + 1); see ``context.walks.sample_walks``."""
        here, weight = starts, starts.new_ones(len(starts), dtype=torch.float32)
        nodes, weights = [here], [weight]
        for draw in steps:
            first = self.indptr.index_select(0, here)
            degree = self.indptr.index_select(0, here + 1) - first
            edge = first + (draw * degree).long()
            moves = degree > 0
            here = torch.where(moves, self.indices.index_select(0, edge).long(), here)
            weight = torch.where(moves, weight * self.weights.index_select(0, edge), 0.0)
            nodes.append(here)
            weights.append(weight)
        return torch.stack(nodes, dim=1), torch.stack(weights, dim=1)


class _Molecules:
    """Atoms and edges of all molecules."""

    def __init__(self, data: PretrainData, device: torch.device) -> None:
        store = data.store
        atom_offsets = np.asarray(store.atom_offsets, np.int64)
        edge_offsets = np.asarray(store.edge_offsets, np.int64)
        edges = np.asarray(store.edges)
        per_molecule = np.diff(edge_offsets)
        # molecules follow one another, so this sorts within each
        source = edges[0] + np.repeat(atom_offsets[:-1], per_molecule)
        by_source = np.argsort(source, kind="stable") - np.repeat(edge_offsets[:-1], per_molecule)

        self.atom_offsets, self.edge_offsets = _put(atom_offsets, device), _put(edge_offsets, device)
        self.atoms, self.bonds = _put(store.atoms, device), _put(store.edge_features, device)
        self.edges, self.by_source = _put(edges.T, device), _put(by_source.astype(np.int32), device)

    def collate(self, rows: Tensor, atoms: int, edges: int) -> GraphBatch:
        """Return the graphs of molecules ``rows`` as one, which has so many atoms and edges."""
        molecule, atom, first_atom = _ragged(self.atom_offsets, rows, atoms)
        owner, edge, first_edge = _ragged(self.edge_offsets, rows, edges)
        ends = self.edges.index_select(0, edge).long() + first_atom.index_select(0, owner)[:, None]
        by_source = self.by_source.index_select(0, edge) + first_edge.index_select(0, owner)
        return GraphBatch(
            atoms=self.atoms.index_select(0, atom).long(),
            edge_index=ends.t().contiguous(),
            edge_features=self.bonds.index_select(0, edge).long(),
            molecule=molecule,
            size=len(rows),
            by_source=by_source,
        )


def _ragged(offsets: Tensor, rows: Tensor, items: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the place in ``rows`` and in the flat array of each item, and the first item of each row."""
    starts = offsets.index_select(0, rows)
    lengths = offsets.index_select(0, rows + 1) - starts
    first = lengths.cumsum(0) - lengths
    places = torch.arange(len(rows), device=rows.device)
    owner = torch.repeat_interleave(places, lengths, output_size=items)
    index = torch.arange(items, device=rows.device) + (starts - first).index_select(0, owner)
    return owner, index, first


class _Table:
    """Some rows of a table that would be mostly empty, and a last row for all molecules without one."""

    def __init__(self, table: RowTable, otherwise: NDArray[np.float32], device: torch.device) -> None:
        count = len(table.values)
        self.present = _put(table.position >= 0, device)
        position = np.where(table.position >= 0, table.position, count)
        self.position = _put(position.astype(np.int32), device)
        self.values = _put(np.vstack([table.values, otherwise[None]]), device)

    def gather(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the row of each molecule, shape (B, width), and which exist, shape (B,)."""
        position = self.position.index_select(0, rows)
        return self.values.index_select(0, position), self.present.index_select(0, rows)


class _Profile:
    """One modality as input."""

    def __init__(self, profile: ProfileInput, device: torch.device) -> None:
        self.measured, self.augmented, self.held_out = (
            _Table(table, profile.placeholder, device)
            for table in (profile.measured, profile.augmented, profile.held_out)
        )
        self.weight = None if profile.weight is None else _put(profile.weight, device)

    def gather(self, rows: Tensor) -> Response:
        """Return what is known of molecules; see ``PretrainData.batch``."""
        measured, observed = self.measured.gather(rows)
        augmented, reached = self.augmented.gather(rows)
        augmented = torch.where((observed & ~reached)[:, None], measured, augmented)
        return Response(
            Account(measured, observed),
            Account(augmented, reached | observed),
            Account(*self.held_out.gather(rows)),
            weight=None if self.weight is None else self.weight.index_select(0, rows),
        )


def resident_bytes(data: PretrainData) -> int:
    """Return about how many bytes :class:`ResidentData` takes on its device."""
    store, views = data.store, data.builder.views
    arrays: list[NDArray[np.generic]] = []
    if data.walk_length:
        arrays += [data.graph.indptr, data.graph.indices, data.graph.weights]
    if "2d" in views:
        arrays += [store.atom_offsets, store.edge_offsets, store.atoms, store.edge_features, store.edges]
        arrays += [store.edges[0]]
    if "1d" in views:
        arrays += [store.blocks[name] for name in FINGERPRINTS]
    if "3d" in views:
        arrays += [store.blocks["geometry"]]
    for profile in data.profiles.values():
        for table in (profile.measured, profile.augmented, profile.held_out):
            arrays += [table.values, table.position]
        if profile.weight is not None:
            arrays += [profile.weight]
    targets = sum(target.nbytes + 8 * data.graph.node_count for target in data.targets.values())
    return targets + sum(int(array.nbytes) for array in arrays)
