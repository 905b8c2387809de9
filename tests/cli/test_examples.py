"""Every help ends with an example, and the examples work in a clone of the repository."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from tests.cli.test_readme import parse
from tools.architecture import ROOT
from tools.site.verbs import Command, commands

from cytomol.cli.examples import HEADING, commands_of, examples
from cytomol.cli.main import main

EVERY = commands()
SHOWN = {command.name: commands_of(command.command.epilog) for command in EVERY}
EXAMPLES = [(name, line) for name, lines in SHOWN.items() for line in lines]
# Beside each example what makes it quick, in an order in which one makes what the next one reads. Those that
# are not here take long; they are parsed below, and the tests of their verbs run them.
QUICK = {
    "corpus planted": "--size 200",
    "corpus check": "",
    "corpus build": "",
    "corpus add": "",
    "corpus annotate": "",
    "pretrain": "--width 16 --layers 2 --epochs 1 --depth 3 --workers 1 --threads 1",
    "embed": "--workers 1",
    "impute": "--workers 1",
    "codes": "--workers 1",
    "match": "--workers 1",
    "check": "",
    "finetune": "--learner neighbours --calibration-folds 0 --no-baselines --no-report --workers 1",
    "report": "",
    "predict": "--workers 1",
    "score": "--workers 1",
    "sign": "",
    "data list": "",
}


@pytest.mark.parametrize("command", EVERY, ids=lambda command: command.name)
def test_the_help_ends_with_an_example(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command.words[1:], "--help"])
    told = capsys.readouterr().out
    assert "\\b" not in told, "a backspace for click, not two letters: the docstring is raw"
    *_, heading, shown = re.split(r"^  (Examples?:)$", told, flags=re.MULTILINE)
    assert heading in HEADING.values()
    assert commands_of(f"{heading}\n{shown}") == SHOWN[command.name] != []
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=lambda value: value[:60])
def test_the_example_calls_its_command(name: str, line: str) -> None:
    called = parse(line)
    prepares = name == "cytomol pretrain" and called.name == "planted"  # it makes the corpus first
    assert not isinstance(called, click.Group)
    assert line.startswith(name) or prepares


def test_what_an_example_reads_is_there_or_was_made_by_another() -> None:
    made = {"mirror"}  # the reader's own
    read = set()
    for _, line in EXAMPLES:
        for word, before in zip(shlex.split(line)[1:], shlex.split(line), strict=False):
            if before in {"-o", "--to"}:
                made.add(word.rstrip("/"))
            elif "/" in word and not word.startswith("-") and before != "--shard":
                read.add(word.rpartition(":")[2])
    assert len(read) >= 8
    for path in read:
        place = path.partition("/")[0]
        assert (ROOT / path).is_file() if place == "examples" else place in made, path


def test_an_example_is_folded_between_options_and_read_back() -> None:
    line = f"cytomol match backbone {'long/' * 8}a.csv --in b.csv -o {'far/' * 16}c.csv"
    shown = examples(line, "cytomol data list")
    assert shown.startswith("\b\nExamples:\n")
    assert " \\\n      -o far/" in shown
    assert commands_of(shown) == [line, "cytomol data list"]
    assert commands_of(None) == []


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the tables of the repository."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


def test_the_quick_examples_work_one_after_the_other(
    cytomol: Callable[..., Any], clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone)
    for name, faster in QUICK.items():
        words = shlex.split(SHOWN[f"cytomol {name}"][-1 if name == "pretrain" else 0])
        done = cytomol(*words[1:], *shlex.split(faster))
        assert done.code == 0, f"{shlex.join(words)}: {done.err}"
    made = {"corpus", "painting", "both", "annotated", "backbone", "model", "predictions.csv", "score.json"}
    assert made <= {path.name for path in clone.iterdir()}
    assert (clone / "matches.csv").stat().st_size > 0
