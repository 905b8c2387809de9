"""How far stated certainty holds: by stated probability or coverage, and by distance to what was learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from cytomol.predict.record.record_parts import Band
from cytomol.predict.record.tested_rows import COVERAGE, TestedRows

if TYPE_CHECKING:
    from cytomol.predict.uncertainty import Uncertainty

__all__ = ["calibration_bands", "distance_bands", "share_interval"]

_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_FEWEST = 10  # molecules of a band
_MOST_BANDS = 10
_DISTANCE_BANDS = 5

Vector = NDArray[np.float64]


def share_interval(held: int, rows: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a share.

    >>> [round(bound, 2) for bound in share_interval(9, 10)]
    [0.6, 0.98]
    """
    z = float(ndtri(0.975))
    share = held / rows
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def calibration_bands(
    tested: TestedRows, column: int, observed: Vector, uncertainty: Uncertainty | None
) -> list[Band]:
    """Return stated beside observed: of classes probabilities, of values the coverage of intervals.

    Parameters
    ----------
    tested
        Tested rows.
    column
        Column of the answer: of a task of two classes or of values.
    observed
        Class 1 or 0, or values; NaN where not measured or only a bound is known, shape (n,).
    uncertainty
        What intervals come from; without it there are probabilities alone.
    """
    certainty = tested.certainty
    if certainty is None or certainty.kinds[column] == "classification":
        stated = tested.columns[:, column] if certainty is None else certainty.calibrated[:, column]
        known = ~np.isnan(observed) & ~np.isnan(stated)
        return [
            _band(stated[rows], observed[rows] > 0, stated=float(stated[rows].mean()))
            for rows in _parts(np.where(known, stated, np.nan), _MOST_BANDS)
        ]
    if uncertainty is None:
        return []
    bands = []
    for level in _LEVELS:
        answer = uncertainty.restated(certainty, level)
        low, high = answer.low[:, column], answer.high[:, column]
        known = ~np.isnan(observed) & np.isfinite(low) & np.isfinite(high)
        if known.sum() >= _FEWEST:
            inside = (observed >= low) & (observed <= high)
            bands.append(_band(np.full(int(known.sum()), level), inside[known], stated=level))
    return bands


def distance_bands(tested: TestedRows, column: int, observed: Vector) -> list[Band]:
    """Return how often an interval or a set held the measured one, by likeness to what was learnt.

    Parameters are those of :func:`calibration_bands`; ``error`` of a band is the median size of the errors.
    """
    certainty = tested.certainty
    if certainty is None:
        return []
    if certainty.kinds[column] == "classification":
        asked = np.where(np.isnan(observed), 0, observed > 0).astype(np.int64)
        held = certainty.contains[np.arange(len(asked)), column, asked]
        error = np.abs(observed - certainty.calibrated[:, column])
    else:
        low, high = certainty.low[:, column], certainty.high[:, column]
        held = (observed >= low) & (observed <= high)
        error = np.abs(observed - tested.columns[:, column])
    known = ~np.isnan(error) & ~np.isnan(tested.similarity)
    return [
        _band(tested.similarity[rows], held[rows], stated=COVERAGE, error=float(np.median(error[rows])))
        for rows in _parts(np.where(known, tested.similarity, np.nan), _DISTANCE_BANDS)
    ]


def _band(values: Vector, held: NDArray[np.bool_], *, stated: float, error: float | None = None) -> Band:
    low, high = share_interval(int(held.sum()), len(held))
    return Band(
        low=float(values.min()),
        high=float(values.max()),
        rows=len(held),
        stated=stated,
        observed=float(held.mean()),
        observed_low=low,
        observed_high=high,
        error=error,
    )


def _parts(values: Vector, most: int) -> list[NDArray[np.int64]]:
    """Return the rows of bands with nearly equal numbers of molecules, lowest values first."""
    order = np.argsort(values, kind="stable")
    order = order[: int((~np.isnan(values)).sum())]
    bands = min(most, len(order) // _FEWEST)
    return [part for part in np.array_split(order, bands) if len(part)] if bands else []
