"""One step of each method as published: data objects, dense targets of every visited node, plain losses.

It is the form that ``--preset authors`` names, written once more and plainly: only the layers that both have
in common (bottleneck, projectors, decoders, and the codes as numbers) are those of the given method.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from benchmarks.speed.reference.context import DenseContext
from benchmarks.speed.reference.encoder import ReferenceEncoder
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.nn import functional
from torch_geometric.data import Batch as DataBatch
from torch_geometric.data import Data

from cytomol.methods.chmr import CHMR
from cytomol.methods.infoalign import InfoAlign
from cytomol.nn.batch import Batch

__all__ = [
    "DenseVisits",
    "ReferenceCHMR",
    "ReferenceInfoAlign",
    "info_nce",
    "reference_batch",
    "tree_loss",
    "vicreg",
]


@dataclass(frozen=True)
class DenseVisits:
    """Targets of every node on every walk, shape (B, L + 1, width), NaN where unknown; path weights."""

    values: Tensor
    weights: Tensor

    @property
    def known(self) -> Tensor:
        """Where a visited node has a target, shape (B, L + 1, width)."""
        return ~torch.isnan(self.values)


def reference_batch(
    molecules: list[Data], context: DenseContext, rows: NDArray[Any], walk: tuple[Tensor, Tensor]
) -> tuple[DataBatch, dict[str, DenseVisits]]:
    """Collate molecules and look up the targets along their walks."""
    nodes, weights = walk
    targets = {name: DenseVisits(table[nodes], weights) for name, table in context.targets.items()}
    return DataBatch.from_data_list([molecules[row] for row in rows]), targets


def dense_loss(predicted: Tensor, visits: DenseVisits) -> Tensor:
    """Cross entropy of a decoded row with every node of its walk, weighted, averaged over known entries."""
    shape = visits.values.shape
    known = visits.known
    weight = visits.weights[:, :, None].expand(shape)[known]
    given, target = predicted[:, None].expand(shape)[known], visits.values[known]
    return functional.binary_cross_entropy_with_logits(given, target, weight)


def info_nce(anchor: Tensor, profile: Tensor, temperature: float) -> Tensor:
    """Classify each molecule's profile among all profiles of the batch by cosine."""
    similarity = functional.normalize(anchor, dim=1) @ functional.normalize(profile, dim=1).T
    return functional.cross_entropy(similarity / temperature, torch.arange(len(anchor)))


def vicreg(rows: Tensor, others: Tensor) -> Tensor:
    """Mean squared difference, both variance hinges and both covariance penalties, added up."""
    loss = functional.mse_loss(rows, others)
    for table in (rows, others):
        loss = loss + functional.relu(1 - torch.sqrt(table.var(dim=0) + 1e-4)).mean()
        covariance = torch.cov(table.T)
        off_diagonal = covariance - torch.diag(torch.diagonal(covariance))
        loss = loss + off_diagonal.square().sum() / table.shape[1]
    return loss


def tree_loss(rows: Tensor, codes: list[Tensor], eta: float) -> Tensor:
    """Loss of one modality: each level's distance of rows and codes, both ways, within the tree.

    Parameters
    ----------
    rows
        Shape (n, d).
    codes
        Codes of each level, 2, 4, 8, ... of them, shape (2^h, d) each.
    eta
        Weight of the term that moves the codes.
    """
    rows = functional.normalize(rows, dim=1)
    node = torch.zeros(len(rows), dtype=torch.int64)
    loss = rows.new_zeros(())
    for level in codes:
        unit = functional.normalize(level, dim=1)
        distance = 1 - rows @ unit.T
        allowed = torch.full_like(distance, torch.inf)
        allowed.scatter_(1, torch.stack([2 * node, 2 * node + 1], dim=1), 0.0)
        routed = distance.detach() + allowed
        node = routed.argmin(dim=1)
        reverse = routed.argmin(dim=0)  # the first row for a code that none reaches
        for some, others in ((rows, unit[node]), (rows[reverse], unit)):
            loss = loss + (1 - (some * others.detach()).sum(1)).mean()
            loss = loss + eta * (1 - (some.detach() * others).sum(1)).mean()
    return loss / len(codes)


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
        posterior = Independent(Normal(mean, deviation), 1)
        prior = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
        sample = self.bottleneck.sample(mean, deviation)
        loss = self.beta * (posterior.log_prob(sample) - prior.log_prob(sample)).mean()
        for name in self.decoders:
            if not targets[name].known.any():
                continue  # the published mean over nothing is NaN
            loss = loss + dense_loss(self.decoders[name](mean), targets[name])
        return loss


class ReferenceCHMR(nn.Module):
    """CHMR with the published encoder and losses."""

    def __init__(self, method: CHMR) -> None:
        super().__init__()
        method = copy.deepcopy(method)
        assert method.encoder is not None
        assert method.quantizer is not None
        self.encoder = ReferenceEncoder(method.encoder)
        self.views, self.profiles, self.decoders = method.views, method.profiles, method.decoders
        self.quantizer = method.quantizer
        self.config = method.config

    def step(self, data: DataBatch, batch: Batch, targets: dict[str, DenseVisits]) -> Tensor:
        """Return the loss for the views and profiles of ``batch``, the graphs of ``data``, dense targets."""
        config = self.config
        raw = {view: self.encoder(data) if view == "2d" else batch.views[view] for view in self.views}
        views = {view: self.views[view](rows) for view, rows in raw.items()}
        anchor = torch.stack(list(views.values())).sum(dim=0)
        measured = {
            name: self.profiles[name](batch.responses[name].measured.values) for name in self.profiles
        }
        augmented = {
            name: self.profiles[name](batch.responses[name].augmented.values) for name in self.profiles
        }

        loss = anchor.new_zeros(())
        for name in self.decoders:
            if targets[name].known.any():
                loss = loss + dense_loss(self.decoders[name](measured.get(name, anchor)), targets[name])
        for name, rows in measured.items():
            aligned = info_nce(anchor, rows, config.temperature) + vicreg(rows, augmented[name])
            loss = loss + config.lambda_sca * aligned
        codes = list(torch.split(self.quantizer.codes, list(self.quantizer.level_sizes)))
        trees = [tree_loss(rows, codes, config.eta) for rows in (*views.values(), *measured.values())]
        return loss + config.lambda_vq * torch.stack(trees).mean()
