"""finetune --learner NAME: a learner by name instead of the recipe, served by predict like any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.artifact.directory import verify
from cytomol.predict.predictor import Predictor

Run = Callable[..., Any]
LEARNER = ("--learner", "neighbours", "--workers", "1", "--no-baselines", "--no-report")
RANDOM = ("--split-type", "random")
SMILES = ["CCO", "C1CC", "Cc1ccncc1", "", "CCc1ccoc1"]
INVALID = [1, 3]


@pytest.fixture(scope="module")
def trained(cytomol: Run, assays: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("by-name") / "model"
    done = cytomol("finetune", assays, *LEARNER, *RANDOM, "-o", out)
    assert done.code == 0, done.err
    return out


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"id": list("abcde"), "smiles": SMILES}).to_csv(path, index=False)
    return path


def refused(done: Any, *texts: str) -> None:
    assert done.code == 2
    assert "Traceback" not in done.err
    for text in texts:
        assert text in done.err


def test_makes_a_verified_directory_with_scores_and_folds(trained: Path) -> None:
    manifest = verify(trained)
    assert manifest["kind"] == "predictor"
    assert {"scores.json", "split.csv", "uncertainty.json"} <= set(manifest["files"])
    scores = json.loads((trained / "scores.json").read_text())
    assert (scores["learner"], scores["metric"]) == ("neighbours", "roc_auc")
    assert set(scores["test"]["tasks"]) == {"nitrogen", "aromatic"}
    assert scores["train"]["rows"] + scores["valid"]["rows"] + scores["test"]["rows"] == 60
    assert pd.read_csv(trained / "split.csv")["index"].tolist() == list(range(60))


def test_prints_scores_as_a_head_does_on_the_same_folds(
    cytomol: Run, assays: Path, trained: Path, tmp_path: Path
) -> None:
    done = cytomol("finetune", assays, *LEARNER, *RANDOM, "-o", tmp_path / "m")
    head = cytomol(
        "finetune", assays, "--features", "1d", "--epochs", "1", "--hidden", "8", *RANDOM,
        "--workers", "1", "--no-baselines", "-o", tmp_path / "h",
    )  # fmt: skip
    assert head.code == 0, head.err
    labels, columns = ([line.split("  ")[0] for line in d.out.splitlines()] for d in (done, head))
    assert labels == columns
    assert (tmp_path / "m" / "split.csv").read_text() == (tmp_path / "h" / "split.csv").read_text()
    scores = json.loads((tmp_path / "m" / "scores.json").read_text())
    line = next(line for line in done.out.splitlines() if line.startswith("nitrogen"))
    assert line.split()[2] == f"{scores['test']['tasks']['nitrogen']:.4f}"


@pytest.mark.parametrize("way", ["file", "column"])
def test_a_given_split(cytomol: Run, assays: Path, tmp_path: Path, way: str) -> None:
    frame = pd.read_csv(assays)
    folds = ["train", "valid", "test"] * 20
    frame["part"] = folds
    frame.to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame({"index": range(60), "fold": folds}).to_csv(tmp_path / "s.csv", index=False)
    split = ("--split", tmp_path / "s.csv") if way == "file" else ("--split-col", "part")
    done = cytomol(
        "finetune", tmp_path / "t.csv", *LEARNER, *split, "--targets", "nitrogen", "-o", tmp_path / "m"
    )
    assert done.code == 0, done.err
    assert pd.read_csv(tmp_path / "m" / "split.csv")["fold"].tolist() == folds


def test_regression(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(assays)[["smiles"]]
    frame["length"] = frame["smiles"].str.len() / 3.0
    frame.to_csv(tmp_path / "t.csv", index=False)
    done = cytomol("finetune", tmp_path / "t.csv", *LEARNER, *RANDOM, "-o", tmp_path / "m")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "m" / "scores.json").read_text())["metric"] == "mae"


def test_labels_of_test_rows_change_only_the_scores(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(assays)
    frame["part"] = ["train", "valid", "test"] * 20
    other = frame.copy()
    test = frame["part"] == "test"
    other.loc[test, ["nitrogen", "aromatic"]] = 1 - frame.loc[test, ["nitrogen", "aromatic"]]
    for name, table in (("a", frame), ("b", other)):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        done = cytomol(
            "finetune",
            tmp_path / f"{name}.csv",
            *LEARNER,
            "--split-col",
            "part",
            "--no-refit",
            "-o",
            tmp_path / name,
        )
        assert done.code == 0, done.err
    first, second = (Predictor.load(tmp_path / name).predict(frame["smiles"]) for name in "ab")
    np.testing.assert_array_equal(first.values, second.values)


def test_predict_serves_it(cytomol: Run, trained: Path, molecules: Path, tmp_path: Path) -> None:
    done = cytomol(
        "predict", trained, molecules, "--no-uncertainty", "--keep", "id", "-o", tmp_path / "o.csv"
    )
    assert done.code == 0, done.err
    table = pd.read_csv(tmp_path / "o.csv", keep_default_na=False)
    assert table.columns.tolist() == [
        "smiles",
        "id",
        "nitrogen",
        "nitrogen_class",
        "aromatic",
        "aromatic_class",
        "error",
    ]
    assert table["id"].tolist() == list("abcde")
    assert (table.loc[INVALID, "nitrogen"] == "").all()
    assert (table.loc[INVALID, "error"] != "").all()
    valid = table.drop(index=INVALID)
    nitrogen = Predictor.load(trained).predict(SMILES).values[:, 0]  # noqa: PD011 - no frame
    expected = np.delete(nitrogen, INVALID)
    np.testing.assert_allclose(valid["nitrogen"].astype(float), expected, rtol=1e-5)


def test_predict_with_uncertainty(cytomol: Run, trained: Path, molecules: Path, tmp_path: Path) -> None:
    done = cytomol("predict", trained, molecules, "--uncertainty", "-o", tmp_path / "o.csv")
    assert done.code == 0, done.err
    table = pd.read_csv(tmp_path / "o.csv")
    assert {"nitrogen_calibrated", "aromatic_set", "similarity", "in_domain"} <= set(table.columns)
    assert table.loc[INVALID, "similarity"].isna().all()
    assert table.drop(index=INVALID)["nitrogen_calibrated"].between(0, 1).all()
    assert "calibration, chosen by held-out molecules" in done.err


def test_predict_still_serves_heads_and_refuses_backbones(
    cytomol: Run, fine_tuned: Path, untrained: dict[str, Path], molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("predict", fine_tuned, molecules, "-o", tmp_path / "o.csv")
    assert done.code == 0, done.err
    done = cytomol("predict", untrained["chmr"], molecules, "-o", tmp_path / "p.csv")
    refused(done, "holds a backbone, not a predictor")
    refused(cytomol("predict", tmp_path / "none", molecules, "-o", tmp_path / "p.csv"), "not found")


def test_an_altered_directory_is_refused(cytomol: Run, assays: Path, molecules: Path, tmp_path: Path) -> None:
    done = cytomol("finetune", assays, *LEARNER, *RANDOM, "-o", tmp_path / "m")
    assert done.code == 0, done.err
    config = tmp_path / "m" / "config.json"
    config.write_text(config.read_text().replace('"k":', '"k" :'))
    refused(cytomol("predict", tmp_path / "m", molecules, "-o", tmp_path / "o.csv"), "SHA-256")


def test_an_unknown_model_lists_the_known_ones(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    done = cytomol("finetune", assays, "--learner", "oracle", "-o", tmp_path / "m")
    refused(done, "unknown learner 'oracle'", "cytomol", "forest", "neighbours")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--hidden", "8"), "--hidden"),
        (("--unfreeze", "all", "--embedding-scale", "0.5"), "--embedding-scale"),
        (("--no-standardize-embedding",), "--standardize-embedding"),
        (("--preset", "paper"), "--preset"),
    ],
)
def test_options_of_a_head_are_refused(
    cytomol: Run, assays: Path, tmp_path: Path, options: tuple[str, ...], named: str
) -> None:
    done = cytomol("finetune", assays, *LEARNER, *options, "-o", tmp_path / "m")
    refused(done, named, "for a head, not for --learner neighbours")


def test_options_of_a_file(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('split_type = "random"\nseed = 3\n')
    bad.write_text("hidden = 8\n")
    done = cytomol("finetune", assays, *LEARNER, "--config", good, "-o", tmp_path / "m")
    assert done.code == 0, done.err
    done = cytomol("finetune", assays, *LEARNER, "--config", bad, "-o", tmp_path / "n")
    refused(done, "bad.toml", "hidden: for a head")


def test_the_embedding_needs_a_backbone(
    cytomol: Run, assays: Path, untrained: dict[str, Path], tmp_path: Path
) -> None:
    done = cytomol("finetune", assays, "--learner", "mlp-embedding", *RANDOM, "-o", tmp_path / "m")
    refused(done, "the embedding needs a backbone", "--backbone DIR")
    done = cytomol(
        "finetune", assays, *LEARNER, *RANDOM, "--backbone", untrained["chmr"], "-o", tmp_path / "m"
    )
    assert done.code == 0, done.err
    assert "reads no embedding: it leaves the backbone out" in done.err
    embedded = cytomol("embed", tmp_path / "m", assays, "-o", tmp_path / "e.npz")
    refused(embedded, "reads no embedding")


def test_folds_that_training_needs(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(assays)
    frame["part"] = ["train", "test"] * 30
    frame.to_csv(tmp_path / "t.csv", index=False)
    done = cytomol("finetune", tmp_path / "t.csv", *LEARNER, "--split-col", "part", "-o", tmp_path / "m")
    refused(done, "the valid fold has no labelled, valid molecule", "weighs learners")


def test_invalid_molecules_are_counted_and_left_out(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(assays.read_text() + "C1CC,bad,1.0,0.0\n,empty,0.0,1.0\n")
    done = cytomol("finetune", tmp_path / "t.csv", *LEARNER, *RANDOM, "-o", tmp_path / "m")
    assert done.code == 0, done.err
    assert "2 of 62 molecules are invalid and left out; row 61:" in done.err
