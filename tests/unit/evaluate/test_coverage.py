"""What is written about stated uncertainty, and that it stays with the scores of its job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytomol.evaluate.coverage import COVERAGE_COLUMNS, coverage_row, read_coverage
from cytomol.evaluate.results import Results
from cytomol.evaluate.rows import Job
from cytomol.predict.uncertainty import Uncertainty, UncertaintyAnswer

JOB, OTHER = Job("bace", "forest", 0), Job("bace", "forest", 1, "wide")


def answered(kind: str, unit: float = 1.0) -> tuple[UncertaintyAnswer, np.ndarray, Uncertainty]:
    """Return what a model with errors of one unit says of 600 rows, and their labels."""
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 2, (1200, 2))
    members = truth + rng.normal(0, 0.7, (3, 1200, 2))
    labels = truth + rng.normal(0, 0.7, truth.shape)
    if kind == "classification":
        members, labels = 1 / (1 + np.exp(-members)), (labels > 0).astype(float)
    members, labels = members * unit, labels * unit
    labels[:50, 0] = np.nan
    bits = np.packbits(rng.random((1200, 2048)) < 0.02, axis=1)
    fold, rest = slice(600), slice(600, None)
    predicted = members.mean(axis=0)
    fitted = Uncertainty.fit(
        predicted[fold], members[:, fold], labels[fold], kind, train_fingerprints=bits[fold]
    )
    return fitted.answer(predicted[rest], members[:, rest], bits[rest], 0.9), labels[rest], fitted


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_row(kind: str) -> None:
    answer, labels, fitted = answered(kind)
    row = coverage_row(JOB, answer, labels, np.nanstd(labels, axis=0))
    assert set(row) == set(COVERAGE_COLUMNS)
    assert (row["tasks"], row["n"]) == (2, 1200)
    above = 0.15 if kind == "classification" else 0.0  # sets hold more than they state
    assert 0.86 <= row["covered"] <= 0.94 + above
    assert row["covered_low"] <= row["covered_mean"]
    assert (row["brier_after"] is None) == (kind == "regression")
    narrow = coverage_row(JOB, fitted.restated(answer, 0.8), labels, np.nanstd(labels, axis=0))
    assert 0.75 <= narrow["covered"] <= 0.85 + above
    assert narrow["size"] < row["size"]
    assert narrow["spread_correlation"] == row["spread_correlation"]


def test_restated_is_what_would_have_been_answered() -> None:
    for kind in ("classification", "regression"):
        answer, _, fitted = answered(kind)
        again = fitted.restated(fitted.restated(answer, 0.6), 0.9)
        for name, values in vars(answer).items():
            np.testing.assert_array_equal(getattr(again, name), values, err_msg=name)


def test_widths_and_errors_do_not_depend_on_the_unit() -> None:
    rows = []
    for unit in (1.0, 1000.0):
        answer, labels, _ = answered("regression", unit)
        rows.append(coverage_row(JOB, answer, labels, np.nanstd(labels, axis=0)))
    for name in ("covered", "size", "error_inside", "error_outside"):
        assert rows[0][name] == pytest.approx(rows[1][name]), name


def test_a_task_without_labels_or_spread_is_no_task() -> None:
    answer, labels, _ = answered("regression")
    labels[:, 1] = np.nan
    row = coverage_row(JOB, answer, labels, np.array([0.0, np.nan]))
    assert (row["tasks"], row["n"]) == (1, 600)


def rows_of(job: Job) -> list[dict[str, Any]]:
    text = {**vars(job), "fold": "test", "task": "a", "metric": "roc_auc", "version": "0", "commit": ""}
    numbers = ("score", "n", "positives", "seconds_fit", "seconds_predict", "seconds_features", "peak_mb")
    return [text | dict.fromkeys(numbers, 1)]


def coverage_of(job: Job) -> list[dict[str, Any]]:
    empty = dict.fromkeys(COVERAGE_COLUMNS)
    return [empty | {**vars(job), "coverage": stated, "n": 3} for stated in (0.9, 0.8)]


def test_both_tables_tell_of_the_same_jobs(tmp_path: Path) -> None:
    results = Results(tmp_path)
    assert results.append(JOB, rows_of(JOB), coverage_of(JOB))
    assert not results.append(JOB, rows_of(JOB), coverage_of(JOB))
    assert len(read_coverage(tmp_path / "coverage.csv")) == 2
    results.coverage.append(OTHER, coverage_of(OTHER))  # and the run was killed before the scores
    assert results.repair({JOB: 1, OTHER: 1}) == []
    assert set(results.coverage.jobs()) == {JOB}
    results.coverage.append(OTHER, coverage_of(OTHER))
    assert results.append(OTHER, rows_of(OTHER), coverage_of(OTHER)[:1])
    assert results.coverage.jobs() == {JOB: 2, OTHER: 1}
    lines = results.rows.path.read_text().splitlines(keepends=True)
    results.rows.path.write_text("".join(lines[:-1]))
    assert results.repair({JOB: 1}) == []
    assert set(results.coverage.jobs()) == {JOB}


def test_a_model_without_uncertainty_has_no_coverage(tmp_path: Path) -> None:
    results = Results(tmp_path)
    assert results.append(JOB, rows_of(JOB), [])
    assert not results.coverage.path.exists()
    assert results.repair({JOB: 1}) == []
