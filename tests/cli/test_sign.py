"""cytomol sign, and --verify-key on every verb that opens a model."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click
import pytest
from tools.site.verbs import commands

from cytomol.artifact.signature import VERIFY_KEY
from cytomol.cli.main import main


def run(*args: str | Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main([*map(str, args)])
    return ended.value.code


@pytest.fixture
def model(untrained: dict[str, Path], tmp_path: Path) -> Path:
    shutil.copytree(untrained["infoalign"], tmp_path / "model")
    return tmp_path / "model"


def test_a_signed_model_is_opened_and_any_other_is_refused_in_one_line(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, key = tmp_path / "molecules.csv", tmp_path / "key.pem"
    table.write_text("smiles\nCCO\n")
    assert run("sign", model, "--key", key, "--new-key") == 0
    told = capsys.readouterr().err
    assert f"{key}.pub" in told
    assert str(model / "manifest.sig") in told
    embed = ("embed", model, table, "--workers", 1, "-q", "--verify-key", f"{key}.pub")
    assert run(*embed, "-o", tmp_path / "signed.csv") == 0
    assert VERIFY_KEY not in os.environ, "the key is that of one command"
    (model / "manifest.sig").unlink()
    capsys.readouterr()
    assert run(*embed, "-o", tmp_path / "unsigned.csv") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "is not signed" in lines[0]
    assert not (tmp_path / "unsigned.csv").exists()


def test_the_parts_of_a_long_input_hold_to_the_key(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, key = tmp_path / "molecules.csv", tmp_path / "key.pem"
    table.write_text("smiles\n" + "CCO\nCCN\n" * 6)
    assert run("sign", model, "--key", key, "--new-key") == 0
    embed = ("embed", model, table, "--workers", 1, "-q", "--chunk-rows", 4, "--verify-key", f"{key}.pub")
    assert run(*embed, "-o", tmp_path / "embeddings.csv") == 0
    assert len((tmp_path / "embeddings.csv").read_text().splitlines()) == 13


def test_what_is_damaged_is_not_signed(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (model / "weights.safetensors").open("ab") as handle:
        handle.write(b"x")
    assert run("sign", model, "--key", tmp_path / "key.pem", "--new-key") == 2
    assert "is not the file that was saved" in capsys.readouterr().err
    assert not (tmp_path / "key.pem").exists()
    assert run("sign", "default", "--key", tmp_path / "key.pem", "--new-key") == 2
    assert "comes with cytomol" in capsys.readouterr().err


def test_the_variable_holds_without_the_option(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VERIFY_KEY, str(tmp_path / "absent.pub"))
    assert run("serve", model) == 2
    assert "key cannot be read" in capsys.readouterr().err


def test_every_verb_that_opens_a_model_takes_the_key() -> None:
    with_key, with_model = set(), {"cytomol report"}
    for command in commands():
        for parameter in command.command.get_params(command.context):
            if parameter.name in {"model", "backbone", "init_encoder"} or (
                parameter.name == "models" and isinstance(parameter, click.Argument)
            ):
                with_model.add(command.name)
            if "--verify-key" in parameter.opts:
                with_key.add(command.name)
    assert with_key == with_model - {"cytomol sign"}
