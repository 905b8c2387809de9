"""``cytomol pretrain`` as a user runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cytomol.artifact.backbone import Backbone
from cytomol.cli.main import main
from cytomol.corpus import read_corpus
from cytomol.corpus.planted import write_planted

SMALL = [
    "--width",
    "16",
    "--layers",
    "2",
    "--views",
    "2d",
    "--batch-size",
    "48",
    "--threads",
    "1",
    "--accelerator",
    "cpu",
    "--no-report",
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 200, seed=2)
    return path


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main(["pretrain", *map(str, arguments)])
    assert isinstance(end.value.code, int)
    return end.value.code


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "cytomol", "pretrain", *map(str, arguments)]


def test_a_pipe_gets_one_line_per_epoch(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    assert _run(corpus, "--method", "infoalign", "-o", out, "--epochs", 2, *SMALL) == 0
    shown = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("epoch ") for line in shown) == 2
    assert shown[-1].startswith(f"wrote {out}")
    assert Backbone.load(out).config.width == 16
    assert not (out / "report.html").exists()


def test_the_report_lies_in_the_model_and_knows_its_labels(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "mechanisms.csv"
    table = read_corpus(corpus).molecules[["smiles"]].head(60)
    table.assign(moa=["tubulin", "kinase", "kinase"] * 20).to_csv(labels, index=False)
    out, small = tmp_path / "m", [one for one in SMALL if one != "--no-report"]
    options = ["--method", "chmr", "--epochs", 1, "--modalities", "morphology", *small]
    assert _run(corpus, *options, "--labels", labels, "-o", out) == 0
    assert capsys.readouterr().err.splitlines()[-1] == f"report: {out / 'report.html'}"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "CHMR learnt from 200 molecules" in page
    assert "kinase (" in page
    assert json.loads((out / "overview.json").read_text(encoding="utf-8"))["label_kind"] == "moa"
    Backbone.load(out)  # the page is no stranger in the directory

    assert _run(corpus, *options, "--labels", labels, "--label-col", "target", "-o", tmp_path / "n") == 2
    assert _run(corpus, *options, "--label-col", "moa", "-o", tmp_path / "n") == 2
    assert not (tmp_path / "n").exists()


def test_file_preset_and_flags_meet(corpus: Path, tmp_path: Path) -> None:
    options = tmp_path / "o.toml"
    options.write_text("epochs = 0\nwidth = 24\nlayers = 2\nbeta = 0.5\n")
    out = tmp_path / "m"
    arguments = [corpus, "--method", "infoalign", "-o", out, "--config", options, "--preset", "paper"]
    assert _run(*arguments, "--width", 32, "-q") == 0
    config = json.loads((out / "config.json").read_text())["config"]
    assert (config["epochs"], config["width"], config["beta"], config["lr"]) == (0, 32, 0.5, 1e-4)
    # what was written can be given back
    assert (
        _run(corpus, "--method", "infoalign", "-o", tmp_path / "n", "--config", out / "config.json", "-q")
        == 0
    )
    assert json.loads((tmp_path / "n" / "config.json").read_text())["config"] == config


def test_profiles_are_left_out_with_a_count(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = corpus / "heldout.csv"
    more = tmp_path / "more.smi"
    more.write_text("".join(f"{text}\n" for text in read_corpus(corpus).smiles[:100]))
    arguments = ["--method", "infoalign", "--epochs", 0, *SMALL, "--exclude-profiles-of", listed]
    out = tmp_path / "m"
    assert _run(corpus, *arguments, "-o", out, "--exclude-profiles-of", more) == 0
    data = json.loads((out / "training.json").read_text())["data"]
    left = data["excluded"]
    assert left["relations"] > 0
    assert f"left out {left['profiles']} profiles and {left['relations']} rel" in capsys.readouterr().err
    card = (out / "README.md").read_text()
    assert f"profiles left out: {left['profiles']}, and {left['relations']} relations" in card
    assert len(data["exclude"]) == 2

    out = tmp_path / "n"
    assert _run(corpus, *arguments, "--keep-relations", "-o", out) == 0
    assert "and 0 relations (their relations stay)" in capsys.readouterr().err
    data = json.loads((out / "training.json").read_text())["data"]
    assert 0 < data["excluded"]["profiles"] < left["profiles"]
    assert "and no relations" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--method", "infoalign", "--eta", "0.3"],
            "--eta is an option of chmr, not of infoalign",
        ),
        (["--method", "infoalign", "--views", "1d,2d"], "views must be 2d"),
        (["--epochs", "-1"], "epochs"),
        (["--modalities", "smell"], "no modality smell"),
        (["--views", "2d", "--resume"], "no interrupted training"),
        (["--views", "2d", "--exclude-profiles-of", "absent.csv"], "absent.csv"),
        (["--views", "2d", "--keep-relations"], "--keep-relations"),
        (["--views", "2d", "--criteria", "target,taste"], "unknown edge criterion 'taste'"),
        (["--views", "2d", "--profile-targets", "smell"], "no modality smell"),
        (["--views", "2d", "--config", "absent.toml"], "absent.toml"),
        (["--views", "2d", "--init-encoder", "absent"], "absent"),
        (["--accelerator", "cuda", "--devices", "64"], "64 devices"),
    ],
)
def test_bad_use_is_said_and_leaves_nothing(
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    out = tmp_path / "m"
    common = ["--width", 16, "--layers", 2]
    views = [] if "--views" in arguments or "infoalign" in arguments else ["--views", "2d"]
    assert _run(corpus, "-o", out, *common, *views, *arguments) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_option_in_the_file_is_named(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = tmp_path / "o.yaml"
    options.write_text("batchsize: 3\n")
    assert _run(corpus, "-o", tmp_path / "m", "--config", options) == 2
    shown = capsys.readouterr().err
    assert "batchsize" in shown
    assert "o.yaml" in shown


def test_an_existing_output_needs_force(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    arguments = [corpus, "--method", "infoalign", "-o", out, "--epochs", 0, *SMALL, "-q"]
    assert _run(*arguments) == 0
    assert _run(*arguments) == 2
    assert "--force" in capsys.readouterr().err
    assert _run(*arguments, "--force") == 0


def test_help_names_every_option_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    from cytomol.methods.config import CHMRConfig, InfoAlignConfig

    assert _run("--help") == 0
    shown = capsys.readouterr().out
    for name in {*CHMRConfig.model_fields, *InfoAlignConfig.model_fields}:
        assert f"--{name.replace('_', '-')}" in shown
    assert "[chmr only]" in " ".join(shown.split())


def test_the_module_stays_light() -> None:
    heavy = "{'torch', 'rdkit', 'pandas', 'lightning'}"
    code = f"import cytomol.cli.pretrain, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.slow
def test_ctrl_c_saves_and_resume_continues(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    arguments = [
        corpus,
        "--method",
        "infoalign",
        "-o",
        out,
        "--epochs",
        400,
        *SMALL,
        "--schedule",
        "constant",
    ]
    process = subprocess.Popen(_command(*arguments), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch 2/"):
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    assert process.wait(timeout=60) == 130
    assert "--resume" in rest
    assert "Traceback" not in rest
    assert not out.exists()
    embedding, _ = Backbone.load(tmp_path / "m.partial").embed(["CCO"])
    assert embedding.shape == (1, 16)
    state = json.loads((tmp_path / "m.partial" / "state.json").read_text())["state"]
    arguments[arguments.index(400)] = state["epoch"] + 2
    assert _run(*arguments, "--resume") == 0
    history = json.loads((out / "training.json").read_text())["history"]
    assert [entry["epoch"] for entry in history] == list(range(1, state["epoch"] + 3))
    assert not (tmp_path / "m.partial").exists()


@pytest.mark.slow
def test_two_processes_train_together(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert _run(corpus, "--method", "chmr", "-o", out, "--epochs", 6, *SMALL, "--devices", 2) == 0
    assert sum(line.startswith("epoch ") for line in capfd.readouterr().err.splitlines()) == 6
    history = json.loads((out / "training.json").read_text())["history"]
    assert history[-1]["train"]["loss"] < history[0]["train"]["loss"]
    assert Backbone.load(out).embed(["CCO"])[1].all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.slow
def test_a_signal_stops_two_processes(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    arguments = [corpus, "--method", "infoalign", "-o", out, "--epochs", 5000, *SMALL, "--devices", 2]
    process = subprocess.Popen(_command(*arguments), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch 2/"):
            process.send_signal(signal.SIGTERM)
            break
    began = time.monotonic()
    rest = process.stderr.read()
    assert process.wait(timeout=60) == 130, rest
    assert time.monotonic() - began < 60
    assert Backbone.load(tmp_path / "m.partial").embed(["CCO"])[1].all()
