"""Summaries against numbers computed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.errors import InputError
from cytomol.evaluate.rows import Job, RowFile
from cytomol.evaluate.summary import Summary, summarize, summarize_models

SCORES = {
    "forest": {0: (0.9, 0.7, None), 1: (0.8, 0.9, None)},
    "kernel": {0: (0.6, 0.85, 0.5), 1: (0.7, 0.95, 0.5)},
}


def rows_of(job: Job, scores: tuple[float | None, ...], metric: str = "roc_auc") -> list[dict[str, Any]]:
    cost = {"seconds_fit": 10.0 + job.seed, "seconds_predict": 2.0, "seconds_features": None}
    common = {
        **vars(job),
        "metric": metric,
        **cost,
        "peak_mb": 100.0 + job.seed,
        "version": "0",
        "commit": "",
    }
    return [
        {**common, "fold": fold, "task": f"t{i}", "score": score, "n": 10, "positives": 5}
        for fold in ("valid", "test")
        for i, score in enumerate(scores)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = RowFile(tmp_path / "rows.csv")
    for model, seeds in SCORES.items():
        for seed, scores in seeds.items():
            job = Job("toy", model, seed)
            file.append(job, rows_of(job, scores))
    return tmp_path


def test_table(folder: Path) -> None:
    table = Summary.of(folder).table.set_index("model")
    forest, kernel = table.loc["forest"], table.loc["kernel"]
    assert forest["mean"] == pytest.approx((0.8 + 0.85) / 2)
    assert forest["std"] == pytest.approx(np.std([0.8, 0.85], ddof=1))
    assert kernel["mean"] == pytest.approx(np.mean([(0.6 + 0.85 + 0.5) / 3, (0.7 + 0.95 + 0.5) / 3]))
    assert forest["above_80"] == pytest.approx(np.mean([1 / 2, 1 / 2]))  # 0.8 is not above 0.8
    assert kernel["above_80"] == pytest.approx(1 / 3)
    # t0: forest, t1: kernel, t2 is not scored for both
    assert (forest["rank"], kernel["rank"]) == (1.5, 1.5)
    assert (forest["tasks"], kernel["tasks"], forest["seeds"]) == (2, 3, 2)
    assert (forest["seconds_fit"], forest["peak_mb"]) == (10.5, 101.0)


def test_files_and_text(folder: Path) -> None:
    summary = Summary.of(folder)
    summary.write(folder)
    written = pd.read_csv(folder / "summary.csv")
    np.testing.assert_allclose(written["mean"], summary.table["mean"], rtol=1e-5)
    assert len(pd.read_csv(folder / "significance.csv")) == 1
    text = summary.text()
    assert text.startswith("toy: roc_auc on test, higher is better\nmodel ")
    assert "0.8250" in text
    assert "50.0%" in text


def test_errors_rank_upwards_and_have_no_share() -> None:
    rows = [row for model, score in (("good", 0.1), ("bad", 0.4)) for row in _mae(model, score)]
    table = summarize_models(pd.DataFrame(rows)).set_index("model")
    assert list(table.index) == ["good", "bad"]
    assert table.loc["good", "rank"] == 1
    assert table["above_80"].isna().all()


def _mae(model: str, score: float) -> list[dict[str, Any]]:
    return rows_of(Job("toy", model, 0), (score, score), "mae")


def test_variants_are_models_of_their_own() -> None:
    rows = rows_of(Job("toy", "mlp", 0), (0.7,)) + rows_of(Job("toy", "mlp", 0, "wide"), (0.8,))
    assert summarize(pd.DataFrame(rows)).table["model"].tolist() == ["mlp (wide)", "mlp"]


def test_repeated_cells_are_refused() -> None:
    rows = 2 * rows_of(Job("toy", "mlp", 0), (0.7,))
    with pytest.raises(InputError, match="toy mlp seed 0, task 't0' stands twice"):
        summarize(pd.DataFrame(rows))


def test_two_metrics_are_refused() -> None:
    rows = rows_of(Job("toy", "a", 0), (0.7,)) + rows_of(Job("toy", "b", 0), (0.7,), "mae")
    with pytest.raises(InputError, match="set toy is scored by roc_auc, mae"):
        summarize(pd.DataFrame(rows))


def test_no_row_of_the_fold() -> None:
    with pytest.raises(InputError, match="no row of the train fold"):
        summarize(pd.DataFrame(rows_of(Job("toy", "a", 0), (0.7,))), fold="train")


def test_many_pairs_are_shown_for_the_best_alone() -> None:
    rows = [
        row
        for i in range(6)
        for seed in range(2)
        for row in rows_of(Job("toy", f"m{i}", seed), tuple(0.5 + i / 20 + t / 100 for t in range(7)))
    ]
    text = summarize(pd.DataFrame(rows)).text()
    assert "(10 more pairs in significance.csv)" in text
