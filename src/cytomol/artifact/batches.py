"""Molecular views of a batch, gathered from the flat arrays of a molecule store.

Used alike in training and in inference; no loop runs over molecules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.chem.store import MoleculeStore, ragged_rows
from cytomol.errors import ModelDirectoryError
from cytomol.nn.batch import Batch, GraphBatch
from cytomol.spread import columns_middle_and_spread

__all__ = ["BatchBuilder", "batches_by_size", "collate_graphs"]

# Fingerprints that make up the 1D view, in this order (CHMR: Morgan 1024 + MACCS 167 = 1191).
FINGERPRINTS = ("morgan", "maccs")
# Standardised geometry beyond this many spreads is an embedding gone wrong, not information.
GEOMETRY_LIMIT = 8.0


@dataclass(frozen=True)
class BatchBuilder:
    """Builds the molecular views of a batch.

    Attributes
    ----------
    views
        Which views: "1d", "2d", "3d".
    center, spread
        Robust location and spread of each geometry column over the training molecules, float32, shape
        (geometry width,); empty without the 3D view.

    See Also
    --------
    cytomol.nn.batch.Batch : what it builds.
    """

    views: tuple[str, ...]
    center: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    spread: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    @classmethod
    def fit(cls, views: tuple[str, ...], store: MoleculeStore, rows: NDArray[np.int64]) -> Self:
        """Learn the statistics of the geometry from the training molecules ``rows``."""
        if "3d" not in views:
            return cls(views)
        return cls(views, *_location_and_spread(np.asarray(store.blocks["geometry"])[rows]))

    def widths(self, blocks: Mapping[str, int]) -> dict[str, int]:
        """Return the width of each view other than the graph, from those of the blocks of features."""
        widths = {}
        if "1d" in self.views:
            widths["1d"] = sum(blocks[name] for name in FINGERPRINTS)
        if "3d" in self.views:
            widths["3d"] = len(self.center)
        return widths

    def build(self, store: MoleculeStore, rows: NDArray[np.int64]) -> Batch:
        """Return the views of molecules ``rows`` of the store, in this order.

        An invalid molecule has no atoms and zero fingerprints; a molecule without geometry has zeros
        and a false mask.
        """
        rows = np.asarray(rows, np.int64)
        views: dict[str, torch.Tensor] = {}
        masks: dict[str, torch.Tensor] = {}
        if "1d" in self.views:
            views["1d"] = torch.from_numpy(_fingerprints(store, rows))
        if "3d" in self.views:
            values, mask = self.geometry(store, rows)
            views["3d"], masks["3d"] = torch.from_numpy(values), torch.from_numpy(mask)
        graph = collate_graphs(store, rows) if "2d" in self.views else None
        return Batch(size=len(rows), graph=graph, views=views, view_mask=masks)

    def statistics(self) -> dict[str, NDArray[Any]]:
        """Return what was learnt, as arrays to be saved."""
        return {"geometry.center": self.center, "geometry.spread": self.spread}

    @classmethod
    def from_statistics(cls, views: tuple[str, ...], statistics: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild a builder from :meth:`statistics`."""
        missing = sorted({"geometry.center", "geometry.spread"} - set(statistics))
        if missing:
            raise ModelDirectoryError(f"feature statistics lack {', '.join(missing)}")
        saved = Checked({}, statistics, "feature statistics")
        center = saved.array("geometry.center", np.float32, "width", finite=True)
        return cls(views, center, saved.array("geometry.spread", np.float32, "width", missing=False))

    def geometry(
        self, store: MoleculeStore, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the standardised geometry of molecules, shape (B, width), and who has one, shape (B,)."""
        raw = np.asarray(store.blocks["geometry"][rows], np.float32)
        mask = np.asarray(~np.isnan(raw).all(axis=1))
        values = ((raw - self.center) / self.spread).astype(np.float32)
        np.clip(values, -GEOMETRY_LIMIT, GEOMETRY_LIMIT, out=values)
        values[np.isnan(values)] = 0
        return values, mask


def collate_graphs(store: MoleculeStore, rows: NDArray[np.int64]) -> GraphBatch:
    """Return the graphs of molecules ``rows`` as one graph of disconnected parts.

    Edges stay sorted by target atom, because they are so within each molecule and molecules follow
    one another.
    """
    atoms, atom_offsets = ragged_rows(store.atom_offsets, rows)
    edges, edge_offsets = ragged_rows(store.edge_offsets, rows)
    edge_index = store.edges[:, edges].astype(np.int64, order="C")
    edge_index += np.repeat(atom_offsets[:-1], np.diff(edge_offsets))
    return GraphBatch(
        atoms=torch.from_numpy(store.atoms[atoms].astype(np.int64)),
        edge_index=torch.from_numpy(edge_index),
        edge_features=torch.from_numpy(store.edge_features[edges].astype(np.int64)),
        molecule=torch.from_numpy(np.repeat(np.arange(len(rows)), np.diff(atom_offsets))),
        size=len(rows),
    )


def batches_by_size(store: MoleculeStore, rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Yield ``rows`` in batches of molecules of like size, so that no batch is mostly one giant.

    Parameters
    ----------
    store
        Molecules.
    rows
        Which of them, int64, shape (n,).
    size
        Molecules in a batch; a batch of giants holds fewer, at least one.
    """
    counts = (store.atom_offsets[rows + 1] - store.atom_offsets[rows]).astype(np.int64)
    order = np.argsort(counts, kind="stable")
    start = 0
    budget = 64 * size  # atoms; an average batch has half of that
    while start < len(order):
        atoms = np.cumsum(counts[order[start : start + size]])
        taken = max(1, int(np.searchsorted(atoms, budget, side="right")))
        yield rows[order[start : start + taken]]
        start += taken


def _fingerprints(store: MoleculeStore, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the bits of the 1D view as 0 and 1, float32, shape (rows, bits)."""
    widths = [store.widths[name] for name in FINGERPRINTS]
    view = np.empty((len(rows), sum(widths)), np.float32)
    start = 0
    for name, width in zip(FINGERPRINTS, widths, strict=True):
        packed = np.asarray(store.blocks[name][rows])
        view[:, start : start + width] = np.unpackbits(packed, axis=1, count=width, bitorder="little")
        start += width
    return view


def _location_and_spread(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return middle and robust spread of each column, NaN left out; 1 where there is no spread."""
    center, spread = columns_middle_and_spread(values)
    flat = spread <= 1e-12 * np.maximum(1.0, np.abs(center))
    return center.astype(np.float32), np.where(flat, 1.0, spread).astype(np.float32)
