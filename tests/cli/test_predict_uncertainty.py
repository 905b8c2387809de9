"""predict --uncertainty: its columns, its notes, and what it refuses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from tests.cli.conftest import RINGS, SMALL, TAILS

from cytomol.predict.answered_rows import predict_rows
from cytomol.predict.evidence import evidence_columns
from cytomol.predict.predictor import Predictor
from cytomol.tables import read_molecules

Run = Callable[..., Any]
OPTIONS = ("--calibration-folds", "0", "--no-refit", "--features", "1d", "--ensemble", "3", *SMALL)
SMILES = ["CCO", "C1CC", "Cc1ccncc1", "", "FC(F)(F)C(F)(F)I"]
INVALID = [1, 3]
MOLECULE = ["similarity", "in_domain", "domain", "domain_reason"]


@pytest.fixture(scope="module")
def classifier(cytomol: Run, assays: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("classifier") / "model"
    done = cytomol("finetune", assays, *OPTIONS, "-o", out)
    assert done.code == 0, done.err
    return out


@pytest.fixture(scope="module")
def regressor(cytomol: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regressor")
    smiles = [f"{tail}{ring}" for ring in RINGS for tail in [*TAILS, *(f"CC{tail}" for tail in TAILS)]]
    frame = pd.DataFrame({"smiles": smiles})
    frame["length"] = frame["smiles"].str.len() + 0.5
    frame["rare"] = frame["length"].where(np.arange(len(frame)) % 8 == 0)
    frame.to_csv(folder / "assays.csv", index=False)
    done = cytomol("finetune", folder / "assays.csv", *OPTIONS, "-o", folder / "model")
    assert done.code == 0, done.err
    return folder / "model"


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"id": list("abcde"), "smiles": SMILES, "similarity": 1}).to_csv(path, index=False)
    return path


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"nitrogen_set": str, "aromatic_set": str}, keep_default_na=False)


def test_classification(cytomol: Run, classifier: Path, molecules: Path, tmp_path: Path) -> None:
    without = ("--no-uncertainty", "--keep", "id", "-o", tmp_path / "plain.csv")
    assert cytomol("predict", classifier, molecules, *without).code == 0
    done = cytomol(
        "predict", classifier, molecules, "--uncertainty", "--keep", "id", "-o", tmp_path / "o.csv"
    )
    assert done.code == 0, done.err
    plain, table = read(tmp_path / "plain.csv"), read(tmp_path / "o.csv")
    own = [f"{task}_{part}" for task in ("nitrogen", "aromatic") for part in ("calibrated", "std", "set")]
    first, second = (["nitrogen", "nitrogen_class", *own[:3]], ["aromatic", "aromatic_class", *own[3:]])
    nearest = evidence_columns(["nitrogen", "aromatic"])
    assert table.columns.tolist() == ["smiles", "id", *first, *second, *MOLECULE, *nearest, "error"]
    pd.testing.assert_frame_equal(table[plain.columns], plain)  # predictions are those without it
    for row in INVALID:
        assert (table.loc[row, [*own, *MOLECULE]] == "").all()
    valid = table.drop(index=INVALID)
    assert valid["nitrogen_calibrated"].astype(float).between(0, 1).all()
    assert (valid["nitrogen_std"].astype(float) > 0).all()
    assert valid["nitrogen_set"].isin(["", "0", "1", "0|1"]).all()
    assert valid["in_domain"].tolist()[1:] == ["True", "False"]
    assert "calibration, chosen by held-out molecules (tasks):" in done.err
    assert "fewer than the 9 held-out molecules that 0.9 takes" in done.err


def test_the_answers_are_those_of_python(classifier: Path, molecules: Path) -> None:
    predictor = Predictor.load(classifier)
    whole = predictor.predict(SMILES, uncertainty=True, coverage=0.6).uncertainty
    assert whole is not None
    assert whole.coverage == 0.6
    table = read_molecules(str(molecules))
    answer = predict_rows(predictor, table, keep=["id"], uncertainty=True, coverage=0.6, chunk=2, workers=1)
    found = answer.frame["aromatic_calibrated"].to_numpy()
    np.testing.assert_allclose(found, whole.calibrated[:, 1], rtol=1e-5)
    np.testing.assert_allclose(answer.frame["similarity"], whole.similarity, rtol=1e-5)
    assert predictor.predict(SMILES).uncertainty is None
    no_molecule = predictor.predict(["", "xx"], uncertainty=True).uncertainty
    assert no_molecule is not None
    assert np.isnan(no_molecule.similarity).all()


def test_regression(cytomol: Run, regressor: Path, molecules: Path, tmp_path: Path) -> None:
    widths = []
    for coverage in ("0.5", "0.8"):
        out = tmp_path / f"{coverage}.csv"
        done = cytomol("predict", regressor, molecules, "--uncertainty", "--coverage", coverage, "-o", out)
        assert done.code == 0, done.err
        table = pd.read_csv(out)
        valid = table.drop(index=INVALID)
        assert (valid["length_low"] < valid["length"]).all()
        assert (valid["length"] < valid["length_high"]).all()
        widths.append((valid["length_high"] - valid["length_low"]).to_numpy())
        assert table.loc[INVALID, "length_low"].isna().all()
    assert (widths[1] > widths[0]).all()
    assert np.isinf(valid["rare_high"]).all()
    assert "fewer than the 4 held-out molecules that 0.8 takes for finite intervals: rare (" in done.err


@pytest.mark.parametrize("suffix", ["parquet", "npz", "tsv"])
def test_other_formats(cytomol: Run, classifier: Path, molecules: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out.{suffix}"
    done = cytomol("predict", classifier, molecules, "--uncertainty", "-o", out, "--quiet")
    assert done.code == 0, done.err
    assert done.err == ""
    if suffix == "npz":
        with np.load(out, allow_pickle=False) as arrays:
            np.testing.assert_array_equal(arrays["in_domain"][2:], [1, np.nan, 0])
            assert arrays["nitrogen_set"].dtype.kind == "U"
    elif suffix == "parquet":
        assert pd.read_parquet(out)["in_domain"].dropna().tolist() == [False, True, False]
    else:
        assert pd.read_csv(out, sep="\t")["in_domain"].tolist()[2::2] == [True, False]


def refused(done: Any, message: str) -> None:
    assert done.code == 2
    assert "Traceback" not in done.err
    assert message in done.err


def test_what_is_refused(cytomol: Run, classifier: Path, molecules: Path, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "o.csv")
    done = cytomol("predict", classifier, molecules, "--no-uncertainty", "--coverage", "0.8", *out)
    refused(done, "leave --no-uncertainty out")
    for coverage in ("1", "0", "90", "x"):
        done = cytomol("predict", classifier, molecules, "--uncertainty", "--coverage", coverage, *out)
        refused(done, "--coverage")
    assert not (tmp_path / "o.csv").exists()


def test_a_column_of_the_input_is_not_overwritten(
    cytomol: Run, classifier: Path, molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("predict", classifier, molecules, "--uncertainty", "-o", tmp_path / "o.csv")
    assert done.code == 0, done.err
    table = read(tmp_path / "o.csv")
    assert table.columns.tolist()[:3] == ["id", "smiles", "similarity"]
    assert (table["similarity"] == 1).all()
    assert table["similarity_predicted"].iloc[0] != ""
    assert "has a column 'similarity', which stays: the answer is called 'similarity_predicted'" in done.err


def test_a_task_called_as_a_column_of_uncertainty(classifier: Path, molecules: Path) -> None:
    from cytomol.errors import InputError

    predictor = Predictor.load(classifier)
    tasks = tuple(
        replace(task, name=name) for task, name in zip(predictor.tasks, ("a", "a_std"), strict=True)
    )
    predictor.encoding = replace(predictor.encoding, tasks=tasks)
    with pytest.raises(InputError, match="two columns of the answer are called 'a_std'"):
        predict_rows(predictor, read_molecules(str(molecules)), uncertainty=True)
    assert predict_rows(predictor, read_molecules(str(molecules)), workers=1).errors.rows == len(SMILES)


def test_a_model_saved_before_there_was_uncertainty(
    cytomol: Run, classifier: Path, molecules: Path, tmp_path: Path
) -> None:
    predictor = Predictor.load(classifier)
    predictor.uncertainty = None
    predictor.save(tmp_path / "old")
    assert not (tmp_path / "old" / "uncertainty.json").exists()
    done = cytomol("predict", tmp_path / "old", molecules, "--uncertainty", "-o", tmp_path / "o.csv")
    refused(done, "without held-out molecules, so it has no uncertainty (fine-tune it again")
    assert cytomol("predict", tmp_path / "old", molecules, "-o", tmp_path / "o.csv").code == 0


def test_it_lies_in_the_model_directory_as_plain_arrays(classifier: Path, tmp_path: Path) -> None:
    listed = json.loads((classifier / "manifest.json").read_text())["files"]
    digest = hashlib.sha256((classifier / "uncertainty.json").read_bytes()).hexdigest()
    assert listed["uncertainty.json"] == digest
    names = safetensors.numpy.load_file(classifier / "statistics.safetensors")
    assert "uncertainty.domain.fingerprints" in names
    again = Predictor.load(classifier)
    again.save(tmp_path / "again")
    before = Predictor.load(classifier).predict(SMILES, uncertainty=True).uncertainty
    after = Predictor.load(tmp_path / "again").predict(SMILES, uncertainty=True).uncertainty
    pd.testing.assert_frame_equal(before.frame(again.names), after.frame(again.names))
