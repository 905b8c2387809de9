"""``cytomol ablate`` as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cytomol.corpus.planted import write_planted

Run = Callable[..., Any]
SETTINGS = ("width=8", "layers=1", "morgan_bits=64", "batch_size=64", "threads=1", "workers=1")
HEAD = ("hidden=8", "epochs=2", "threads=1")
TINY = [
    *(word for text in SETTINGS for word in ("--set", text)),
    *(word for text in HEAD for word in ("--head-set", text)),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 200, seed=2)
    return path


@pytest.mark.usefixtures("verify_key")  # which asks nothing of the models that the run makes for itself
def test_a_study_of_both_methods(cytomol: Run, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["ablate", corpus, corpus / "assays.csv", "--split", corpus / "split.csv", "-o", out, *TINY]
    words += [
        "--set",
        "chmr.views=1d",
        "--study",
        "walks",
        "--epochs",
        1,
        "--exclude-profiles-of",
        corpus / "heldout.csv",
    ]
    done = cytomol(*words, "--targets", "response_viability,response_stress")
    assert done.code == 0, done.err
    assert "[1/10] chmr walks: full, seed 0: pretrained and scored" in done.err
    assert "walk length 4, seed 0: as a variant with equal options" in done.err
    assert "warning" not in done.err
    shown = done.out.splitlines()
    assert sum(line.startswith(("chmr walks, assays:", "infoalign walks, assays:")) for line in shown) == 2
    assert sum(line.startswith("walk length ") for line in shown) == 8
    rows = pd.read_csv(out / "ablation.csv")
    assert rows.groupby("method").size().to_dict() == {"chmr": 20, "infoalign": 20}
    assert set(rows["task"]) == {"response_viability", "response_stress"}

    again = cytomol(*words, "--targets", "response_viability,response_stress")
    assert again.code == 2
    assert "--resume" in again.err
    again = cytomol(*words, "--targets", "response_viability,response_stress", "--resume", "-q")
    assert again.code == 0
    assert again.out == done.out
    assert "pretrained" not in again.err
    other = cytomol(*words, "--resume")
    assert other.code == 2
    assert "other sets than" in other.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--study", "colour"], "unknown study 'colour' (known: table2, lambda"),
        (["--method", "infoalign", "--study", "depth"], "study depth is one of chmr, not of infoalign"),
        (["--set", "widht=8"], "no option 'widht' of chmr, infoalign (did you mean width?"),
        (["--set", "width"], "'width' sets nothing"),
        (["--set", "width=wide"], "--set width=wide: 'wide' is not a valid integer"),
        (["--set", "infoalign.depth=3"], "no option 'infoalign.depth'"),
        (["--set", "walk_length=99"], "walk_length"),
        (["--head-set", "unfreeze=all"], "frozen backbones"),
        (["--split-col", "nothing"], "nothing"),
        (["--split", "absent.csv"], "absent.csv"),
        (["--exclude-profiles-of", "absent.csv"], "absent.csv"),
        (["--resume"], "no ablation to resume"),
        (["--resume", "--force"], "--resume goes on and --force starts anew"),
    ],
)
def test_bad_use_is_said_and_leaves_nothing(
    cytomol: Run, corpus: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    done = cytomol("ablate", corpus, corpus / "assays.csv", "-o", tmp_path / "out", *words)
    assert done.code == 2
    assert message in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_set(cytomol: Run, corpus: Path, tmp_path: Path) -> None:
    done = cytomol("ablate", corpus, "chembl2", "-o", tmp_path / "out")
    assert done.code == 2
    assert "did you mean 'chembl2k'" in done.err


def test_a_variant_that_fails_gives_status_1(
    cytomol: Run, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytomol.errors import InputError
    from cytomol.training.pretrain import pretrain

    def failing(corpus: Any, config: Any, out: Path, **options: Any) -> Any:
        if config.beta == 1e-6:
            raise InputError("too small")
        return pretrain(corpus, config, out, **options)

    monkeypatch.setattr("cytomol.evaluate.ablation.pretrain", failing)
    words = ["--method", "infoalign", "--study", "minimality", "--epochs", 1, "-q"]
    source = [corpus / "assays.csv", "--split", corpus / "split.csv"]
    done = cytomol("ablate", corpus, *source, "-o", tmp_path / "out", *TINY, *words)
    assert done.code == 1
    assert "1 variant failed:\n  infoalign minimality: beta 1e-06, seed 0: too small" in done.err
    assert "beta 0.001" in done.out
    assert "warning: no molecule's profiles are left out" in done.err
