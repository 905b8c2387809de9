"""Test molecules with a stereoisomer in train, scored apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.quality import stereo
from benchmarks.quality.rows import Rows
from benchmarks.quality.sections import stereo as section
from benchmarks.quality.stereo import parts, stereoisomer_in_train

from cytomol.errors import InputError
from cytomol.evaluate.rows import Job
from cytomol.evaluate.sets import BenchmarkSet, load_set

# alanine's two forms, butanol's, then phenols, acids and ethers without stereo
_TRAIN = ["C[C@H](N)C(=O)O", "c1ccccc1O", "CCCO", "CCC(=O)O", "CCOC", "Cc1ccccc1", "CCN", "CCCCO"]
_VALID = ["C[C@H](O)CC", "CCCN", "CCCC(=O)O", "Cc1ccccc1O"]
_TEST = ["C[C@@H](N)C(=O)O", "C[C@@H](O)CC", "CCCCN", "", "CCOCC", "CC(N)C(=O)O"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BenchmarkSet:
    """Write a small set in the place of broad6k's."""
    folder = tmp_path / "data" / "benchmarks" / "broad6k"
    folder.mkdir(parents=True)
    smiles = [*_TRAIN, *_VALID, *_TEST]
    frame = pd.DataFrame({"smiles": smiles, "a": np.arange(18) % 2, "b": (np.arange(18) // 2) % 2})
    frame.to_csv(folder / "assays.csv.gz", index=False)
    folds = ["train"] * len(_TRAIN) + ["valid"] * len(_VALID) + ["test"] * len(_TEST)
    pd.DataFrame({"index": range(18), "fold": folds}).to_csv(folder / "split.csv.gz", index=False)
    (folder / "card.json").write_text(json.dumps({"kind": "classification", "metric": "roc_auc"}))
    monkeypatch.setenv("CYTOMOL_DATA", str(tmp_path / "data"))
    return load_set("broad6k")


def test_a_stereoisomer_in_train_is_found_by_connectivity(data: BenchmarkSet) -> None:
    """One in valid does not count, nor does a row that is no molecule."""
    marked = stereoisomer_in_train(data)[data.folds == "test"]
    assert marked.tolist() == [True, False, False, False, False, True]


def test_groups_of_rows_are_scored_apart() -> None:
    """The second task has one class among the marked rows, so that it does not count there, nor is shared."""
    # task 0: the marked are ordered wrongly, the others rightly; task 1: half of the pairs of the others
    observed = np.array([[1, 1], [0, 1], [1, 1], [0, 0], [0, 0]], dtype=float)
    predicted = np.array([[0.1, 0.9], [0.2, 0.8], [0.9, 0.5], [0.3, 0.5], [0.4, 0.5]])
    table = {"index": np.array([7, 2, 5, 0, 1]), "observed": observed, "predicted": predicted}
    marks = np.zeros(9, dtype=bool)
    marks[[7, 2]] = True
    found = {record[0]: record[1:] for record in parts(table, marks, "roc_auc")}
    # task 0, all: pairs (0.1, 0.9) against (0.2, 0.3, 0.4), the three of 0.9 right: 3 of 6
    # task 1, all: (0.9, 0.8, 0.5) against (0.5, 0.5): four right, two ties: 5 of 6
    assert found["all"] == ("roc_auc", pytest.approx((3 / 6 + 5 / 6) / 2), pytest.approx(0.5), 5, 2)
    assert found["without"] == ("roc_auc", pytest.approx((1 + 0.5) / 2), 1.0, 3, 2)
    assert found["only"] == ("roc_auc", 0.0, 0.0, 2, 1)


def test_no_group_has_a_score_where_nothing_is_marked() -> None:
    observed = np.array([[1.0], [0.0]])
    table = {"index": np.arange(2), "observed": observed, "predicted": observed}
    found = {record[0]: record[1:] for record in parts(table, np.zeros(2, dtype=bool), "roc_auc")}
    assert found["without"] == ("roc_auc", 1.0, pytest.approx(np.nan, nan_ok=True), 2, 1)
    assert np.isnan(found["only"][1])
    assert found["only"][3:] == (0, 0)


def test_kept_predictions_are_read_and_absent_ones_made(
    tmp_path: Path,
    data: BenchmarkSet,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keep: Callable[..., None],
) -> None:
    """The backbone's were kept, those of the neighbours are made and stay in the folder outside git."""
    monkeypatch.setattr(stereo, "AGAIN", {"neighbours": 1})
    out, work = tmp_path / "out", tmp_path / "work"
    out.mkdir()
    observed = data.labels.matrix
    table = np.where(observed == 1, 0.9, 0.1)
    keep(out, Job("broad6k", "cytomol-five", 3, "cell"), "test", table, observed)
    words = ["--out", str(out), "--work", str(work)]
    assert stereo.main(words) == 0
    assert "broad6k: 2 of 6 test rows have a stereoisomer in train" in capsys.readouterr().out
    found = pd.read_csv(out / "stereo.csv", keep_default_na=False)
    assert list(found.columns) == list(stereo.COLUMNS)
    assert found.groupby(["model", "variant", "seed"], sort=False)["rows"].agg(list).to_dict() == {
        ("neighbours", "", 0): ["all", "without", "only"],
        ("cytomol-five", "cell", 3): ["all", "without", "only"],
    }
    assert found.loc[found["model"] == "neighbours", "molecules"].tolist() == [6, 4, 2]
    before = (work / "stereo" / "rows.csv").read_bytes()
    assert stereo.main(words) == 0
    assert (work / "stereo" / "rows.csv").read_bytes() == before  # not run again
    header = next(section(Rows.read(out)))
    assert header.startswith(
        "| broad6k | seeds | all (6 rows, 2 tasks) | without (4 rows, 2 tasks) | only (2 rows"
    )


def test_page_has_means_over_seeds(tmp_path: Path, keep: Callable[..., None]) -> None:
    observed = np.array([[1.0], [0.0]])
    keep(tmp_path, Job("broad6k", "mlp", 0), "test", observed, observed)
    scores = {0: (0.70, 0.60, 0.90), 1: (0.72, 0.62, 0.90)}
    groups = (("all", 1642, 32), ("without", 999, 32), ("only", 643, 31))
    records = [
        ("broad6k", "mlp", "", seed, rows, "roc_auc", score, score - 0.01, count, tasks)
        for seed, each in scores.items()
        for (rows, count, tasks), score in zip(groups, each, strict=True)
    ]
    pd.DataFrame(records, columns=list(stereo.COLUMNS)).to_csv(tmp_path / "stereo.csv", index=False)
    text = "\n".join(section(Rows.read(tmp_path)))
    own = "all (1,642 rows, 32 tasks) | without (999 rows, 32 tasks) | only (643 rows, 31 tasks)"
    assert f"| broad6k | seeds | {own} | all, same tasks | without, same tasks | only, same tasks |" in text
    assert "| mlp | 2 | 71.0 ± 1.4 | 61.0 ± 1.4 | 90.0 ± 0.0 | 70.0 ± 1.4 | 60.0 ± 1.4 | 89.0 ± 0.0 |" in text
    assert "No model with a backbone" in text


def test_a_set_that_is_absent_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYTOMOL_DATA", str(tmp_path))
    with pytest.raises(InputError, match="broad6k"):
        load_set(stereo.SET)
    assert stereo.main(["--out", str(tmp_path), "--work", str(tmp_path)]) == 2
