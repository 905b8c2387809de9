"""Configuration: every file format, every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from cytomol.config import Config
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
