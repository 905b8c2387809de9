"""Configuration: every file format, every mistake named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from cytomol.config import MACHINE, Config, defaults, read_options
from cytomol.errors import ConfigError
from cytomol.methods.config import InfoAlignConfig
from cytomol.options.machine import MOST_THREADS


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


TANGLED = {
    "bomb.yaml": "a: &a [x,x]\n"
    + "".join(f"{chr(n + 1)}: &{chr(n + 1)} [*{chr(n)}, *{chr(n)}]\n" for n in range(97, 119)),
    "self.yaml": "epochs: &a [*a]\n",
    "merge.yaml": "a: &a {x: 1}\nb: {<<: [*a, *a]}\n",
    "deep.yaml": "epochs: " + "[" * 30 + "]" * 30,
    "deeper.yaml": "? " * 20_000,
    "hex.yaml": "epochs: 0x" + "f" * 30_000,
    "key.yaml": "training: {1: 2}\n",
    "null.yaml": "training: {null: 2}\n",
    "date.yaml": "2020-01-01: 3\n",
    "long.yaml": "#" * 70_000,
    "dots.toml": "a" + ".a" * 5000 + " = 1\n",
    "bits.toml": "epochs = 0b" + "1" * 200_000,
    "deep.toml": "a" + ".a" * 50 + " = 1\n",
    "long.toml": "#" * 300_000,
    "digits.json": '{"epochs": ' + "9" * 1_000_000 + "}",
    "many.json": '{"views": [' + ",".join("1" * 1_100_000) + "]}",
    "deep.json": '{"epochs": ' + "[" * 50_000 + "]" * 50_000 + "}",
}


@pytest.mark.parametrize("name", TANGLED)
def test_what_stands_in_no_honest_file_is_refused_as_it_is_read(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(TANGLED[name])
    with pytest.raises(ConfigError) as caught:
        read_options(file)
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < 1000


plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**19), 10**19), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(options=st.dictionaries(st.text(max_size=5), plain, max_size=5))
def test_honest_files_are_read_as_they_stand(
    options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    import yaml

    folder = tmp_path_factory.mktemp("plain")
    (folder / "a.json").write_text(json.dumps(options))
    assert read_options(folder / "a.json") == options
    if "<<" not in json.dumps(options):
        (folder / "a.yaml").write_text(yaml.safe_dump(options), encoding="utf-8")
        assert read_options(folder / "a.yaml") == options


def test_a_wrong_value_is_named_without_a_list_of_all_options() -> None:
    for options in ({"threads": MOST_THREADS + 1}, {"threads": 2**31}, {"workers": 10**30}):
        [name] = options
        with pytest.raises(
            ConfigError, match=f"^{name}: Input should be less than or equal to 4096"
        ) as raised:
            InfoAlignConfig.build(dict(options))
        assert "options: " not in str(raised.value)
    with pytest.raises(ConfigError, match=r"options: .*epochs"):
        InfoAlignConfig.build({"epoch": 3})
    assert InfoAlignConfig.build({"threads": MOST_THREADS}).threads == MOST_THREADS
