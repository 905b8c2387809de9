"""The command line as a whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import click
import pytest

from cytomol.cli.main import _VERBS, cli, main
from cytomol.errors import note

VERBS = list(_VERBS)


def _run(*args: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from cytomol.cli.main import main; main(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False)


def test_help_lists_every_verb_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from cytomol.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'torch', 'rdkit', 'lightning', 'sklearn', 'pandas'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for verb in VERBS:
        assert verb in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"Usage: cytomol {verb}")


def test_import_is_light() -> None:
    code = "import sys, cytomol; sys.exit(bool({'torch', 'rdkit', 'lightning', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_verb_lists_the_known() -> None:
    done = _run("predikt")
    assert done.returncode == 2
    assert "did you mean 'predict'?" in done.stderr
    assert "finetune" in done.stderr


def test_errors_are_one_line_without_traceback(tmp_path: object) -> None:
    done = _run("corpus", "check", f"{tmp_path}/none")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "none" in done.stderr


def test_verbs_of_the_help_exist() -> None:
    context = click.Context(cli)
    assert isinstance(cli, click.Group)
    assert len(VERBS) >= 19
    for verb in cli.list_commands(context):
        command = cli.get_command(context, verb)
        assert command is not None
        assert command.name == verb


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyError("x"), 70, r"cytomol corpus check 'a b': KeyError: 'x'; this is a defect of cytomol"),
        (ValueError("two\nlines"), 70, r"ValueError: two lines; this is a defect"),
        (UnicodeEncodeError("charmap", "β", 0, 1, "no"), 70, r"this is a defect"),
        (RecursionError("deep"), 70, r"this is a defect"),
        (PermissionError(13, "Permission denied", "f.csv"), 2, r"Permission denied: 'f.csv'"),
        (MemoryError(), 2, r"not enough memory"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_nobody_foresaw_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    status: int,
    message: str,
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.delenv("CYTOMOL_TRACEBACK", raising=False)
    with pytest.raises(SystemExit) as stop:
        main(["corpus", "check", "a b"])
    told = capsys.readouterr().err
    assert stop.value.code == status
    assert re.search(message, told)
    assert "CYTOMOL_TRACEBACK=1 shows" in told
    assert told.count("\n") == 1
    monkeypatch.setenv("CYTOMOL_TRACEBACK", "1")
    with pytest.raises(SystemExit):
        main(["corpus", "check", "a b"])
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_notes_are_lines_and_each_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(**_: object) -> None:
        for _time in range(2):
            note("is not UTF-8", where="a.csv")
            warnings.warn("of another library", UserWarning, stacklevel=1)

    monkeypatch.setattr(cli, "main", run)
    with pytest.raises(SystemExit) as stop, pytest.warns(UserWarning, match="another"):
        main([])
    assert stop.value.code == 0
    assert capsys.readouterr().err.count("cytomol: note: a.csv: is not UTF-8\n") == 1


def test_any_letter_can_be_printed(tmp_path: Path) -> None:
    code = (
        "import sys, click; from cytomol.cli import main as m; m.cli.main = lambda **_: click.echo('\u03b2')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code + "; m.main([])"],
        capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, b"\\u03b2")
