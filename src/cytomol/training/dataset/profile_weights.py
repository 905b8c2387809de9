"""How much each profile weighs in training, by how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.lift import mean_by_row, molecule_profiles
from cytomol.corpus.schema import Corpus, Modality
from cytomol.errors import ConfigError
from cytomol.methods.config import MethodConfig

__all__ = ["ProfileWeights", "mean_modality", "molecule_weights", "profile_weights"]


@dataclass(frozen=True)
class ProfileWeights:
    """Weight = max(reliability, least) / mean over the training profiles.

    On average a training profile weighs 1, so that a modality counts as much as without weights. A profile of
    unknown reliability weighs as much as the average known one.

    Attributes
    ----------
    least
        Below which no weight falls (before the division).
    average
        Mean weight of the training profiles.

    Examples
    --------
    >>> weights = ProfileWeights.fit(np.array([0.9, 0.5, -0.2, np.nan], np.float32), least=0.1)
    >>> [round(float(weight), 2) for weight in weights.of(np.array([0.9, -0.2, np.nan], np.float32))]
    [1.8, 0.2, 1.0]
    """

    least: float
    average: float

    @classmethod
    def fit(cls, reliability: NDArray[np.float32], least: float) -> Self:
        """Learn the average from training profiles, NaN where unknown, shape (n,)."""
        known = reliability[~np.isnan(reliability)]
        average = float(np.maximum(known, least).mean(dtype=np.float64)) if len(known) else 1.0
        return cls(least, average or 1.0)

    def of(self, reliability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the weight of profiles of these reliabilities, float32, shape (n,)."""
        raw = np.where(np.isnan(reliability), self.average, np.maximum(reliability, self.least))
        return np.asarray(raw / self.average, dtype=np.float32)


def profile_weights(
    corpus: Corpus, held: NDArray[np.bool_], config: MethodConfig
) -> dict[str, ProfileWeights]:
    """Return how profiles weigh, for each modality that says how far they can be trusted.

    Parameters
    ----------
    corpus
        The corpus.
    held
        Validation molecules, bool, shape (molecules,).
    config
        Options of the method; empty unless ``profile_weights`` is "reliability".

    Raises
    ------
    ConfigError
        If weights are wanted and no modality says how far its profiles can be trusted.
    """
    if config.profile_weights == "none":
        return {}
    weights = {}
    for name, modality in corpus.modalities.items():
        if (reliability := modality.provenance.reliability) is None:
            continue
        train = np.ones(len(modality), np.bool_) if modality.entity == "gene" else ~held[modality.rows]
        known = reliability[train] if train.any() else reliability
        weights[name] = ProfileWeights.fit(known, config.least_weight)
    if not weights:
        raise ConfigError(
            "profile_weights = reliability, but no modality says how far its profiles can be trusted",
            hint="`cytomol corpus annotate CORPUS --reliability ...` adds it, such as replicate correlations",
        )
    return weights


def molecule_weights(corpus: Corpus, name: str, weights: ProfileWeights | None) -> NDArray[np.float32] | None:
    """Return the weight of each molecule's profile of a modality, shape (molecules,); None without weights.

    The reliability of a molecule's repeats (or of the genes that it targets) is averaged as their values are.
    """
    if weights is None:
        return None
    of_reliability = replace(corpus, modalities={name: _reliabilities(corpus.modalities[name])})
    rows, values = molecule_profiles(of_reliability, name)
    reliability = np.full(len(corpus), np.nan, np.float32)
    reliability[rows] = values[:, 0]
    return weights.of(reliability)


def mean_modality(modality: Modality) -> Modality:
    """Return a modality with one profile for each molecule or gene, values and reliability averaged."""
    rows, values = mean_by_row(modality)
    provenance = replace(modality.provenance, labels={}, correction="none", by="")
    if provenance.reliability is not None:
        provenance = replace(provenance, reliability=mean_by_row(_reliabilities(modality))[1][:, 0])
    return replace(modality, rows=rows, values=values, provenance=provenance)


def _reliabilities(modality: Modality) -> Modality:
    """Return a modality whose one feature is the reliability."""
    reliability = modality.provenance.reliability
    assert reliability is not None
    return replace(modality, values=reliability[:, None], columns=("reliability",), parts=())
