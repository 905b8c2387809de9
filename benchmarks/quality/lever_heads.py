"""Other ways to train, scale and pool that the recipe does not have, for :mod:`benchmarks.quality.levers`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.batches import batches_by_size
from cytomol.learners.base import Learning, Matrix
from cytomol.learners.head.fit import FitData, fit_head, seeded
from cytomol.learners.head.named_heads import build_head
from cytomol.learners.head.options import HeadOptions
from cytomol.learners.perceptron import Perceptron
from cytomol.nn.head import PropertyHead

__all__ = ["ByRange", "Imputed", "Snapshots", "summed_and_averaged"]

_CYCLES = 5
_PASS = 256


class Snapshots(Perceptron):
    """One head whose rate falls and rises again; its weights at the end of each cycle are the ensemble.

    Huang et al., "Snapshot ensembles", ICLR 2017. ``epochs`` are those of a cycle.
    """

    def train_heads(
        self, data: FitData, config: HeadOptions, learning: Learning, device: torch.device
    ) -> list[PropertyHead]:
        """Train one head, cycle after cycle."""
        heads = []
        with seeded(1000 * learning.seed, learning.threads):
            head = build_head(config, data.inputs.shape[1], data.targets.shape[1], kind=data.kind)
            for _ in range(_CYCLES):
                fit_head(head, data, config, device=device)
                heads.append(copy.deepcopy(head).cpu())
        return heads


class Imputed(Perceptron):
    """Learns twice: the second time, what is not measured of a training row is what the first predicts."""

    def fit_matrix(self, X: Matrix, learning: Learning) -> None:
        """Train, fill in and train anew."""
        super().fit_matrix(X, learning)
        labels = learning.labels.copy()
        gaps = learning.train[:, None] & np.isnan(labels)
        labels[gaps] = self.predict_matrix(X)[gaps]
        super().fit_matrix(X, replace(learning, labels=labels))


class ByRange(Perceptron):
    """Descriptors less their median, over the range of their quartiles, instead of normal scores."""

    scaling: ClassVar[Mapping[str, str]] = {**Perceptron.scaling, "descriptors": "robust"}


def summed_and_averaged(backbone: Backbone, smiles: Sequence[str]) -> Matrix:
    """Return the sum and the mean of a backbone's atoms, before its bottleneck.

    Returns
    -------
    NDArray[np.float32]
        Shape (n, 2 * width); molecules must be valid.
    """
    encoder = backbone.method.encoder
    assert encoder is not None, "the backbone has no graph encoder"
    store, trained_with = backbone.store(smiles), encoder.readout
    pooled = np.empty((len(smiles), 2 * encoder.width), np.float32)
    try:
        with torch.inference_mode():
            for rows in batches_by_size(store, np.arange(len(smiles)), _PASS):
                graph = backbone.builder.build(store, rows).graph
                for half, readout in zip(
                    np.split(np.arange(pooled.shape[1]), 2), ("sum", "mean"), strict=True
                ):
                    encoder.readout = readout
                    pooled[np.ix_(rows, half)] = encoder(graph).float().numpy()
    finally:
        encoder.readout = trained_with
    return pooled
