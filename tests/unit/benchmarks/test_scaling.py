"""Time and cost of very many molecules: the page is that of the rows, and its SLURM script works."""

from __future__ import annotations

import math
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.scaling.page import BEGIN, END, PAGE, Rate, opening, page, section
from benchmarks.scaling.rows import Row, add, read
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.test_readme import parse

MANY = 20_000
ONE = Row("embed", "one", 1, MANY, 100.0, 50.0, 4 * MANY, "", 0.5, "a machine")
ROWS = [
    replace(ONE, molecules=500, cpu=11.0),
    ONE,
    replace(ONE, engine="shards", processes=2, cpu=66.0),
    replace(ONE, what="gather, embed", cpu=2.0, identical="True"),
    replace(ONE, what="read csv", molecules=10**6, cpu=2.0),
    replace(ONE, what="read parquet", molecules=10**6, cpu=0.01),
]


def test_the_page_is_that_of_the_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, read()), "run python -m benchmarks.scaling.page"


def test_the_committed_rows_keep_what_is_promised() -> None:
    rows = read()
    compared = [row for row in rows if row.identical]
    assert {row.what for row in compared} >= {
        "gather, embed",
        "gather, predict head",
        "gather, predict recipe",
    }
    assert all(row.identical == "True" for row in compared)


@given(
    each=st.floats(1e-4, 1e-1),
    start=st.floats(0, 100),
    few=st.integers(1, 1000),
    molecules=st.integers(1, 10**9),
    cores=st.integers(1, 5000),
)
def test_a_rate_gives_back_what_a_cost_in_proportion_was_made_of(
    each: float, start: float, few: int, molecules: int, cores: int
) -> None:
    runs = [replace(ONE, molecules=n, cpu=start + n * each) for n in (MANY, few)]
    rate = Rate.of("embed", runs)
    assert rate is not None
    assert math.isclose(rate.each, each, rel_tol=1e-6)
    assert math.isclose(rate.start, start, abs_tol=1e-6)
    shards = rate.shards(molecules, cores)
    seconds = molecules * each + shards * (start + 7)
    assert math.isclose(rate.core_hours(molecules, cores, 7.0) * 3600, seconds, rel_tol=1e-6)
    assert shards == cores or 1.5 <= molecules * each / shards / 3600 <= 3.0
    assert shards >= cores


def test_what_was_not_measured_twice_has_no_rate() -> None:
    assert Rate.of("embed", [ONE]) is None
    assert Rate.of("predict head", ROWS) is None


def test_the_section_says_what_was_measured_and_what_follows() -> None:
    text = section(ROWS, price=0.5)
    assert "| embed, two shards side by side | 20,000 | 2 | 66 | 3.3 | 100 | 0 |  |" in text
    assert "2.00 core ms a molecule, 10 core seconds before the first" in text
    assert "took 1.10 times the core seconds" in text  # 66 of 50 + 10
    # 10^8 at 2 ms are 55.6 core hours, and 100 shards, each 10 s to start and 1 s to open its input, 0.3 more
    assert opening(ROWS, "parquet", 10**8) == pytest.approx(1.0)
    assert "| `embed default` | 100 | 56 | 28 | 0.6 h | 2.8 h | 0 GB |" in text
    assert "predict" not in text


def test_a_row_takes_the_place_of_an_older_one_of_the_same_run(tmp_path: Path) -> None:
    for row in (ONE, replace(ONE, what="read csv"), replace(ONE, cpu=float("nan"))):
        add(row, tmp_path / "rows.csv")
    found = read(tmp_path / "rows.csv")
    assert [(row.what, str(row.cpu)) for row in found] == [("read csv", "50.0"), ("embed", "nan")]
    assert found[0] == replace(ONE, what="read csv")
    assert page(f"a\n{BEGIN}\nold\n{END}\nb\n", ROWS).partition(BEGIN)[0] == "a\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a script for bash")
def test_the_slurm_script_of_the_page_makes_one_shard(tmp_path: Path) -> None:
    script = PAGE.read_text(encoding="utf-8").partition("#!/bin/bash")[2].partition("```")[0]
    shown = tmp_path / "cytomol"  # shows what the script asks for: a hundredth of 10^8 molecules takes hours
    shown.write_text(f'#!{sys.executable}\nimport sys\nprint(*sys.argv[1:], sep="|")\n')
    shown.chmod(0o755)
    task = {"SLURM_ARRAY_TASK_ID": "17", "SLURM_CPUS_PER_TASK": "4"}
    environment = {**task, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    words = done.stdout.strip().split("|")
    assert parse(shlex.join(["cytomol", *words])).name == "predict"  # with options that it has
    assert words == [
        *("predict", "model", "library.parquet", "--shard", "17/100", "--workers", "4"),
        *("--resume", "-o", "scores-17/"),
    ]
