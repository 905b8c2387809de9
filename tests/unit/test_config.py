"""Configuration: every file format, every mistake named."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError

from cytomol.config import MACHINE, Config, defaults
from cytomol.errors import ConfigError


class Options(Config):
    epochs: int = Field(3, ge=0)
    views: tuple[str, ...] = ("1d",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.toml", 'epochs = 5\nviews = ["2d", "3d"]\n'),
        ("a.yaml", "epochs: 5\nviews: [2d, 3d]\n"),
        ("a.json", '{"epochs": 5, "views": ["2d", "3d"]}'),
    ],
)
def test_formats_agree(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert Options.load(tmp_path / name) == Options(epochs=5, views=("2d", "3d"))


def test_written_form_reads_back(tmp_path: Path) -> None:
    options = Options(epochs=7)
    (tmp_path / "config.json").write_text(options.to_json())
    assert Options.load(tmp_path / "config.json") == options


def test_mistakes_name_the_option_and_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("epoch = 5\n")
    with pytest.raises(ConfigError, match=r"a\.toml.*epoch.*epochs"):
        Options.load(path)
    with pytest.raises(ConfigError, match=r"epochs.*-1"):
        Options.build({"epochs": -1})


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.toml", "epochs = = 1"), ("a.yaml", "a: [1"), ("a.json", "{"), ("a.ini", "x"), ("b.json", "[1]")],
)
def test_broken_files(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=name):
        Options.load(tmp_path / name)


def test_frozen() -> None:
    with pytest.raises(ValidationError):
        Options().epochs = 4  # type: ignore[misc]
    assert Options().updated(epochs=4).epochs == 4


class Views(Config):
    """What is looked at."""

    group: ClassVar[str] = "views"
    radius: int = Field(2, ge=1, description="Radius of the fingerprint.")


class Machine(Config):
    """Where it runs."""

    group: ClassVar[str] = MACHINE
    threads: int = 0


@defaults(radius=3)
class Together(Views, Machine):
    """Two groups, and an option of its own."""

    group: ClassVar[str] = "method"
    beta: float = 1.0


def test_an_option_belongs_to_the_group_that_declares_it() -> None:
    expected = {"views": ("radius",), "method": ("beta",), MACHINE: ("threads",)}
    assert Together.groups() == expected
    assert list(Together.groups()) == list(expected), "the machine comes last"


def test_another_default_keeps_range_and_description() -> None:
    assert (Together().radius, Views().radius) == (3, 2)
    assert Together.model_fields["radius"].description == "Radius of the fingerprint."
    with pytest.raises(ConfigError, match="radius"):
        Together.build({"radius": 0})


def test_only_the_machine_does_not_change_a_result() -> None:
    assert Together(threads=4).result_options() == Together().result_options() == {"radius": 3, "beta": 1.0}
    assert Together(beta=2.0).result_options() != Together().result_options()
