"""Options generated from configuration models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner, Result
from pydantic import Field

from cytomol.cli.options import Chosen, ConfigCommand, assignments, options_from
from cytomol.config import Config
from cytomol.errors import ConfigError


class Left(Config):
    """First model."""

    batch_size: int = Field(3, ge=1, description="Molecules.")
    lr: float = Field(0.5, gt=0, description="Rate.")
    names: tuple[str, ...] | None = Field(None, description="Names.")
    widths: tuple[int, ...] = Field((1, 2), description="Widths.")
    clip: bool = Field(True, description="Clip.")
    mode: Literal["a", "b"] = Field("a", description="Mode.")
    beta: float = Field(1e-9, description="Beta.")


class Right(Config):
    """Second model."""

    batch_size: int = Field(7, ge=1, description="Molecules.")
    eta: float = Field(1.0, description="Eta.")


def run(*arguments: str, keep: dict[str, Any]) -> Result:
    @click.command()
    @click.argument("table")
    @options_from(Left)
    def command(table: str, chosen: Chosen) -> None:
        keep["table"], keep["config"] = table, chosen.build(Left)

    return CliRunner().invoke(command, ["t.csv", *arguments], standalone_mode=False)


def test_every_field_becomes_an_option_of_its_type() -> None:
    keep: dict[str, Any] = {}
    flags = "--batch-size 9 --lr 0.1 --names x,y --widths 4,5 --no-clip --mode b"
    run(*flags.split(), keep=keep)
    assert keep["table"] == "t.csv"
    assert keep["config"] == Left(batch_size=9, lr=0.1, names=("x", "y"), widths=(4, 5), clip=False, mode="b")


def test_nothing_given_is_the_default_and_empty_text_is_an_empty_list() -> None:
    keep: dict[str, Any] = {}
    run(keep=keep)
    assert keep["config"] == Left()
    run("--names", "", keep=keep)
    assert keep["config"].names == ()


@pytest.mark.parametrize("name", ["o.toml", "o.yaml", "o.json"])
def test_flags_override_the_file(tmp_path: Path, name: str) -> None:
    text = {"o.toml": "lr = 0.25\nbatch_size = 4\n", "o.yaml": "lr: 0.25\nbatch_size: 4\n"}
    path = tmp_path / name
    path.write_text(text.get(name, '{"config": {"lr": 0.25, "batch_size": 4}}'))
    keep: dict[str, Any] = {}
    run("--config", str(path), "--batch-size", "8", keep=keep)
    assert keep["config"] == Left(lr=0.25, batch_size=8)


def test_an_unknown_option_in_the_file_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "o.toml"
    path.write_text("batchsize = 4\n")
    result = run("--config", str(path), keep={})
    assert isinstance(result.exception, ConfigError)
    assert "batchsize" in str(result.exception)
    assert "o.toml" in str(result.exception)


def test_a_value_out_of_range_names_the_option() -> None:
    result = run("--batch-size", "0", keep={})
    assert isinstance(result.exception, ConfigError)
    assert "batch_size" in str(result.exception)


@pytest.mark.parametrize(
    "arguments", [("--batch-size", "x"), ("--mode", "c"), ("--widths", "1,x"), ("--nope", "1")]
)
def test_click_refuses_values_of_the_wrong_type(arguments: tuple[str, ...]) -> None:
    assert isinstance(run(*arguments, keep={}).exception, click.UsageError)


def test_several_models_on_one_command() -> None:
    keep: dict[str, Any] = {}

    @click.command(cls=ConfigCommand, models=lambda: {"left": Left, "right": Right})
    def command(chosen: Chosen) -> None:
        keep["chosen"] = chosen

    shown = CliRunner().invoke(command, ["--help"]).output
    assert "left: 3; right: 7" in " ".join(shown.split())
    assert "[right only]" in shown
    CliRunner().invoke(command, ["--eta", "2", "--batch-size", "5"], standalone_mode=False)
    assert keep["chosen"].build(Right) == Right(eta=2, batch_size=5)
    with pytest.raises(ConfigError, match="--eta is an option of right, not of left"):
        keep["chosen"].build(Left)


def test_a_base_stands_below_file_and_flags() -> None:
    chosen = Chosen(flags={"lr": 0.1}, models={"left": Left})
    assert chosen.build(Left, base=Left(batch_size=11)) == Left(lr=0.1, batch_size=11)


def test_the_module_stays_light() -> None:
    heavy = "{'torch', 'rdkit', 'pandas', 'lightning'}"
    code = f"import cytomol.cli.options, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_assignments_go_to_the_models_that_have_the_option() -> None:
    texts = ["batch_size=7", "left.widths=3, 4", "clip=false", "names=a=b"]
    chosen = assignments(texts, {"left": Left, "right": Right})
    assert chosen["left"]["batch_size"] == 7
    assert chosen["left"]["widths"] == (3, 4)
    assert chosen["left"]["clip"] is False
    assert chosen["left"]["names"] == ("a=b",)
    assert "widths" not in chosen["right"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch_size", "--x: 'batch_size' sets nothing"),
        ("batchsize=3", "no option 'batchsize' of left.*did you mean batch_size"),
        ("other.batch_size=3", "no option 'other.batch_size' of left"),
        ("batch_size=three", "--x batch_size=three: 'three' is not a valid integer"),
        ("mode=c", "--x mode=c: 'c' is not one of"),
    ],
)
def test_an_assignment_that_cannot_be(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        assignments([text], {"left": Left}, option="--x")
