"""Completion in bash, zsh and fish."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cytomol.cli.main import main
from cytomol.version import __version__

SHELLS = ("bash", "zsh", "fish")
INSTALL = Path(__file__).parents[2] / "docs" / "install.md"


def ask(
    line: str, shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[tuple[str, str]]:
    """Return kind and text of what a shell is offered for the last word of a line."""
    words = line.split(" ")
    monkeypatch.setenv("COMP_WORDS", " ".join(words[:-1]) if shell == "fish" else line)
    monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
    monkeypatch.setenv("_CYTOMOL_COMPLETE", f"{shell}_complete")
    with pytest.raises(SystemExit):
        main([])
    told = capsys.readouterr().out.split("\n")[:-1]
    if told == [""]:  # nothing
        return []
    if shell == "bash":
        return [(kind, text) for kind, _, text in (row.partition(",") for row in told)]
    if shell == "zsh":
        return list(zip(told[::3], told[1::3], strict=True))
    return [(kind, text.partition("\t")[0]) for kind, _, text in (row.partition(",") for row in told)]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("cytomol ma", ["match", "matcher"]),
        ("cytomol evaluate im", ["imputation"]),
        ("cytomol data li", ["list"]),
        ("cytomol corpus planted --si", ["--size"]),
        ("cytomol corpus build --join inch", ["inchikey"]),
    ],
)
def test_verbs_options_and_choices(
    shell: str,
    line: str,
    offered: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ask(line, shell, monkeypatch, capsys) == [("plain", word) for word in offered]


@pytest.mark.parametrize("shell", SHELLS)
def test_names_of_files_where_nothing_better_is_known(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("cytomol check exa", shell, monkeypatch, capsys) == [("file", "exa")]
    assert ask("cytomol check --nothing", shell, monkeypatch, capsys) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_that_the_documents_name_is_written(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"_CYTOMOL_COMPLETE={shell}_source cytomol" in INSTALL.read_text(encoding="utf-8")
    monkeypatch.setenv("_CYTOMOL_COMPLETE", f"{shell}_source")
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 0
    script = capsys.readouterr().out
    assert f"_CYTOMOL_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        done = subprocess.run([program, "-n"], input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_verbs_are_completed_without_loading_them() -> None:
    code = (
        "import os, sys\n"
        "os.environ.update(_CYTOMOL_COMPLETE='zsh_complete', COMP_WORDS='cytomol fi', COMP_CWORD='1')\n"
        "from cytomol.cli.main import main\n"
        "try:\n    main([])\n"
        "except SystemExit:\n    pass\n"
        "sys.exit('cytomol.cli.finetune' in sys.modules or 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["plain", "finetune"]


def test_other_commands_are_not_touched(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert __version__ in capsys.readouterr().out
