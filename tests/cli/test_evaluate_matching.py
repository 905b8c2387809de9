"""``cytomol evaluate matching`` and ``cytomol matcher``: rows, strata, who has seen whom, clear messages."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.planted import write_planted
from cytomol.evaluate.matching.figures import FIGURES

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a planted corpus, a list of held-out molecules and a table of labels."""
    folder = tmp_path_factory.mktemp("matching")
    write_planted(folder / "corpus", 300)
    molecules = pd.read_parquet(folder / "corpus" / "molecules.parquet")
    molecules.loc[:99, ["smiles"]].to_csv(folder / "held-out.csv", index=False)
    labels = molecules[["smiles"]].assign(
        even=[row % 2 == 0 for row in range(len(molecules))], kind="all alike"
    )
    labels.to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def matcher(cytomol: Run, folder: Path) -> Path:
    done = cytomol(
        "matcher", folder / "corpus", "-m", "morphology", "--held-out", folder / "held-out.csv",
        "--workers", 1, "-o", folder / "matcher",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "profiles of" in done.err
    return folder / "matcher"


@pytest.fixture(scope="module")
def pretrained(cytomol: Run, folder: Path) -> Path:
    """Return a backbone that has seen every profile of the corpus but those of genes."""
    done = cytomol(
        "pretrain", folder / "corpus", "--method", "contrastive", "--modalities", "morphology", "--epochs", 1,
        "--width", 16, "--layers", 2, "--threads", 1, "-q", "--no-report", "-o", folder / "pretrained",
    )  # fmt: skip
    assert done.code == 0, done.err
    return folder / "pretrained"


@pytest.fixture(scope="module")
def backed(cytomol: Run, folder: Path) -> Path:
    """Return a matcher with a backbone inside, neither of which has seen the held-out profiles."""
    held_out = folder / "held-out.csv"
    done = cytomol(
        "pretrain", folder / "corpus", "--method", "chmr", "--views", "1d,2d", "--epochs", 1, "--width", 16,
        "--layers", 2, "--threads", 1, "--exclude-profiles-of", held_out, "-q", "--no-report",
        "-o", folder / "blind",
    )  # fmt: skip
    assert done.code == 0, done.err
    done = cytomol(
        "matcher", folder / "corpus", "-m", "morphology", "--held-out", held_out, "--workers", 1,
        "--backbone", folder / "blind", "-o", folder / "backed",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "does not say" not in done.err
    return folder / "backed"


def evaluate(cytomol: Run, folder: Path, *args: object) -> Any:
    return cytomol(
        "evaluate", "matching", folder / "corpus", *args, "-m", "morphology", "--draws", 200, "-q"
    )  # fmt: skip


def test_every_figure_of_every_part_is_written(
    cytomol: Run, folder: Path, matcher: Path, pretrained: Path, tmp_path: Path
) -> None:
    held_out = folder / "held-out.csv"
    options = (
        "--held-out",
        held_out,
        "--strata",
        folder / "labels.csv",
        "--stratum",
        "even=1",
        "--same",
        "kind",
    )
    for suffix in ("csv", "parquet"):
        out = tmp_path / f"rows.{suffix}"
        done = evaluate(cytomol, folder, matcher, pretrained, *options, "-o", out)
        assert done.code == 0, done.err
    assert "pretrained: has learnt from the profiles" in done.err
    assert "matcher:" not in done.err
    rows = pd.read_parquet(tmp_path / "rows.parquet")
    text = pd.read_csv(tmp_path / "rows.csv")
    assert text.columns.tolist() == rows.columns.tolist()
    np.testing.assert_allclose(text["value"], rows["value"])
    assert len(rows) == 5 * 2 * 2 * len(FIGURES)
    assert set(rows["model"]) == {"matcher", "pretrained", "neighbour", "ridge", "cca"}
    seen = rows.groupby("model")["seen"].first()
    assert (seen["matcher"], seen["pretrained"], seen["ridge"]) == ("no", "yes", "no")
    queries = rows.groupby("stratum")["queries"].max()
    assert 0 < queries["even=1"] < queries["all"] <= 100
    precision = rows[(rows["figure"] == "mAP") & (rows["stratum"] == "all")]
    assert (precision["value"] == 1).all()  # all candidates bear the same label
    assert "all, molecule to profile:" in done.out
    assert "even=1, profile to molecule:" in done.out


def test_without_a_model_and_a_list_scaffolds_are_held_out(
    cytomol: Run, folder: Path, tmp_path: Path
) -> None:
    runs = [
        evaluate(
            cytomol,
            folder,
            "--baselines",
            "neighbour",
            "--share",
            0.3,
            "--seed",
            seed,
            "-o",
            tmp_path / f"{n}.csv",
        )
        for n, seed in enumerate((1, 1, 2))
    ]
    assert [done.code for done in runs] == [0, 0, 0]
    first, same, other = ((tmp_path / f"{n}.csv").read_text() for n in range(3))
    assert first == same != other


def test_baselines_may_learn_from_some_alone(cytomol: Run, folder: Path) -> None:
    options = ("--held-out", folder / "held-out.csv", "--baselines", "ridge")
    everything = evaluate(cytomol, folder, *options)
    some = pd.read_parquet(folder / "corpus" / "molecules.parquet").loc[100:180, ["smiles"]]
    some.to_csv(folder / "some.csv", index=False)
    part = evaluate(cytomol, folder, *options, "--learn-from", folder / "some.csv")
    assert (everything.code, part.code) == (0, 0)
    assert everything.out != part.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("-m", "images"), "no modality 'images'"),
        (("--baselines", ""), "nothing to measure"),
        (("--baselines", "forest"), "unknown simple matcher 'forest' (known: cca, neighbour, ridge)"),
        (("--stratum", "active=1"), "no column 'active'"),
        (("--same", "active"), "no column 'active' of labels"),
        (("--learn-from", "{folder}/held-out.csv"), "no molecule with a profile to learn from"),
        (("{folder}/corpus",), "manifest"),
        (("-o", "rows.xyz"), "unknown kind of output"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    cytomol: Run, folder: Path, args: tuple[str, ...], message: str
) -> None:
    given = [arg.format(folder=folder) for arg in args]
    done = cytomol(
        "evaluate", "matching", folder / "corpus", "-m", "morphology", "--held-out", folder / "held-out.csv",
        "-q", "--baselines", "neighbour", *given,
    )  # fmt: skip
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_model_without_the_modality_is_said(
    cytomol: Run, folder: Path, matcher: Path, pretrained: Path
) -> None:
    for model, message in (
        (matcher, "was fitted on morphology, not on expression"),
        (pretrained, "'expression'"),
    ):
        done = cytomol(
            "evaluate", "matching", folder / "corpus", model, "-m", "expression", "--baselines", "", "-q"
        )  # fmt: skip
        assert done.code == 2
        assert message in done.err


def test_a_matcher_with_a_backbone_needs_no_other_directory(
    cytomol: Run, folder: Path, backed: Path, tmp_path: Path
) -> None:
    shutil.copytree(backed, tmp_path / "moved")
    held_out = folder / "held-out.csv"
    done = evaluate(
        cytomol,
        folder,
        tmp_path / "moved",
        "--held-out",
        held_out,
        "--baselines",
        "",
        "-o",
        tmp_path / "r.csv",
    )
    assert done.code == 0, done.err
    assert set(pd.read_csv(tmp_path / "r.csv")["seen"]) == {"no"}
    done = cytomol(
        "match", tmp_path / "moved", held_out, "--in", held_out, "-o", tmp_path / "found.csv", "-q"
    )  # fmt: skip
    assert done.code == 0, done.err
    assert len(pd.read_csv(tmp_path / "found.csv")) > 0


def test_a_backbone_that_has_seen_the_held_out_profiles_is_said_and_recorded(
    cytomol: Run, folder: Path, pretrained: Path, tmp_path: Path
) -> None:
    held_out = folder / "held-out.csv"
    done = cytomol(
        "matcher", folder / "corpus", "-m", "morphology", "--held-out", held_out, "--workers", 1,
        "--backbone", pretrained, "-o", tmp_path / "leaky",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "does not say that it was trained without the held-out profiles" in done.err
    done = evaluate(
        cytomol,
        folder,
        tmp_path / "leaky",
        "--held-out",
        held_out,
        "--baselines",
        "",
        "-o",
        tmp_path / "r.csv",
    )
    assert done.code == 0, done.err
    assert set(pd.read_csv(tmp_path / "r.csv")["seen"]) == {"yes"}


def test_features_of_other_names_are_said(cytomol: Run, folder: Path, matcher: Path, tmp_path: Path) -> None:
    frame = pd.read_parquet(folder / "corpus" / "modalities" / "morphology.parquet")
    molecules = pd.read_parquet(folder / "corpus" / "molecules.parquet").set_index("mol_id")["smiles"]
    key = next(column for column in frame.columns if column in {"mol_id", "id"})
    other = frame.rename(columns={column: f"other_{column}" for column in frame.columns if column != key})
    other = other.head(40).assign(Metadata_smiles=molecules.reindex(other[key].head(40)).to_numpy())
    other.drop(columns=key).to_csv(tmp_path / "plate.csv", index=False)
    done = cytomol("evaluate", "matching", tmp_path / "plate.csv", matcher, "--baselines", "", "-q")
    assert done.code == 2
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.usefixtures("matcher")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("-m", "gene_knockout"), "no modality 'gene_knockout' of molecules"),
        ((), "several modalities"),
        (("-m", "morphology", "--learn-from", "{folder}/few.csv"), "a matcher takes 20"),
        (("-m", "morphology", "--held-out", "{folder}/labels.csv"), "no profile of morphology is left"),
        (("-m", "morphology", "--backbone", "{folder}/nothing"), "model directory not found"),
        (("-m", "morphology", "--backbone", "{folder}/corpus"), "manifest"),
        (("-m", "morphology", "--backbone", "{folder}/matcher"), "holds a matcher, not a backbone"),
    ],
)
def test_what_cannot_be_fitted_is_one_line(
    cytomol: Run, folder: Path, tmp_path: Path, args: tuple[str, ...], message: str
) -> None:
    pd.read_csv(folder / "held-out.csv").head(8).to_csv(folder / "few.csv", index=False)
    given = [arg.format(folder=folder) for arg in args]
    done = cytomol("matcher", folder / "corpus", *given, "-q", "-o", tmp_path / "matcher")
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "matcher").exists()
    assert len(done.err.strip().splitlines()) == 1
