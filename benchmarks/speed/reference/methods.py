"""One step of each method as published: data objects, dense targets of every visited node, plain losses.

The parts that the published code and ours have in common (bottleneck, projectors, decoders, code book) are
those of the given method; what the fast path replaces is slow here: encoder, batches, targets, losses.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from benchmarks.speed.reference.context import DenseContext
from benchmarks.speed.reference.encoder import ReferenceEncoder
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import Batch as DataBatch
from torch_geometric.data import Data

from cytomol.methods.chmr import CHMR
from cytomol.methods.infoalign import InfoAlign
from cytomol.methods.output import MethodOutput
from cytomol.nn.batch import Batch
from cytomol.objectives.minimality import minimality

__all__ = ["DenseVisits", "ReferenceCHMR", "ReferenceInfoAlign", "reference_batch"]


@dataclass(frozen=True)
class DenseVisits:
    """Targets of every node on every walk, shape (B, L + 1, width), NaN where unknown; path weights."""

    values: Tensor
    weights: Tensor

    @property
    def known(self) -> Tensor:
        """Where a visited node has a target, shape (B, L + 1, width)."""
        return ~torch.isnan(self.values) & (self.weights > 0)[:, :, None]


def reference_batch(
    molecules: list[Data], context: DenseContext, rows: NDArray[np.int64], walk: tuple[Tensor, Tensor]
) -> tuple[DataBatch, dict[str, DenseVisits]]:
    """Collate molecules and look up the targets along their walks."""
    nodes, weights = walk
    targets = {name: DenseVisits(table[nodes], weights) for name, table in context.targets.items()}
    return DataBatch.from_data_list([molecules[row] for row in rows]), targets


def dense_loss(predicted: Tensor, visits: DenseVisits, *, binary: bool) -> Tensor:
    """Weighted loss of a decoded row with every node of its walk, averaged over known entries."""
    shape = visits.values.shape
    known = visits.known
    weight = visits.weights[:, :, None].expand(shape)[known]
    given, target = predicted[:, None].expand(shape)[known], visits.values[known]
    if binary:
        return functional.binary_cross_entropy_with_logits(given, target, weight)
    return (weight * (given - target) ** 2).mean()


class ReferenceInfoAlign(nn.Module):
    """InfoAlign with the published encoder and losses."""

    def __init__(self, method: InfoAlign) -> None:
        super().__init__()
        method = copy.deepcopy(method)
        self.encoder = ReferenceEncoder(method.encoder)
        self.bottleneck, self.decoders, self.beta = method.bottleneck, method.decoders, method.beta

    def forward(self, data: DataBatch, targets: dict[str, DenseVisits]) -> Tensor:
        """Return the loss."""
        mean, deviation = self.bottleneck(self.encoder(data))
        loss = self.beta * minimality(self.bottleneck.sample(mean, deviation), mean, deviation)
        for name in self.decoders:
            if not targets[name].known.any():
                continue  # the published mean over nothing is NaN
            loss = loss + dense_loss(self.decoders[name](mean), targets[name], binary=True)
        return loss


class ReferenceCHMR(CHMR):
    """CHMR with the published encoder and reconstruction."""

    @classmethod
    def of(cls, method: CHMR) -> ReferenceCHMR:
        """Take a method's weights and options."""
        own = copy.deepcopy(method)
        own.encoder = ReferenceEncoder(method.encoder)
        own.__class__ = cls
        return own

    def step(self, data: DataBatch, batch: Batch, targets: dict[str, DenseVisits]) -> MethodOutput:
        """Return the loss for the profiles of ``batch``, the graphs of ``data`` and dense targets."""
        return super().forward(replace(batch, graph=data, targets=targets))

    def _reconstruct(self, batch: Any, anchor: Tensor, responses: Any) -> dict[str, Tensor]:
        terms = {}
        for name in self.decoders:
            visits = batch.targets[name]
            if not visits.known.any():
                continue
            binary = name in self.cross_entropy
            sources = [anchor]
            if name in responses and self.config.decode_from != "anchor":
                own = responses[name].best(self.config.missing_input)
                sources = [own] if self.config.decode_from == "modality" else [own, anchor]
            losses = [dense_loss(self.decoders[name](s), visits, binary=binary) for s in sources]
            terms[f"reconstruction/{name}"] = torch.stack(losses).mean()
        return terms
