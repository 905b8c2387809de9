"""The coverage study: its ways on planted predictions, and a page that says what its rows say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.coverage.page import RESULTS, tables
from benchmarks.coverage.predictions import Answers, Held, Predictions
from benchmarks.coverage.ways import compared
from scipy.special import expit

PAGE = Path(__file__).parents[3] / "docs" / "uncertainty.md"


def planted(kind: str) -> Predictions:
    rng = np.random.default_rng(0)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        truth = rng.normal(0, 2, (n, 1))
        members, labels = truth + rng.normal(0, 0.7, (3, n, 1)), truth + rng.normal(0, 0.7, (n, 1))
        if kind == "classification":
            members, labels = expit(members), (labels > 0).astype(float)
        return members, labels, np.packbits(rng.random((n, 2048)) < 0.02, axis=1), rng.beta(3, 3, n)

    held, tests = [], []
    for n in (100, 400):
        members, labels, bits, similarity = draw(n)
        held.append(Held(members, labels, bits, similarity, np.arange(n) // 2))
        tests.append(Answers(*draw(500)[:3]))
    return Predictions(kind, np.array([2.0]), held[0], tests[0], held[1], tests[1])


@pytest.mark.parametrize(("kind", "ways"), [("classification", 4), ("regression", 3)])
def test_every_way_is_measured_at_every_stated_coverage(kind: str, ways: int) -> None:
    rows = pd.DataFrame(compared(planted(kind)))
    assert len(rows) == 2 * ways
    assert rows.groupby("stated")["covered"].min().between(0.7, 1).all()
    assert np.allclose(rows[["inside", "edge", "outside"]].sum(axis=1), 1)
    wide, narrow = (rows[rows["stated"] == stated]["size"].to_numpy() for stated in (0.9, 0.8))
    assert (wide > narrow).all()
    if kind == "classification":
        assert rows["covered"].iloc[-2] > rows["covered"].iloc[-4]  # both ways hold more


def test_the_page_has_the_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for line in tables(pd.read_csv(RESULTS)):
        assert line in text
