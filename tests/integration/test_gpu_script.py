"""The script for a GPU machine, rehearsed on a CPU: everything it does there, in small."""

from __future__ import annotations

import csv
import io
import json
import signal
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu.pack import pack_all
from benchmarks.gpu.plan import Settings, Sizes, Training, measured
from benchmarks.gpu.pretraining import Reached, command, models, train
from benchmarks.gpu.stage import run_process
from benchmarks.gpu.unpack import main as unpack_main
from benchmarks.gpu.unpack import unpack
from benchmarks.gpu.worker import main as worker

from cytomol.artifact.backbone import Backbone
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.write import write_corpus

ROOT = Path(__file__).parents[2]
TRAINED = ("infoalign-cell-2-0", "chmr-structure-2-1")
CELL, STRUCTURE = TRAINED
SMILES = ["CCO", "c1ccccc1O", "CN1CCC[C@H]1c1cccnc1"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gpu")
    planted = generate_planted(200)
    write_corpus(planted.corpus, folder / "corpus")
    with (folder / "excluded.csv").open("w", encoding="utf-8") as handle:
        handle.writelines(f"{text}\n" for text in ["smiles", *planted.corpus.smiles[:40]])
    return folder / "corpus"


def stage(module: str, words: list[str], **given: Any) -> str:
    """Run a stage: the one that starts processes itself in one of its own, as there, the others here."""
    if words[0] == "pretraining":
        return run_process(module, words, **given)
    with warnings.catch_warnings():
        worker(words)
    return "done"


def script(*words: str | Path) -> str:
    """Call the script and return what it says."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.delenv("CYTOMOL_DATA", raising=False)
        patch.setattr(gpu, "run_process", stage)
        try:
            assert gpu.main([str(word) for word in words]) == 0, said.getvalue()
        finally:
            signal.signal(signal.SIGTERM, before)
    return said.getvalue()


@pytest.fixture(scope="module")
def rehearsed(corpus) -> tuple[Path, list[str]]:
    """The folder that comes home after every stage, and the words that filled it."""
    folder = corpus.parent
    words = ["--corpus", corpus, "--exclude", folder / "excluded.csv", "--out", folder / "out"]
    words += ["--work", folder / "work", "--device", "cpu", "--tiny", "--trainings", ",".join(TRAINED)]
    said = script(*words)
    assert "not reached: nothing" in said
    return folder / "out", [str(word) for word in words]


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "rows.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.slow
def test_every_stage_leaves_its_rows(rehearsed):
    rows = rows_of(rehearsed[0])
    assert {row["stage"] for row in rows} == {
        "device",
        "features",
        "equality",
        "speed",
        "sums",
        "pretraining",
    }
    assert [row for row in rows if row["note"].startswith("error")] == []
    assert {row["device"] for row in rows} == {"CPU"}
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    speed = {
        (r["what"], r["method"], r["batch"], r["precision"], r["mode"]): r
        for r in rows
        if r["stage"] == "speed"
    }
    for case in measured(Sizes.tiny()):
        row = speed[case.what, case.method, str(case.batch), case.precision, case.mode]
        assert float(row["value"]) > 0
        assert 0 < float(row["share_of_products"]) < 2  # of tiny products, measured once
        assert float(row["share_of_copy"]) > 0
        assert row["idle"] == row["peak_mb"] == ""  # not measured without a GPU
    assert len([row for row in rows if row["stage"] == "sums"]) == 2 * 2 * 4


@pytest.mark.slow
@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_what_a_gpu_would_compute_is_what_the_cpu_computes(method, rehearsed):
    rows = {
        (row["what"], row["precision"]): row
        for row in rows_of(rehearsed[0])
        if row["stage"] == "equality" and row["method"] == method
    }
    for kind in ("encoder output", "loss terms", "gradients"):
        assert rows[kind, "float64"]["note"].startswith("within 1e-08: yes")
        assert float(rows[kind, "bf16"]["value"]) > float(rows[kind, "float32"]["value"])
    # the device stands in by torch's plain operations, the host has its fused ones
    for kind in ("encoder output", "loss terms"):
        assert rows[kind, "float32"]["note"].startswith("within 0.0001: yes")
        assert float(rows[kind, "float32"]["value"]) < 1e-5
    assert rows["batch made on the device", ""]["note"].startswith("equal: yes")
    assert rows["host waits within a step", "bf16"]["value"] == ""


@pytest.mark.slow
def test_what_comes_home_is_little_and_gives_models_that_work(rehearsed):
    out = rehearsed[0]
    files = list(out.iterdir())
    assert {path.name for path in files} == {"rows.csv", "log.txt", "weights.zip"}
    assert len(files) <= 8
    assert max(path.stat().st_size for path in files) < 16 * 2**20
    found = {row["what"]: row for row in rows_of(out) if row["stage"] == "pretraining"}
    assert unpack_main([str(out), str(out.parent / "home")]) == 0
    for name in TRAINED:
        assert found[f"{name}: epochs"]["value"] == "2"
        assert found[f"{name}: epochs"]["note"].startswith("finished")
        assert float(found[f"{name}: loss"]["value"]) > 0
        assert float(found[f"{name}: speed"]["value"]) > 0
        home = Backbone.load(out.parent / "home" / name).embed(SMILES)[0]
        whole = Backbone.load(out.parent / "work" / "models" / name).embed(SMILES)[0]
        assert 0 < np.linalg.norm(home - whole) / np.linalg.norm(whole) < 5e-3
    training = json.loads((out.parent / "home" / CELL / "training.json").read_text())
    assert training["data"]["excluded"]["profiles"] > 0
    assert not json.loads((out.parent / "home" / STRUCTURE / "config.json").read_text())["modalities"]


@pytest.mark.slow
def test_called_again_it_has_nothing_to_do(rehearsed):
    out, words = rehearsed
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name != "log.txt"}
    said = script(*words)
    assert said.count("done before") == 4
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name != "log.txt"} == before


@pytest.mark.slow
def test_an_interrupted_training_comes_home_and_goes_on(corpus, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    endless = Training("infoalign", cells=True, epochs=100_000, seed=0)
    settings = Settings(
        corpus, None, tmp_path / "out", tmp_path / "work", "cpu", Sizes.tiny(), (endless.name,)
    )
    said = ""

    def has_begun() -> bool:
        nonlocal said
        said += capfd.readouterr().err
        return "epoch 2/" in said

    [code] = train([command(endless, settings, None)], 1, has_begun)
    place = models(settings) / endless.name
    reached = Reached.read(place)
    assert code != 0
    assert reached is not None
    assert not reached.finished
    assert reached.epochs >= 2
    settings.out.mkdir()
    assert pack_all(models(settings), settings.trainings, settings.out, tmp_path / "packed") == [endless.name]
    [half_way] = unpack(settings.out, tmp_path / "half-way")
    assert np.isfinite(Backbone.load(half_way).embed(SMILES)[0]).all()
    assert json.loads((half_way / "training.json").read_text())["epochs"] == reached.epochs

    words = command(endless, settings, None)
    words[words.index("--epochs") + 1] = str(reached.epochs + 2)
    assert train([words], 1, lambda: False) == [0]
    last = Reached.read(place)
    assert last is not None
    assert last.finished
    assert last.epochs == reached.epochs + 2
    history = json.loads((place / "training.json").read_text())["history"]
    assert [entry["epoch"] for entry in history] == list(range(1, last.epochs + 1))
