"""How far a prediction can be trusted: calibration, conformal answers, ensemble spread, domain."""

from cytomol.predict.uncertainty.calibration import Calibrator, fit_calibrators
from cytomol.predict.uncertainty.conformal import PredictionIntervals, PredictionSets
from cytomol.predict.uncertainty.domain import ApplicabilityDomain, domain_fingerprints
from cytomol.predict.uncertainty.report import coverage_report, expected_calibration_error
from cytomol.predict.uncertainty.uncertainty import Uncertainty, UncertaintyAnswer, uncertainty_columns

__all__ = [
    "ApplicabilityDomain",
    "Calibrator",
    "PredictionIntervals",
    "PredictionSets",
    "Uncertainty",
    "UncertaintyAnswer",
    "coverage_report",
    "domain_fingerprints",
    "expected_calibration_error",
    "fit_calibrators",
    "uncertainty_columns",
]
