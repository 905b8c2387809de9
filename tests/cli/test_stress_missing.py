"""``cytomol stress missing`` as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cytomol.corpus.planted import write_planted

Run = Callable[..., Any]
SETTINGS = ("width=8", "layers=1", "morgan_bits=64", "batch_size=64", "threads=1", "workers=1", "views=1d")
TINY = [*(word for text in SETTINGS for word in ("--set", text)), "--epochs", "1"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 200, seed=2)
    return path


@pytest.mark.usefixtures("verify_key")  # which asks nothing of the models that the run makes for itself
def test_two_fillings_at_random_and_by_plate(cytomol: Run, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["stress", "missing", corpus, corpus / "assays.csv", "--split", corpus / "split.csv", "-o", out]
    words += [
        *TINY,
        "--filling",
        "mean,neighbour",
        "--rates",
        "0,90",
        "--plates",
        corpus / "truth" / "plates",
    ]
    words += ["--pattern", "random,plate", "--targets", "response_viability,response_stress"]
    done = cytomol(*words)
    assert done.code == 0, done.err
    first = "[1/16] chmr, filled by mean: 0% of all at random hidden in pretraining, seed 0: pretrained and"
    assert first in done.err
    assert "0% of all by plate hidden in pretraining, seed 0: as another point with the same" in done.err
    shown = done.out.splitlines()
    assert "chmr, all hidden by plate in use: matching of morphology, profile to molecule, mrr" in shown
    assert "chmr, all hidden at random in pretraining: downstream of assays, roc_auc" in shown
    assert sum(line.startswith("neighbour ") for line in shown) == sum(
        line.startswith("mean ") for line in shown
    )
    rows = pd.read_csv(out / "missing.csv")
    assert rows["score"].notna().all()
    curves = pd.read_csv(out / "summary.csv")
    assert "What missing profiles cost" in (out / "report.html").read_text(encoding="utf-8")
    assert set(curves["rate"]) == {0.0, 0.9}
    assert set(curves["filling"]) == {"mean", "neighbour"}

    again = cytomol(*words)
    assert again.code == 2
    assert "--resume" in again.err
    again = cytomol(*words, "--resume", "-q")
    assert (again.code, again.out) == (0, done.out)
    assert "pretrained" not in again.err
    other = cytomol(*words, "--resume", "--set", "lr=0.01")
    assert other.code == 2
    assert "other options than in the stress test that lies here" in other.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--filling", "gold"], "unknown filling 'gold' (known: zero, mean, neighbour"),
        (["--pattern", "colour"], "unknown pattern 'colour' (known: plate, random, scaffold)"),
        (["--pattern", "plate"], "on which plates morphology was measured"),
        (["--plates", "absent"], "no such folder of plates"),
        (["--rates", "0,many"], "--rates: 'many' is no share to hide (give percents, as 0,50,90)"),
        (["--rates", "150"], "'150' is no share to hide"),
        (["--hide", "smell"], "no modality 'smell' (this corpus has morphology, expression, gene_knockout)"),
        (
            ["--hide", "gene_knockout"],
            "gene_knockout is of genes, which have no scaffold (hide it at random)",
        ),
        (["--place", "kitchen"], "nothing is hidden in 'kitchen' (known: pretraining, use)"),
        (["--method", "alchemy"], "'alchemy' is not one of"),
        (["--method", "infoalign", "--filling", "zero"], "the method fills no gaps, so not with zero"),
        (["--held-out", "absent.csv"], "absent.csv"),
        (["--set", "widht=8"], "no option 'widht' of chmr (did you mean width?"),
        (["--set", "target_spaces=pooled"], "pooled modalities cannot be hidden one by one"),
        (["--set", "modalities=smell"], "no modality smell"),
        (["--preset", "gold"], "unknown preset 'gold'"),
        (["--resume"], "no stress test to resume"),
        (["--resume", "--force"], "--resume goes on and --force starts anew"),
    ],
)
def test_bad_use_is_said_and_leaves_nothing(
    cytomol: Run, corpus: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    done = cytomol("stress", "missing", corpus, "-o", tmp_path / "out", *words)
    assert done.code == 2, done.err
    assert message in " ".join(done.err.split())
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_sub_verb_lists_the_known(cytomol: Run) -> None:
    done = cytomol("stress", "noise")
    assert done.code == 2
    assert "no stress 'noise'; there are missing" in done.err
    assert "missing" in cytomol("stress", "--help").out


def test_a_point_that_fails_gives_status_1(cytomol: Run, corpus: Path, tmp_path: Path) -> None:
    """A method that learns from profiles alone has nothing to learn from once all are hidden."""
    words = ["--method", "contrastive", "--rates", "100", "--place", "pretraining", "--pattern", "random"]
    done = cytomol("stress", "missing", corpus, "-o", tmp_path / "out", *TINY, *words)
    assert done.code == 1, done.err
    assert "1 point failed:\n  contrastive, filled by none: 100% of all at random" in done.err
    assert "0 molecules have a profile, and the method learns from those alone" in done.err
