"""The model directory: whole, verified, never unpickled."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cytomol.artifact.directory import load_model, load_weights, save_model, verify, write_model
from cytomol.errors import ModelDirectoryError, OutputError
from cytomol.files import sha256


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_model(
        tmp_path / "model",
        kind="backbone",
        config={"method": "x", "width": 3},
        weights={"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(1, dtype=torch.int64)},
        statistics={"mean": np.array([1.0, 2.0], np.float32)},
        texts={"training.json": "{}"},
        tensors={"more.safetensors": {"c": torch.ones(2)}},
    )


def test_what_is_saved_is_loaded(model: Path) -> None:
    loaded = load_model(model, kind="backbone")
    assert loaded.config == {"method": "x", "width": 3}
    assert torch.equal(loaded.weights["a"], torch.arange(6.0).reshape(2, 3))
    assert loaded.weights["b"].dtype == torch.int64
    assert loaded.statistics["mean"].tolist() == [1.0, 2.0]
    assert loaded.read_json("training.json") == {}
    manifest = json.loads((model / "manifest.json").read_text())
    files = {p.name for p in model.iterdir()} - {"manifest.json"}
    assert set(manifest["files"]) == files
    assert all(manifest["files"][name] == sha256(model / name) for name in files)
    assert manifest["schema_version"] == 2


def test_equal_models_have_equal_digests(model: Path, tmp_path: Path) -> None:
    other = save_model(tmp_path / "other", kind="backbone", config={}, weights={}, statistics={})
    assert load_model(model).digest == verify(model)["digest"] != load_model(other).digest


def test_what_tells_of_a_run_is_verified_but_names_no_model(model: Path, tmp_path: Path) -> None:
    """Seconds and commands differ from run to run; all else of a model, and of one within it, counts."""

    def made(name: str, inner: Path, **texts: str) -> Path:
        shutil.copytree(inner, tmp_path / name / "backbone")
        files = {f"{key}.json": text for key, text in texts.items()}
        write_model(
            tmp_path / name, kind="predictor", config={"a": 1}, weights={}, statistics={}, texts=files
        )
        return tmp_path / name

    loaded = load_model(model)
    again = save_model(
        tmp_path / "again",
        kind="backbone",
        config=loaded.config,
        weights=loaded.weights,
        statistics=loaded.statistics,
        texts={"training.json": '{"seconds": 3}'},
        tensors={"more.safetensors": {"c": torch.ones(2)}},
    )
    assert load_model(again).digest == loaded.digest
    first, second = (made("one", model, scores="{}"), made("two", again, scores='{"seconds": 1}'))
    assert load_model(first).digest == load_model(second).digest
    other = save_model(tmp_path / "other", kind="backbone", config={"width": 4}, weights={})
    for each in (made("three", other, scores="{}"), made("four", model, split="{}")):
        assert load_model(each).digest != load_model(first).digest
    for place in (first, first / "backbone"):
        with pytest.raises(ModelDirectoryError, match="is not the file that was saved"):
            (place / ("scores.json" if place == first else "training.json")).write_text("{ }")
            verify(place)
    (second / "backbone" / "manifest.json").write_text("[]")
    manifest = json.loads((second / "manifest.json").read_text())
    manifest["files"]["backbone/manifest.json"] = sha256(second / "backbone" / "manifest.json")
    (second / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelDirectoryError, match="has no digest"):
        verify(second)


def test_a_directory_of_the_first_schema_is_read(model: Path) -> None:
    """There every file named the model."""
    path = model / "manifest.json"
    manifest = json.loads(path.read_text()) | {"schema_version": 1}
    listing = json.dumps(["backbone", sorted(manifest["files"].items())])
    digest = hashlib.sha256(listing.encode()).hexdigest()
    path.write_text(json.dumps(manifest | {"digest": digest}))
    assert load_model(model).digest == digest
    path.write_text(json.dumps(manifest))
    with pytest.raises(ModelDirectoryError, match="is altered: its digest is"):
        load_model(model)


def test_an_altered_file_fails_with_its_name_and_both_hashes(model: Path) -> None:
    file = model / "weights.safetensors"
    before = sha256(file)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelDirectoryError) as error:
        load_model(model)
    assert str(file) in str(error.value)
    assert before in str(error.value)
    assert sha256(file) in str(error.value)


def test_a_file_of_another_model_fails(model: Path, tmp_path: Path) -> None:
    other = save_model(tmp_path / "o", kind="backbone", config={"method": "y"}, weights={"a": torch.zeros(1)})
    (model / "config.json").write_bytes((other / "config.json").read_bytes())
    with pytest.raises(ModelDirectoryError, match=r"config\.json") as error:
        load_model(model)
    assert sha256(other / "config.json") in str(error.value)


def test_a_file_that_does_not_belong_fails(model: Path) -> None:
    stranger = model / "extra.bin"
    stranger.write_bytes(b"x")
    with pytest.raises(ModelDirectoryError, match=r"extra\.bin") as error:
        load_model(model)
    assert sha256(stranger) in str(error.value)


def test_a_missing_file_fails(model: Path) -> None:
    (model / "statistics.safetensors").unlink()
    with pytest.raises(ModelDirectoryError, match=r"statistics\.safetensors.*missing"):
        load_model(model)


def test_an_altered_manifest_fails(model: Path) -> None:
    path = model / "manifest.json"
    table = json.loads(path.read_text())
    path.write_text(json.dumps({**table, "kind": "predictor"}))
    with pytest.raises(ModelDirectoryError, match="altered"):
        load_model(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 99}, "schema version 99"),
        ({"format": "other"}, "not the manifest"),
        ({"files": {}}, "does not list"),
        ({"files": []}, "does not list"),
    ],
)
def test_a_foreign_manifest_fails(model: Path, change: dict[str, object], message: str) -> None:
    path = model / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelDirectoryError, match=message):
        load_model(model)


def test_a_manifest_cannot_point_outside(model: Path) -> None:
    path = model / "manifest.json"
    table = json.loads(path.read_text())
    table["files"]["../secret"] = "0" * 64
    path.write_text(json.dumps(table))
    with pytest.raises(ModelDirectoryError, match="does not list"):
        load_model(model)


def test_other_places_are_named(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelDirectoryError, match="not found"):
        load_model(tmp_path / "absent")
    with pytest.raises(ModelDirectoryError, match="not a model directory"):
        load_model(tmp_path / "empty")
    with pytest.raises(ModelDirectoryError, match="is a file"):
        load_model(tmp_path / "file")
    with pytest.raises(ModelDirectoryError, match="holds a backbone, not a predictor"):
        load_model(model, kind="predictor")
    (model / "manifest.json").write_text("{")
    with pytest.raises(ModelDirectoryError, match="cannot be read"):
        load_model(model)


def test_a_pickle_in_place_of_weights_is_not_run(model: Path) -> None:
    (model / "weights.safetensors").write_bytes(pickle.dumps({"a": 1}))
    table = json.loads((model / "manifest.json").read_text())
    with pytest.raises(ModelDirectoryError):
        load_model(model)
    assert table["files"]["weights.safetensors"] != sha256(model / "weights.safetensors")


def test_an_existing_directory_stays_unless_forced(model: Path) -> None:
    with pytest.raises(OutputError, match="exists"):
        save_model(model, kind="backbone", config={}, weights={})
    save_model(model, kind="backbone", config={"new": 1}, weights={}, force=True)
    assert load_model(model).config == {"new": 1}


def test_weights_that_do_not_fit_are_named() -> None:
    module = nn.Linear(2, 3)
    with pytest.raises(
        ModelDirectoryError, match=r"bias is missing; other is unknown; weight is \(1, 2\), not"
    ):
        load_weights(module, {"weight": torch.zeros(1, 2), "other": torch.zeros(1)}, where="m")
