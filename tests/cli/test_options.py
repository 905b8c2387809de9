"""Options generated from configuration models."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar, Literal

import click
import pytest
from click.testing import CliRunner, Result
from pydantic import Field

from cytomol.cli.options import Chosen, ConfigCommand, GroupedCommand, assignments, options_from
from cytomol.config import MACHINE, Config
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


class Rates(Config):
    """A group."""

    group: ClassVar[str] = "rates"
    lr: float = Field(0.5, gt=0, description="Rate.")


class Machine(Config):
    """Another one."""

    group: ClassVar[str] = MACHINE
    threads: int = Field(0, description="Threads.")


class Grouped(Machine, Rates):
    """Both, and what an earlier version had in vain."""

    retired: ClassVar[frozenset[str]] = frozenset({"colour"})


def grouped(*arguments: str, keep: dict[str, Any]) -> Result:
    @click.command(cls=GroupedCommand)
    @click.argument("table")
    @click.option("--force", is_flag=True, help="Own option.")
    @options_from(Grouped)
    def command(table: str, *, force: bool, chosen: Chosen) -> None:
        keep["config"] = chosen.build(Grouped)

    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_help_lists_options_under_their_groups() -> None:
    parts = grouped("--help", keep={}).output.split("Options")
    titles = [part.split("\n")[0] for part in parts[1:]]
    assert titles == [":", ": rates:", f": {MACHINE}:"], "own options first, the machine last"
    for part, names in zip(
        parts[1:], [("--force", "--config", "--help"), ("--lr",), ("--threads",)], strict=True
    ):
        assert all(name in part for name in names)
        assert part.count("  --") == len(names)
    assert "TABLE" not in parts[1]


@pytest.mark.parametrize(
    "text",
    [
        "lr = 0.25\nthreads = 2\n",
        "[rates]\nlr = 0.25\n[machine]\nthreads = 2\n",
        "threads = 2\n[rates]\nlr = 0.25",
    ],
)
def test_a_file_is_flat_or_has_a_table_for_each_group(tmp_path: Path, text: str) -> None:
    path = tmp_path / "o.toml"
    path.write_text(text)
    keep: dict[str, Any] = {}
    grouped("t.csv", "--config", str(path), keep=keep)
    assert keep["config"] == Grouped(lr=0.25, threads=2)
    grouped("t.csv", "--config", str(path), "--lr", "0.75", keep=keep)
    assert keep["config"] == Grouped(lr=0.75, threads=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[rate]\nlr = 0.25\n", r"o\.toml: there is no table 'rate'.*tables: rates, machine"),
        ("[rate]\n", r"there is no table 'rate'"),
        ("[rates]\nthreads = 2\n", r"o\.toml: 'threads' is no option of \[rates\].*\[machine\]"),
        ("[rates]\nlearning = 2\n", r"'learning' is no option of \[rates\].*options: lr"),
        ("lr = 0.25\n[rates]\nlr = 0.5\n", r"lr stands in \[rates\] and outside of it"),
        ("[rates]\nlr = 0.0\n", r"o\.toml: lr: "),
        ("colour = 1\n", "colour"),
    ],
)
def test_an_option_in_the_wrong_table_is_named_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "o.toml"
    path.write_text(text)
    result = grouped("t.csv", "--config", str(path), keep={})
    assert isinstance(result.exception, ConfigError)
    assert re.search(message, str(result.exception)), str(result.exception)


def test_options_beside_a_result_may_be_those_of_an_earlier_version(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"config": {"lr": 0.25, "colour": 1}}')
    keep: dict[str, Any] = {}
    grouped("t.csv", "--config", str(path), keep=keep)
    assert keep["config"] == Grouped(lr=0.25) == Grouped.saved({"lr": 0.25, "colour": 1})
