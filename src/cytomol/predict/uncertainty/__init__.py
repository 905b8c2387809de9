"""How far a prediction can be trusted: calibration, conformal answers, ensemble spread, domain."""

from cytomol.predict.uncertainty.answer import UncertaintyAnswer, set_of_classes, uncertainty_columns
from cytomol.predict.uncertainty.calibration import Calibrator, fit_calibrators
from cytomol.predict.uncertainty.class_sets import PredictionSets
from cytomol.predict.uncertainty.domain import ApplicabilityDomain, domain_fingerprints, domain_options
from cytomol.predict.uncertainty.intervals import PredictionIntervals
from cytomol.predict.uncertainty.limits import DomainLimits, Word
from cytomol.predict.uncertainty.report import coverage_report
from cytomol.predict.uncertainty.uncertainty import Uncertainty

__all__ = [
    "ApplicabilityDomain",
    "Calibrator",
    "DomainLimits",
    "PredictionIntervals",
    "PredictionSets",
    "Uncertainty",
    "UncertaintyAnswer",
    "Word",
    "coverage_report",
    "domain_fingerprints",
    "domain_options",
    "fit_calibrators",
    "set_of_classes",
    "uncertainty_columns",
]
