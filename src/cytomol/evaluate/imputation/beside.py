"""Expected profiles of a model beside those of simpler ways, for molecules that it has not learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.cells.impute.decoding import decode_profiles
from cytomol.cells.impute.feature_calibration import FeatureCalibration, deal_groups, numbered, standardised
from cytomol.cells.impute.structure_ridge import PENALTIES, StructureRidge, fingerprint_matrix
from cytomol.cells.modality import TrainedModality
from cytomol.cells.unseen import MeasuredMolecules
from cytomol.corpus.typical import TypicalProfile
from cytomol.errors import InputError
from cytomol.evaluate.imputation.nearest_profiles import nearest_profiles

__all__ = ["SOURCES", "ExpectedBy", "expected_by_source", "halves_by_scaffold"]

SOURCES = {
    "mean": "the mean of the training profiles",
    "nearest": "the mean profile of the nearest molecules; their number chosen on calibration molecules",
    "ridge": "ridge regression on fingerprints; penalty chosen on calibration molecules",
    "ridge calibrated": "the same, each feature drawn towards its mean",
    "decoder": "the model's decoder as it is",
    "decoder calibrated": "the same, each feature drawn towards its mean",
    "joint": "decoder and ridge regression, each feature with a slope for both: what the verb gives",
}
_NEIGHBOURS = (1, 5, 20, 50)


@dataclass(frozen=True, eq=False)
class ExpectedBy:
    """What each source expects of the same molecules.

    Attributes
    ----------
    expected
        By source, standardised, shape (n, width).
    coverage
        By source with intervals, whether each measured value lies in its interval, shape (n, width); NaN
        where not measured.
    mean_alone
        By source with intervals, for how many features nothing better than the mean is known.
    """

    expected: dict[str, NDArray[np.float64]]
    coverage: dict[str, NDArray[np.float64]]
    mean_alone: dict[str, int]


def halves_by_scaffold(molecules: MeasuredMolecules) -> NDArray[np.bool_]:
    """Deal molecules to two halves of about equal size, whole scaffolds, bool, shape (n,)."""
    return np.asarray(deal_groups(numbered(molecules.scaffolds), 2) == 1)


def expected_by_source(
    modality: TrainedModality | TypicalProfile,
    calibrators: MeasuredMolecules,
    asked: MeasuredMolecules,
    others: MeasuredMolecules,
    *,
    coverage: float = 0.9,
    batch_size: int = 256,
) -> ExpectedBy:
    """Return what every source of :data:`SOURCES` expects of molecules.

    Parameters
    ----------
    modality
        The model's modality, or its typical profile alone, for the sources that need no model.
    calibrators
        Molecules that choose and calibrate; the model has not learnt from them.
    asked
        Molecules to be scored; nothing is fitted on them.
    others
        Molecules that teach nearest neighbours and ridge regression.
    coverage
        Of intervals.
    batch_size
        Molecules in a pass.

    Raises
    ------
    InputError
        If one of the three is empty, or too few calibrate.
    """
    for what, molecules in (("calibrate", calibrators), ("be scored", asked), ("teach", others)):
        if not len(molecules):
            raise InputError(f"there is no molecule with a profile to {what}")
    typical = modality.typical if isinstance(modality, TrainedModality) else modality
    prints = [fingerprint_matrix(one.smiles) for one in (others, calibrators, asked)]
    taught, truth = standardised(others.values, typical), standardised(calibrators.values, typical)
    near = list(
        zip(*(nearest_profiles(prints[0], taught, one, _NEIGHBOURS) for one in prints[1:]), strict=True)
    )
    fitted = StructureRidge.fit(prints[0], taught, PENALTIES)
    ridges = [(one.expected(prints[1]), one.expected(prints[2])) for one in fitted]
    near_best = min(near, key=lambda one: _error(truth, one[0]))
    ridge = min(ridges, key=lambda one: _error(truth, one[0]))
    expected = {
        "mean": np.zeros((len(asked), len(typical.mean))),
        "nearest": near_best[1],
        "ridge": ridge[1].astype(np.float64),
    }
    joined = [[(_units(one[0], typical), _units(one[1], typical))] for one in ridges]
    candidates = {"ridge calibrated": joined}
    if isinstance(modality, TrainedModality):
        decoded = _decoded(modality, calibrators, batch_size), _decoded(modality, asked, batch_size)
        expected["decoder"] = standardised(decoded[1], typical)
        candidates |= {"decoder calibrated": [[decoded]], "joint": [[decoded, *one] for one in joined]}
    inside, alone = {}, {}
    for name, several in candidates.items():
        told, calibration = _calibrated(several, calibrators, typical, coverage)
        expected[name] = standardised(told, typical)
        measured = asked.values
        within = np.abs(measured - told) <= calibration.half_width
        inside[name] = np.where(np.isnan(measured), np.nan, within)
        alone[name] = calibration.mean_alone
    return ExpectedBy(expected, inside, alone)


def _calibrated(
    several: list[list[tuple[NDArray[np.float32], NDArray[np.float32]]]],
    calibrators: MeasuredMolecules,
    typical: TypicalProfile,
    coverage: float,
) -> tuple[NDArray[np.float32], FeatureCalibration]:
    """Return what the best of several sets of sources expects; each source speaks of both parts."""
    found = [
        FeatureCalibration.fit(
            [source[0] for source in sources],
            calibrators.values,
            calibrators.scaffolds,
            typical,
            coverage=coverage,
        )
        for sources in several
    ]
    best = int(np.argmin([one.error for one in found]))
    return found[best].expected([source[1] for source in several[best]]), found[best]


def _decoded(modality: TrainedModality, molecules: MeasuredMolecules, batch_size: int) -> NDArray[np.float32]:
    return decode_profiles([modality], molecules.smiles, batch_size=batch_size).profiles[modality.name]


def _units(standard: NDArray[np.float32], typical: TypicalProfile) -> NDArray[np.float32]:
    return np.asarray(typical.mean + standard * typical.spread, dtype=np.float32)


def _error(truth: NDArray[np.float64], told: NDArray[np.float64] | NDArray[np.float32]) -> float:
    return float(np.nansum((truth - told) ** 2))
