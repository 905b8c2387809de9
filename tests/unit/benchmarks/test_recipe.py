"""The recipe before and now: what is hidden, what a row says, and where the table goes on."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.recipe import __main__ as recipe
from benchmarks.recipe import worker
from benchmarks.recipe.rows import COLUMNS, Fit, add, fallen, has, read, row_of, table

from cytomol.assays.labels import Labels
from cytomol.errors import CytomolError
from cytomol.evaluate.sets import SETS, BenchmarkSet
from cytomol.predict.finetune import finetune

ROOT = Path(__file__).parents[3]
SAID = {
    "metric": "roc_auc", "molecules": 9, "seconds": 60.0, "covered": 0.9, "covered_class": 0.8, "size": 1.25,
    "commit": "c",
}  # fmt: skip
OBSERVED = np.array([[0.0], [1.0], [1.0], [0.0], [np.nan]])
PERFECT = Fit(np.array([[0.1], [0.9], [0.8], [0.2], [0.5]]), OBSERVED, SAID)
HALF = Fit(np.array([[0.1], [0.9], [0.0], [0.2], [0.5]]), OBSERVED, SAID)


def small_set(kind: str) -> BenchmarkSet:
    rng = np.random.default_rng(0)
    smiles = ["C" * n + end for n in range(1, 11) for end in ("O", "N", "Cl", "Br")]
    values = np.array([[len(text) + rng.normal()] for text in smiles])
    if kind == "classification":
        values = (values > np.median(values)).astype(float)
    folds = np.array((["train"] * 6 + ["valid"] * 2 + ["test"] * 2) * 4)
    metric = "roc_auc" if kind == "classification" else "mae"
    return BenchmarkSet("small", smiles, Labels.of_kind(["t"], values, kind), folds, metric)


def test_all_nine_sets_are_run() -> None:
    assert sorted(recipe.ORDER) == sorted(SETS)


def test_a_row_says_what_the_code_now_gained_in_points() -> None:
    row = row_of("bace", 0, HALF, PERFECT)
    assert (row["before"], row["now"], row["difference"]) == (0.5, 1.0, 50.0)
    off = replace(HALF, predicted=OBSERVED + 0.25, said=SAID | {"metric": "mae"})
    far = replace(off, predicted=OBSERVED + 0.5)
    assert row_of("biogenadme", 0, off, far)["difference"] == pytest.approx(-25.0)
    assert set(row) == set(COLUMNS)


def test_what_could_not_be_predicted_is_not_scored() -> None:
    wrong = HALF.predicted.copy()
    wrong[2] = np.nan
    assert replace(HALF, predicted=wrong).score == 1.0


def test_fits_that_tested_other_labels_are_not_compared() -> None:
    with pytest.raises(CytomolError, match="bace: the two tested other molecules"):
        row_of("bace", 0, PERFECT, replace(PERFECT, observed=OBSERVED[::-1]))


def test_the_table_tells_who_fell(tmp_path: Path) -> None:
    path = tmp_path / "recipe.csv"
    assert not has(path, "bace", 0)
    for name, seed, difference in (("bace", 0, -0.5), ("bace", 1, 0.1), ("bbbp", 0, -0.4)):
        add(path, row_of(name, seed, HALF, PERFECT) | {"difference": difference})
    add(path, row_of("hiv", 0, HALF, replace(PERFECT, said=SAID | {"covered_class": None})))
    assert has(path, "bace", 1)
    assert not has(path, "bbbp", 1)
    rows = read(path)
    assert fallen(rows) == ["bbbp"]  # of bace the mean over seeds fell by 0.2
    assert "| bbbp, seed 0 | roc_auc | 50.0 | 100.0 | -0.4 | 1.0, 1.0 |" in "\n".join(table(rows))
    assert table(rows)[-1].endswith("| 0.90, 0.90 | 0.80, – | 1.25, 1.25 |")
    assert recipe.main(["table", "-o", str(path)]) == 1


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_worker_hides_test_labels_and_reports_certainty(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, seen = small_set(kind), []

    def quick(part: BenchmarkSet, *, seed: int, threads: int) -> object:
        seen.append(part.training_labels().matrix)
        return finetune(
            part.smiles, part.training_labels(), folds=part.folds, learner="neighbours", baselines=False,
            refit=False, calibration_folds=0, seed=seed, threads=threads, cache=None, workers=1,
        ).predictor  # fmt: skip

    monkeypatch.setattr(worker, "load_set", lambda _: data)
    monkeypatch.setitem(worker._FITS, "now", quick)
    spec = {
        "set": "small",
        "molecules": 0,
        "which": "now",
        "seed": 0,
        "threads": 1,
        "code": str(ROOT / "src"),
    }
    monkeypatch.setattr(sys, "argv", ["worker", json.dumps(spec), str(tmp_path / "fit")])
    worker.main()
    assert np.isnan(seen[0][data.folds == "test"]).all()
    said = json.loads((tmp_path / "fit.json").read_text())
    with np.load(tmp_path / "fit.npz") as arrays:
        assert np.array_equal(arrays["observed"], data.labels.matrix[data.folds == "test"])
        assert np.isfinite(arrays["predicted"]).all()
    assert (said["metric"], said["molecules"]) == (data.metric, len(data))
    assert 0 <= said["covered"] <= 1
    assert (said["covered_class"] is None) == (kind == "regression")
    if kind == "classification":
        assert said["covered_class"] <= said["covered"]


def test_a_rehearsal_draws_rows_with_their_labels() -> None:
    data = small_set("regression")
    part = worker._part(data, 12)
    places = [data.smiles.index(text) for text in part.smiles]
    assert len(places) == len(set(places)) == 12
    assert np.array_equal(part.labels.matrix, data.labels.matrix[places])
    assert np.array_equal(part.folds, data.folds[places])
    assert worker._part(data, 0) is data


def test_other_code_than_asked_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is not below"):
        worker._check_code(tmp_path)
    with pytest.raises(CytomolError, match="holds no src/cytomol"):
        recipe.fit({"set": "bace", "threads": 1}, "before", tmp_path)


def test_a_row_that_is_there_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, str]] = []

    def known(spec: dict[str, object], which: str, code: Path) -> Fit:
        asked.append((spec["set"], which))
        return HALF if which == "before" else PERFECT

    monkeypatch.setattr(recipe, "fit", known)
    path = tmp_path / "recipe.csv"
    add(path, row_of("bace", 0, HALF, HALF))
    words = ["run", "--set", "bace", "bbbp", "--before", str(tmp_path), "-o", str(path)]
    assert recipe.main(words) == 0
    assert asked == [("bbbp", "before"), ("bbbp", "now")]
    assert pd.read_csv(path)["difference"].tolist() == [0.0, 50.0]
