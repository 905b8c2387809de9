"""The command line as a whole."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cytomol.cli.main import cli, main


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
    for verb in ("corpus", "pretrain", "finetune", "predict", "embed", "benchmark", "data", "ablate", "demo"):
        assert verb in done.stdout


@pytest.mark.parametrize(
    "verb", ["corpus", "pretrain", "finetune", "predict", "embed", "benchmark", "data", "ablate", "demo"]
)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"Usage: cytomol {verb}")


def test_import_is_light() -> None:
    code = "import sys, cytomol; sys.exit(bool({'torch', 'rdkit', 'lightning', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_verb_lists_the_known() -> None:
    done = _run("predictt")
    assert done.returncode == 2
    assert "finetune" in done.stderr


def test_errors_are_one_line_without_traceback(tmp_path: object) -> None:
    done = _run("corpus", "check", f"{tmp_path}/none")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "none" in done.stderr


def test_verbs_of_the_help_exist() -> None:
    assert cli.list_commands(None) == [
        "corpus",
        "pretrain",
        "finetune",
        "predict",
        "embed",
        "benchmark",
        "data",
        "ablate",
        "demo",
    ]  # type: ignore[arg-type,attr-defined]
