"""The notebooks are what the site's build can run: their Python parses, their commands are there.

Running them is the build's part (``make docs``), which stops at the first cell that fails.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from benchmarks.quality.published import PUBLISHED
from tests.cli.test_readme import parse

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.md"))
_CELL = re.compile(
    r"^```\{code-cell\} python\n((?::[a-z]+:[^\n]*\n)*)\n*(.*?)^```$", re.DOTALL | re.MULTILINE
)

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path) -> list[str]:
    """Return the code of a notebook's cells, without their tags."""
    return [code for _, code in _CELL.findall(path.read_text(encoding="utf-8"))]


def python_cells(path: Path) -> list[str]:
    """Return the cells of Python; what is a command to the notebook (``%config``) has become a comment."""
    plain = [code for code in cells(path) if not code.startswith("%%")]
    return [re.sub(r"^%", "# %", code, flags=re.MULTILINE) for code in plain]


def commands(path: Path) -> list[str]:
    """Return the commands of a notebook's shell cells, a line each."""
    shell = [code.partition("\n")[2] for code in cells(path) if code.startswith("%%sh")]
    return "".join(shell).replace("\\\n", " ").splitlines()


def test_there_are_four() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04"]


@each_notebook
def test_every_cell_is_seen(path: Path) -> None:
    """A fence that the pattern of this file misses would not be looked at below."""
    assert len(cells(path)) == path.read_text(encoding="utf-8").count("{code-cell}") >= 6


@each_notebook
def test_it_says_that_it_is_a_notebook_with_a_title(path: Path) -> None:
    head, text = path.read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n", 1)
    assert "file_format: mystnb" in head
    assert "name: python3" in head
    assert text.startswith("\n# ")


@each_notebook
def test_it_works_in_a_folder_of_its_own(path: Path) -> None:
    assert "os.chdir(tempfile.mkdtemp())" in cells(path)[0]


@each_notebook
def test_python_parses_and_is_formatted(path: Path) -> None:
    for code in python_cells(path):
        ast.parse(code)
        command = [sys.executable, "-m", "ruff", "format", "--line-length", "79", "--check", "--quiet", "-"]
        plain = code.strip("\n") + "\n"
        done = subprocess.run(command, input=plain, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"ruff format would change:\n{code}{done.stderr}"


@each_notebook
def test_a_shell_cell_stops_at_a_command_that_fails(path: Path) -> None:
    """The notebook's own ``%%sh``, taken from its first cell and run."""
    first = python_cells(path)[0]
    code = first[first.index("def sh(") :]
    made: dict[str, Callable[[str, str], None]] = {}
    exec("import subprocess\n" + code, made)
    with pytest.raises(subprocess.CalledProcessError):
        made["sh"]("", "exit 3\ntrue\n")
    with pytest.raises(subprocess.CalledProcessError):
        made["sh"]("", "false\ntrue\n")


@each_notebook
def test_commands_have_these_verbs_and_options(path: Path) -> None:
    found = commands(path)
    assert found
    for line in found:
        assert line.startswith("cytomol "), line
        parse(line)


def test_the_figures_in_the_text_are_those_of_the_rows() -> None:
    text = " ".join(NOTEBOOKS[3].read_text(encoding="utf-8").split())
    rows = pd.read_parquet(ROOT / "benchmarks" / "results" / "quality" / "rows.parquet")
    rows = rows[(rows["set"] == "chembl2k") & (rows["fold"] == "test")]
    each = rows.groupby(["model", "variant", "seed"])["score"].mean() * 100
    reached = each.groupby(["model", "variant"]).mean().round(1)
    recipe = reached["cytomol-five"][["structure", "cell", "leaky"]]
    assert f"The first recipe stands at {recipe.min()} to {recipe.max()}, whatever" in text
    assert f"has {reached['forest-bits', '']}, more than 24 points above" in text
    assert 24 < reached["forest-bits", ""] - PUBLISHED["random forest on Morgan"]["chembl2k"].mean < 25
    assert reached["mlp", ""] > PUBLISHED["InfoAlign"]["chembl2k"].mean  # "reached, by ... perceptrons alone"
    assert reached.max() < PUBLISHED["CHMR"]["chembl2k"].mean  # "not reached"


def test_the_table_and_the_figure_of_the_rows_come_out() -> None:
    """The cells that read nothing but committed rows run here too, so that a renamed model is found."""
    plt.switch_backend("agg")
    code = python_cells(NOTEBOOKS[3])[1:]
    made: dict[str, Any] = {"repository": ROOT}
    for cell in code[: next(at for at, cell in enumerate(code) if "def benchmark(" in cell)]:
        exec(cell, made)
    plt.close(made["figure"])
    assert list(made["table"]["what it is"]) == [words for *_, words in made["ours"]]
    assert made["table"][["mean", "count"]].notna().all(axis=None)
    assert len(made["axis"].get_yticklabels()) == len(made["papers"]) + len(made["ours"])
