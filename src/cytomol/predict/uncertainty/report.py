"""How well stated uncertainty holds on rows that chose nothing: coverage, calibration, domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.metrics import expected_calibration_error
from cytomol.errors import InputError
from cytomol.predict.uncertainty.answer import UncertaintyAnswer

__all__ = ["coverage_report"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class _Cells:
    """Measured cells of one task or of all: rows of the answer, and columns of it."""

    answer: UncertaintyAnswer
    rows: NDArray[np.int64]
    tasks: NDArray[np.int64]
    label: Vector

    def of(self, table: NDArray[Any]) -> NDArray[Any]:
        return table[self.rows, self.tasks]


def coverage_report(
    answer: UncertaintyAnswer, labels: NDArray[np.floating], *, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Compare stated with observed certainty.

    Parameters
    ----------
    answer
        What :meth:`Uncertainty.answer` gave.
    labels
        Measured values of the same rows, NaN where not measured, shape (n, tasks).
    names
        Names of the tasks; None numbers them.

    Returns
    -------
    dict
        ``kind`` ("mixed" where tasks differ), ``coverage`` (stated), ``overall`` and ``tasks`` (by name),
        JSON-serialisable, None where undefined. The last two hold ``rows``, ``coverage`` (observed),
        ``coverage_inside`` and ``coverage_outside`` the domain, ``rows_inside``, ``rows_outside``, and

        - regression: ``mean_width`` of the finite intervals, ``infinite`` (share), ``error_inside`` and
          ``error_outside`` (mean absolute error);
        - classification: ``coverage_0`` and ``coverage_1`` (by true class), ``mean_set_size``,
          ``singletons`` and ``empty`` (shares), ``ece_before``, ``ece_after``, ``brier_before``,
          ``brier_after`` calibration, ``error_inside`` and ``error_outside`` (Brier score, calibrated).

        ``overall`` takes the cells of all tasks together; its widths and errors mean something in
        regression only if the tasks share a unit.

    Raises
    ------
    InputError
        If the labels are not those of the rows.
    """
    labels = np.asarray(labels, dtype=np.float64)
    if labels.shape != answer.predicted.shape:
        raise InputError(f"labels have shape {labels.shape}, predictions {answer.predicted.shape}")
    names = [str(task) for task in range(labels.shape[1])] if names is None else names
    usable = ~np.isnan(labels) & ~np.isnan(answer.predicted)
    rows, tasks = np.nonzero(usable)
    cells = _Cells(answer, rows, tasks, labels[usable])
    per_task: dict[str, Any] = {}
    for task, name in enumerate(names):
        of_task = tasks == task
        cells_of_task = _Cells(answer, rows[of_task], tasks[of_task], cells.label[of_task])
        per_task[name] = _MEASURES[answer.kinds[task]](cells_of_task)
    return {
        "kind": answer.kind,
        "coverage": answer.coverage,
        "overall": _MEASURES[answer.kind](cells),
        "tasks": per_task,
    }


def _classification(cells: _Cells) -> dict[str, Any]:
    label = cells.label
    contains = cells.of(cells.answer.contains)
    size = contains.sum(axis=1)
    covered = contains[np.arange(len(label)), label.astype(np.int64)]
    before, after = cells.of(cells.answer.predicted), cells.of(cells.answer.calibrated)
    return {
        **_common(cells, covered, np.square(after - label)),
        "coverage_0": _mean(covered[label == 0]),
        "coverage_1": _mean(covered[label == 1]),
        "mean_set_size": _mean(size),
        "singletons": _mean(size == 1),
        "empty": _mean(size == 0),
        "ece_before": _number(expected_calibration_error(label, before)),
        "ece_after": _number(expected_calibration_error(label, after)),
        "brier_before": _mean(np.square(before - label)),
        "brier_after": _mean(np.square(after - label)),
    }


def _regression(cells: _Cells) -> dict[str, Any]:
    low, high = cells.of(cells.answer.low), cells.of(cells.answer.high)
    covered = (low <= cells.label) & (cells.label <= high)
    finite = np.isfinite(high - low)
    return {
        **_common(cells, covered, np.abs(cells.of(cells.answer.predicted) - cells.label)),
        "mean_width": _mean((high - low)[finite]),
        "infinite": _mean(~finite),
    }


def _mixed(cells: _Cells) -> dict[str, Any]:
    """Measure what tasks of both kinds share: errors have no unit in common."""
    low, high, contains = (
        cells.of(cells.answer.low),
        cells.of(cells.answer.high),
        cells.of(cells.answer.contains),
    )
    classes = np.array([kind == "classification" for kind in cells.answer.kinds])[cells.tasks]
    label = np.where(classes, cells.label, 0).astype(np.int64)
    in_set = contains[np.arange(len(label)), label]
    covered = np.where(classes, in_set, (low <= cells.label) & (cells.label <= high))
    return _common(cells, covered, np.full(len(label), np.nan))


_MEASURES: dict[str, Callable[[_Cells], dict[str, Any]]] = {
    "classification": _classification,
    "regression": _regression,
    "mixed": _mixed,
}


def _common(cells: _Cells, covered: NDArray[np.bool_], error: Vector) -> dict[str, Any]:
    inside = cells.answer.in_domain[cells.rows]
    return {
        "rows": len(cells.label),
        "coverage": _mean(covered),
        "rows_inside": int(inside.sum()),
        "rows_outside": int((~inside).sum()),
        "coverage_inside": _mean(covered[inside]),
        "coverage_outside": _mean(covered[~inside]),
        "error_inside": _mean(error[inside]),
        "error_outside": _mean(error[~inside]),
    }


def _mean(values: NDArray[Any]) -> float | None:
    return _number(float(values.mean())) if len(values) else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
