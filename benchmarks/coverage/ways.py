"""Ways to state uncertainty, from that of version 0.1 to the one in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.coverage.predictions import Answers, Held, Predictions

from cytomol.predict.uncertainty import Uncertainty, UncertaintyAnswer, coverage_report

STATED = (0.9, 0.8)


def compared(data: Predictions) -> Iterator[dict[str, Any]]:
    """Yield a row for each way and stated coverage."""
    valid = _fit(data.kind, data.valid, distance=False)
    plain = _fit(data.kind, data.crossed, distance=False)
    used = _fit(data.kind, data.crossed, distance=True)
    ways: list[tuple[str, Uncertainty, Answers]] = [
        ("valid fold", replace(valid, both_ways=False), data.valid_test),
        ("cross-fitted", replace(plain, both_ways=False), data.crossed_test),
        ("cross-fitted by distance", replace(used, both_ways=False), data.crossed_test),
    ]
    if data.kind == "classification":
        ways.append(("cross-fitted by distance and both ways", used, data.crossed_test))
    for name, fitted, test in ways:
        for stated in STATED:
            answer = fitted.answer(test.members.mean(axis=0), test.members, test.fingerprints, stated)
            yield {"method": name, "stated": stated, **_row(answer, test, data)}


def _fit(kind: str, held: Held, *, distance: bool) -> Uncertainty:
    clues: dict[str, Any] = {"similarity": held.similarity, "groups": held.groups} if distance else {}
    predicted = held.members.mean(axis=0)
    return Uncertainty.fit(
        predicted, held.members, held.labels, kind, train_fingerprints=held.fingerprints, **clues
    )


def _row(answer: UncertaintyAnswer, test: Answers, data: Predictions) -> dict[str, Any]:
    """Return what came of one way: shares covered, sizes, calibration, and errors by word."""
    report = coverage_report(answer, test.labels)
    overall, tasks = report["overall"], report["tasks"].values()
    width = (answer.high - answer.low) / data.spread
    finite = np.isfinite(width) & ~np.isnan(test.labels)
    size = overall.get("mean_set_size")
    row = {
        "kind": data.kind,
        "tasks": len(tasks),
        "n": overall["rows"],
        "covered": overall["coverage"],
        "covered_least": min(task["coverage"] for task in tasks if task["rows"]),
        "covered_0": overall.get("coverage_0"),
        "covered_1": overall.get("coverage_1"),
        "size": size if data.kind == "classification" else float(width[finite].mean()),
        "singletons": overall.get("singletons"),
        "brier_before": overall.get("brier_before"),
        "brier_after": overall.get("brier_after"),
    }
    return row | _by_word(answer, test)


def _by_word(answer: UncertaintyAnswer, test: Answers) -> dict[str, float | None]:
    error = np.abs(answer.calibrated - test.labels)
    if answer.kind == "classification":
        error = np.square(error)
    words = np.array([word or "" for word in answer.words])
    found: dict[str, float | None] = {}
    for word in ("inside", "edge", "outside"):
        rows = words == word
        known = error[rows][~np.isnan(error[rows])]
        found[word] = float(rows.mean())
        found[f"error_{word}"] = float(known.mean()) if len(known) else None
    return found
