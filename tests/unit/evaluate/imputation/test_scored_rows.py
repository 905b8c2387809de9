"""Rows of scores: values, intervals, gains over another source."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytomol.evaluate.imputation.beside import ExpectedBy
from cytomol.evaluate.imputation.scored_rows import score_rows


def _rows(draws: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(80, 5))
    noise = rng.normal(size=(80, 5))
    inside = np.where(np.arange(400).reshape(80, 5) % 10 == 0, 0.0, 1.0)
    by = ExpectedBy(
        {"ridge": 0.1 * truth + 0.1 * noise, "joint": 0.5 * truth + 0.1 * noise},
        {"joint": inside},
        {"joint": 2},
    )
    strata = {"all": np.ones(80, bool), "active": np.arange(80) < 30, "nobody": np.zeros(80, bool)}
    return score_rows(truth, by, strata, draws=draws, seed=3)


def test_each_source_stratum_and_metric_has_a_row() -> None:
    rows = _rows()
    assert set(rows["stratum"]) == {"all", "active"}
    assert not rows.duplicated(["source", "stratum", "metric"]).any()
    assert len(rows) == 2 * (2 * 5 + 1) + 1
    r2 = rows[(rows["metric"] == "r2") & (rows["stratum"] == "all")].set_index("source")
    assert r2.loc["joint", "value"] == pytest.approx(0.74, abs=0.03)
    assert r2.loc["joint", "low"] < r2.loc["joint", "value"] < r2.loc["joint", "high"]
    assert r2.loc["joint", "gain"] == pytest.approx(r2.loc["joint", "value"] - r2.loc["ridge", "value"])
    assert 0 < r2.loc["joint", "gain_low"] < r2.loc["joint", "gain"] < r2.loc["joint", "gain_high"]
    assert np.isnan(r2.loc["ridge", "gain"])
    coverage = rows[rows["metric"] == "coverage"].set_index("stratum")["value"]
    assert coverage["all"] == pytest.approx(0.9)
    assert rows.set_index("metric").loc["mean_alone", "value"] == 2
    assert set(rows.loc[rows["stratum"] == "active", "molecules"]) == {30}


def test_the_seed_determines_all() -> None:
    assert _rows(20).equals(_rows(20))
