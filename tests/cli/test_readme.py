"""The README's commands are there, and its first screen runs on the table of the repository."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from cytomol.cli.main import cli

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "examples" / "assay.csv"
MOLECULES = ROOT / "examples" / "molecules.csv"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    """Return the cytomol commands in the blocks of a page, without comments and pipes before them."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = [line.partition("  #")[0].rpartition("| ")[2].strip() for line in lines]
    return [line for line in found if line.startswith("cytomol ")]


def parse(command: str) -> click.Command:
    """Let click read a command, and return what it calls; an unknown verb or option is an error."""
    words = shlex.split(command)[1:]
    here: click.Command = cli
    context = click.Context(here)
    while isinstance(here, click.Group):
        name, found, words = here.resolve_command(context, words)
        assert found is not None, name
        here, context = found, click.Context(found, parent=context)
    here.make_parser(context).parse_args(words)
    return here


ALL = [pytest.param(line, id=f"{page.stem}: {line[:70]}") for page in PAGES for line in commands(page)]


@pytest.mark.parametrize("command", ALL)
def test_the_command_has_this_verb_and_these_options(command: str) -> None:
    parse(command)


@pytest.mark.parametrize("command", ["cytomol finetune t.csv --model forest -o m", "cytomol fit t.csv"])
def test_a_command_that_is_gone_is_found(command: str) -> None:
    with pytest.raises(click.UsageError):
        parse(command)


def test_the_pages_have_commands() -> None:
    counts = {page.stem: len(commands(page)) for page in PAGES}
    assert counts["README"] >= 8
    assert counts["guide"] >= 20


def test_check_prints_what_the_readme_says(cytomol: Callable[..., Any]) -> None:
    done = cytomol("check", TABLE)
    assert done.code == 0, done.err
    readme = PAGES[0].read_text(encoding="utf-8")
    block = next(part for part in readme.split("```\n") if part.startswith("column "))
    assert done.out.startswith(block)
    assert done.out.rstrip().endswith("--targets LogSol,Kinase -o model")


def test_finetune_and_predict_on_the_example(cytomol: Callable[..., Any], tmp_path: Path) -> None:
    quick = ("--learner", "neighbours", "--calibration-folds", "0", "--no-baselines", "--workers", "1")
    done = cytomol("finetune", TABLE, "--targets", "LogSol,Kinase", *quick, "-o", tmp_path / "model")
    assert done.code == 0, done.err
    done = cytomol("predict", tmp_path / "model", MOLECULES, "--workers", "1", "-o", tmp_path / "p.csv")
    assert done.code == 0, done.err
    answer = pd.read_csv(tmp_path / "p.csv")
    readme = PAGES[0].read_text(encoding="utf-8")
    shown = [cell.strip() for cell in re.findall(r"^\| (ID .*) \|$", readme, re.MULTILINE)[0].split("|")]
    assert set(shown) <= set(answer.columns)
    assert answer["ID"].tolist() == ["N-1", "N-2", "N-3", "N-4"]
    assert answer["error"].notna().tolist() == [False, False, False, True]
    assert answer["nearest_id"].tolist()[:2] == ["EX-1686", "EX-3086"]
    assert answer["domain"].tolist()[2] == "outside"


def test_the_script_makes_the_table() -> None:
    made = runpy.run_path(str(ROOT / "examples" / "make_assay.py"))["make_table"]()
    kept = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    assert made.columns.tolist() == kept.columns.tolist()
    for column in ("Compound ID", "Date", "Kinase"):
        assert made[column].tolist() == kept[column].tolist()
    molecules = [[Chem.CanonSmiles(smiles) for smiles in table["SMILES"]] for table in (made, kept)]
    assert molecules[0] == molecules[1]
    values = [pd.to_numeric(table["LogSol"].str.lstrip(">")).to_numpy(float) for table in (made, kept)]
    np.testing.assert_allclose(values[0], values[1], atol=0.011)
