"""--profiles of finetune and predict: measured profiles beside structures, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.planted import write_planted

Run = Callable[..., Any]
QUICK = (
    "--learner", "forest", "--workers", "1", "--threads", "1", "--calibration-folds", "0", "--no-report",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A planted corpus, the table of its profiles, and a model of both."""

    corpus: Path
    profiles: Path
    model: Path
    err: str

    @property
    def assays(self) -> Path:
        return self.corpus / "assays.csv"


@pytest.fixture(scope="module")
def made(cytomol: Run, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a model of planted assays and measured profiles."""
    folder = tmp_path_factory.mktemp("profiles")
    corpus = write_planted(folder / "corpus", 1500).corpus
    morphology = corpus.modalities["morphology"]
    frame = pd.DataFrame(morphology.values, columns=list(morphology.columns))
    frame.insert(0, "Metadata_InChIKey", corpus.molecules["inchikey"].to_numpy()[morphology.rows])
    frame.to_parquet(folder / "painting.parquet")
    done = cytomol(
        "finetune", folder / "corpus" / "assays.csv", *QUICK, "--split", folder / "corpus" / "split.csv",
        "--targets", "response_viability,response_shape,structure_polar",
        "--profiles", folder / "painting.parquet",
        "-o", folder / "model",
    )  # fmt: skip
    assert done.code == 0, done.err
    return Made(folder / "corpus", folder / "painting.parquet", folder / "model", done.out + done.err)


def test_profiles_help_where_the_response_matters(made: Made) -> None:
    scores = json.loads((made.model / "scores.json").read_text())
    assert scores["profiles"]["painting"]["features"] == 60
    assert "measurement of the molecule itself" in scores["caution"]
    verdict = scores["verdict"]["tasks"]
    score = {
        task: {name: each["roc_auc"]["value"] for name, each in of_task["scores"].items()}
        for task, of_task in verdict.items()
    }
    for task in ("response_viability", "response_shape"):
        assert score[task]["model"] > score[task]["structure"] + 0.03
        assert score[task]["model"] > score[task]["norm"]
    assert score["structure_polar"]["model"] > score["structure_polar"]["structure"] - 0.02
    assert {"structure", "profiles", "norm", "forest", "constant"} <= set(score["structure_polar"])
    assert "profiles painting:" in made.err


def answers(cytomol: Run, made: Made, out: Path, *more: object) -> pd.DataFrame:
    done = cytomol("predict", made.model, made.assays, "-o", out, "--workers", "1", *more)
    assert done.code == 0, done.err
    return pd.read_csv(out, keep_default_na=False)


def test_every_row_is_answered_and_says_whether_it_had_a_profile(
    cytomol: Run, made: Made, tmp_path: Path
) -> None:
    without = answers(cytomol, made, tmp_path / "without.csv", "--no-uncertainty")
    assert set(without["profile"]) == {"none"}
    some = pd.read_parquet(made.profiles).iloc[::3]
    order = list(some.columns)[::-1]
    some[order].to_csv(tmp_path / "some.csv", index=False)
    found = answers(
        cytomol, made, tmp_path / "a.csv", "--profiles", tmp_path / "some.csv", "--no-uncertainty"
    )
    assert len(found) == len(without) == len(pd.read_csv(made.assays))
    measured = found["profile"] == "measured"
    assert 0 < measured.sum() < len(found)
    task = "response_viability"
    name = next(
        column for column in found if column.startswith(task) and column not in pd.read_csv(made.assays)
    )
    pd.testing.assert_series_equal(found.loc[~measured, name], without.loc[~measured, name])
    assert (found.loc[measured, name] != without.loc[measured, name]).mean() > 0.9
    uncertain = answers(cytomol, made, tmp_path / "b.csv", "--profiles", tmp_path / "some.csv")
    pd.testing.assert_series_equal(uncertain["profile"], found["profile"])


def test_a_long_input_reads_the_profiles_of_each_part(cytomol: Run, made: Made, tmp_path: Path) -> None:
    pd.read_csv(made.assays).iloc[:60].to_csv(tmp_path / "in.csv", index=False)
    pd.read_parquet(made.profiles).iloc[::3].to_csv(tmp_path / "some.csv", index=False)
    ask = ("predict", made.model, tmp_path / "in.csv", "--profiles", tmp_path / "some.csv", "-o")
    for name, more in (("whole", ("--workers", "1")), ("parts", ("--workers", "2", "--chunk-rows", "40"))):
        done = cytomol(*ask, tmp_path / f"{name}.csv", *more)
        assert done.code == 0, done.err
        assert "profiles painting: " in done.err
    wanted, found = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("whole", "parts"))
    assert 0 < (wanted["profile"] == "measured").sum() < len(wanted)
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-5)


def test_what_does_not_fit_is_refused_with_one_message(cytomol: Run, made: Made, tmp_path: Path) -> None:
    frame = pd.read_parquet(made.profiles)
    frame.drop(columns=frame.columns[-3:]).to_csv(tmp_path / "narrow.csv", index=False)
    frame.assign(Metadata_InChIKey="AAAAAAAAAAAAAA-UHFFFAOYSA-N").to_csv(tmp_path / "other.csv", index=False)
    cases = {
        ("--profiles", tmp_path / "narrow.csv"): "lacks 3 of the 60 features of the profiles 'painting'",
        ("--profiles", tmp_path / "other.csv"): "profiles is of a molecule of",
        ("--profiles", tmp_path / "absent.csv"): "absent.csv",
        ("--profiles", f"{made.corpus}:proteome"): "has no modality 'proteome'",
        ("--profiles", f"proteome={made.profiles}"): "has learnt from no profiles 'proteome'",
    }
    for options, message in cases.items():
        done = cytomol("predict", made.model, made.assays, "-o", tmp_path / "out.csv", *options)
        assert done.code != 0
        assert message in done.err
        assert done.err.count("error") == 1
        assert not (tmp_path / "out.csv").exists()


def test_a_model_without_profiles_takes_none(
    cytomol: Run, fine_tuned: Path, made: Made, tmp_path: Path
) -> None:
    done = cytomol("predict", fine_tuned, made.assays, "-o", tmp_path / "o.csv", "--profiles", made.profiles)
    assert done.code != 0
    assert "the model has learnt from no profiles" in done.err


def test_a_head_with_several_modalities_is_cross_validated_and_goes_on(
    cytomol: Run, made: Made, tmp_path: Path
) -> None:
    small = pd.read_csv(made.assays).iloc[:150]
    small.to_csv(tmp_path / "small.csv", index=False)
    args = (
        "finetune", tmp_path / "small.csv", "--targets", "response_shape",
        "--features", "1d", "--epochs", "2",
        "--hidden", "8", "--workers", "1", "--folds", "3", "--profiles", f"{made.corpus}:morphology",
        "--profiles", f"{made.corpus}:expression", "-o", tmp_path / "model",
    )  # fmt: skip
    done = cytomol(*args)
    assert done.code == 0, done.err
    assert {"structure", "profiles", "norm"} <= set(done.out.split())
    found = cytomol(
        "predict", tmp_path / "model", tmp_path / "small.csv", "-o", tmp_path / "out.csv", "--workers", "1",
        "--profiles", f"{made.corpus}:expression",
    )  # fmt: skip
    assert found.code == 0, found.err
    table = pd.read_csv(tmp_path / "out.csv")
    assert set(table["profile"]) == {"measured", "none"}
    assert np.isfinite(table.filter(regex="^response_shape").select_dtypes("number").iloc[:, 0]).any()
