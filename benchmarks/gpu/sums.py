"""Sums over groups of rows, alone: which of torch's ways is the fastest on this device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from benchmarks.gpu.machine import copy_rate, timed
from benchmarks.gpu.material import Material
from benchmarks.gpu.plan import Clock
from benchmarks.gpu.rows import Row, Table, number
from torch import Tensor
from torch.nn import functional

from cytomol.artifact.batches import collate_graphs

__all__ = ["WAYS", "sum_rows"]


def _bag(values: Tensor, index: Tensor, groups: int, offsets: Tensor) -> Tensor:
    del index, groups
    rows = torch.arange(len(values), device=values.device)
    return functional.embedding_bag(rows, values, offsets[:-1], mode="sum")


def _index_add(values: Tensor, index: Tensor, groups: int, offsets: Tensor) -> Tensor:
    del offsets
    return values.new_zeros(groups, values.shape[1]).index_add_(0, index, values)


def _segment_reduce(values: Tensor, index: Tensor, groups: int, offsets: Tensor) -> Tensor:
    del index, groups
    return torch.segment_reduce(values, "sum", offsets=offsets, axis=0, unsafe=True, initial=0)


def _scatter_add(values: Tensor, index: Tensor, groups: int, offsets: Tensor) -> Tensor:
    del offsets
    where = index[:, None].expand_as(values)
    return values.new_zeros(groups, values.shape[1]).scatter_add_(0, where, values)


WAYS: dict[str, Callable[[Tensor, Tensor, int, Tensor], Tensor]] = {
    "embedding_bag": _bag,
    "index_add": _index_add,
    "segment_reduce": _segment_reduce,
    "scatter_add": _scatter_add,
}
"""Ways to add sorted rows: (rows, d), group of each row, groups, first row of each group and the end."""


def sum_rows(material: Material, table: Table, clock: Clock) -> None:
    """Write the rows that are missing: edges into atoms, atoms into molecules."""
    settings = material.settings
    sizes, device = settings.sizes, settings.device
    width, batch = material.config("infoalign").width, sizes.batches[0]
    graph = collate_graphs(material.data("infoalign").store, material.rows("infoalign", batch)).to(device)
    for what, index, groups in (
        ("edges into atoms", graph.edge_index[1].contiguous(), len(graph.atoms)),
        ("atoms into molecules", graph.molecule, graph.size),
    ):
        offsets = torch.searchsorted(index, torch.arange(groups + 1, device=device))
        for precision in ("float32", "bf16"):
            kind = torch.float32 if precision == "float32" else torch.bfloat16
            values = torch.randn(len(index), width, device=device).to(kind)
            moved = (len(index) + groups) * width * values.element_size()
            wanted = _index_add(values.double(), index, groups, offsets)
            for name, way in WAYS.items():
                row = Row("sums", f"{what}, {name}", "", str(batch), precision)
                if clock.over or table.has(row):
                    continue
                try:
                    error = float(
                        (way(values, index, groups, offsets).double() - wanted).norm() / wanted.norm()
                    )
                    seconds = timed(
                        lambda w=way, v=values, i=index, g=groups, o=offsets: w(v, i, g, o),
                        device,
                        seconds=min(0.2, sizes.seconds),
                        repeats=sizes.repeats,
                    )
                except RuntimeError as reason:
                    lines = str(reason).strip().splitlines() or [""]
                    table.add(replace(row, note=f"error: {lines[0][:300]}"))
                    continue
                share = moved / copy_rate(device, sizes.copied) / seconds
                note = f"{len(index):,} rows of {width} into {groups:,}; relative error {error:.1e}"
                table.add(
                    replace(
                        row,
                        value=number(1e6 * seconds),
                        unit="us",
                        share_of_copy=number(share, 3),
                        note=note,
                    )
                )
