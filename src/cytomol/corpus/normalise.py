"""Normalise wells as the field does, through pycytominer's own functions."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.controls import Controls
from cytomol.corpus.feature_columns import some
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable, without_infinite
from cytomol.corpus.roles import Roles
from cytomol.counted import agreeing
from cytomol.errors import InputError, MissingDependencyError

__all__ = ["Reference", "normalise_plates", "whiten"]

Reference = Literal["controls", "plate"]

_FEWEST = 3  # wells from which a spread can be told
_REFERENCE = "reference"


def normalise_plates(
    table: ProfileTable, roles: Roles, controls: Controls, reference: Reference, problems: Problems
) -> ProfileTable:
    """Return robust z-scores of each plate: (x - median) / MAD of its controls, or of all its wells.

    What has no spread on a plate counts as not measured there.

    Parameters
    ----------
    table
        Wells of one or more plates; without a column of plates they count as one.
    roles
        Which column names the plate.
    controls
        Which wells are controls.
    reference
        "controls" or "plate".
    problems
        Receives notes.

    Raises
    ------
    MissingDependencyError
        If pycytominer is absent.
    InputError
        If a plate has too few wells to refer to; the plates are named.
    """
    normalize = _pycytominer()
    plates = _plates(table, roles, problems)
    chosen = controls.rows if reference == "controls" else np.ones(len(table), np.bool_)
    _check_references(table.where, plates, chosen, "control wells" if reference == "controls" else "wells")
    values = np.empty_like(table.features)
    for plate in plates.unique():
        wells = (plates == plate).to_numpy()
        frame = _frame(table.features[wells], chosen[wells])
        # epsilon 0: what has no spread becomes infinite or NaN, not a number of 10^17
        values[wells] = _quietly(
            normalize, frame, method="mad_robustize", samples=_REFERENCE, mad_robustize_epsilon=0.0
        )
    flat = ~np.isfinite(values) & np.isfinite(table.features)
    if flat.any():
        columns = [table.columns[j] for j in np.flatnonzero(flat.any(axis=0))]
        have = "has no spread on a plate and counts", "have no spread on a plate and count"
        flat_ones = agreeing(len(columns), "feature", *have)
        problems.note(f"{table.where}: {flat_ones} as not measured there ({some(columns)})")
        values[flat] = np.nan
    return without_infinite(replace(table, features=values), problems)


def _plates(table: ProfileTable, roles: Roles, problems: Problems) -> pd.Series[str]:
    """Return the plate of each well; without a column of plates all wells are of one."""
    column = roles.column("plate")
    if column is not None:
        return table.metadata[column].reset_index(drop=True)
    problems.note(f"{table.where}: no column of plates: normalised as one plate (--role plate=COLUMN)")
    return pd.Series([""] * len(table), dtype=object)


def _check_references(where: str, plates: pd.Series[str], chosen: NDArray[np.bool_], what: str) -> None:
    """Refuse plates with too few wells to refer to."""
    counts = pd.Series(chosen).groupby(plates).sum()
    poor = [str(plate) or "(no name)" for plate, count in counts.items() if count < _FEWEST]
    if poor:
        raise InputError(
            f"{agreeing(len(poor), 'plate', 'has', 'have', of=len(counts))} fewer than {_FEWEST} {what}"
            f" to normalise by: {some(poor, 8)}",
            where=where,
            hint="say which wells are controls with --role control=COLUMN or --control COLUMN=VALUE, or use"
            " --normalise plate",
        )


def whiten(
    values: NDArray[np.float32], controls: NDArray[np.bool_], columns: tuple[str, ...], *, where: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Sphere profiles (ZCA-cor) so that the controls' features are uncorrelated with variance 1.

    Parameters
    ----------
    values
        Wells, shape (wells, width).
    controls
        Which of them are controls, shape (wells,).
    columns
        Names of the features.
    where
        The modality, for messages.

    Returns
    -------
    values
        Whitened, float32, shape (wells, width kept).
    kept
        Which features could be whitened: measured in every well and not constant among the controls, bool,
        shape (width,).

    Raises
    ------
    MissingDependencyError
        If pycytominer is absent.
    InputError
        If there are too few controls or no such feature.
    """
    normalize = _pycytominer()
    count = int(controls.sum())
    if count < _FEWEST:
        raise InputError(
            f"{agreeing(count, 'control well', 'is', 'are')} too few to whiten by (at least {_FEWEST})",
            where=where,
            hint="say which wells are controls with --role control=COLUMN or --control COLUMN=VALUE",
        )
    kept: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=0))
    kept[kept] = values[controls][:, kept].astype(np.float64).std(axis=0) > 0
    if not kept.any():
        raise InputError(f"none of {len(columns):,} features is measured in every well", where=where)
    reference = values[controls][:, kept].astype(np.float64)
    reference = (reference - reference.mean(axis=0)) / reference.std(axis=0)
    rank, full = int(np.linalg.matrix_rank(reference)), min(reference.shape[1], count - 1)
    if rank < full:  # what repeats other features has no direction of its own; noise would be blown up there
        repeat = "repeats" if full - rank == 1 else "repeat"
        raise InputError(
            f"cannot be whitened: of {reference.shape[1]:,} features {full - rank:,} {repeat} others",
            where=where,
            hint="leave features that repeat others out (--leave-out)",
        )
    frame = _frame(values[:, kept], controls)
    try:
        scaled = _quietly(normalize, frame, method="spherize", samples=_REFERENCE)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise InputError(f"cannot be whitened: {error}", where=where) from None
    return scaled, kept


def _frame(values: NDArray[np.float32], reference: NDArray[np.bool_]) -> pd.DataFrame:
    frame = pd.DataFrame(values.astype(np.float64), columns=[f"f{j}" for j in range(values.shape[1])])
    frame[_REFERENCE] = reference
    return frame


def _quietly(normalize: Any, frame: pd.DataFrame, **options: Any) -> NDArray[np.float32]:
    features = [name for name in map(str, frame.columns) if name != _REFERENCE]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        scaled = normalize(frame, features=features, meta_features=[_REFERENCE], **options)
    return np.asarray(scaled[features].to_numpy(np.float64).astype(np.float32))


def _pycytominer() -> Any:
    try:
        from pycytominer import normalize  # type: ignore[import-untyped]
    except ImportError:
        raise MissingDependencyError(
            "normalising needs the package pycytominer", hint="pip install 'cytomol[omics]'"
        ) from None
    return normalize
