"""Profiles as targets of walks: one target space for each modality."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cytomol.context import ContextGraph
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.schema import Corpus, Modality
from cytomol.methods.config import ContextConfig
from cytomol.training.dataset.profile_weights import ProfileWeights
from cytomol.training.dataset.targets import DenseTarget, Target

__all__ = ["profile_targets"]


def profile_targets(
    corpus: Corpus,
    graph: ContextGraph,
    scalers: dict[str, FeatureScaler],
    held: NDArray[np.bool_],
    config: ContextConfig,
    *,
    reconstructed: set[str],
    weights: Mapping[str, ProfileWeights],
) -> dict[str, Target]:
    """Return one target space per modality, of its profiles; held-out molecules' are for validation.

    Parameters
    ----------
    corpus
        As the context graph has it.
    graph
        The context graph.
    scalers
        Scaler of each modality.
    held
        Validation molecules, bool, shape (molecules,).
    config
        Options of the method.
    reconstructed
        Modalities that are targets.
    weights
        How the profiles of a modality weigh; all alike for a modality that is not there.
    """
    targets: dict[str, Target] = {}
    for name, modality in corpus.modalities.items():
        values = _reconstructed(modality, reconstructed)
        if values is None:
            continue
        known = np.ones(len(modality), np.bool_)
        train = known if modality.entity == "gene" else ~held[modality.rows]
        scaled = scalers[name].transform(values)
        np.clip(scaled, 0, 1, out=scaled)
        first, row_of = graph.offsets.get(name), None
        if first is None:  # the profiles sit on their genes
            first, row_of = graph.offsets["gene"], np.full(len(corpus.genes), -1, np.int64)
            row_of[modality.rows] = np.arange(len(modality))
        reliability = modality.provenance.reliability
        weight = weights[name].of(reliability) if name in weights and reliability is not None else None
        targets[name] = DenseTarget(first, scaled, train, known, row_of, config.count_stuck, weight)
    return targets


def _reconstructed(modality: Modality, chosen: set[str]) -> NDArray[np.float32] | None:
    """Return the values that are reconstructed, NaN in parts that are not; None if nothing is."""
    if not modality.parts:
        return modality.values if modality.name in chosen else None
    wanted = np.concatenate([np.full(width, name in chosen) for name, width in modality.parts])
    return np.where(wanted, modality.values, np.nan).astype(np.float32) if wanted.any() else None
