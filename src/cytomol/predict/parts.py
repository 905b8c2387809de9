"""What a predictor is made of, and what its directory therefore holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.encoding import Encoding
from cytomol.learners.mixed import ByKind
from cytomol.predict.evidence import Evidence
from cytomol.predict.molecule_features import MoleculeFeatures
from cytomol.predict.uncertainty import Uncertainty

__all__ = ["PredictorParts"]


@dataclass
class PredictorParts:
    """The parts of a predictor: its learner, the features that the learner reads, and what is known of both.

    Attributes
    ----------
    name
        Name of the learner in the registry.
    learner
        The fitted learner, one for the classes and one for the values.
    features
        Makes its blocks from molecules.
    encoding
        The tasks, and how they become the learner's columns.
    uncertainty
        What held-out molecules say of its answers; None if there were none.
    evidence
        The molecules that it has learnt from; None if they were not kept.
    cutoffs
        Probability from which a molecule is said to be of the second class, shape (columns,); one half for
        all if not given.
    source
        Digest of the model directory that the backbone came from; "" without one.
    unfrozen
        Whether fitting changed the backbone.
    options
        Options that it was made with, JSON-serialisable.
    details
        What was chosen and measured in fitting, JSON-serialisable.
    texts
        Further files of the model directory, by name (scores, folds).
    """

    name: str
    learner: ByKind
    features: MoleculeFeatures
    encoding: Encoding
    uncertainty: Uncertainty | None = None
    evidence: Evidence | None = None
    cutoffs: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    source: str = ""
    unfrozen: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.cutoffs):
            self.cutoffs = np.full(len(self.encoding.columns), 0.5)
