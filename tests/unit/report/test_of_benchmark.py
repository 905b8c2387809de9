"""The report on a benchmark, from its rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.unit.report.sample_results import benchmark_rows, is_whole, write_benchmark

from cytomol.errors import InputError
from cytomol.evaluate.coverage import COVERAGE_COLUMNS
from cytomol.report.report_kinds import report_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_benchmark(tmp_path)


def test_the_page_says_who_is_best_and_how_surely(folder: Path) -> None:
    page = report_of(folder)
    assert [section.title for section in page.sections] == [
        "In short",
        "Scores",
        "Beside published figures",
        "Wins and losses",
        "What it cost",
        "How it was run",
    ]
    text = page.html()
    assert "On chembl2k the best is ahead of every other model by more than its 95% interval." in text
    assert "0.727 " in text.replace("<", " <")  # 0.70, and the mean of 6 tasks and 5 seeds
    assert "1 / 1 / 0" in text
    assert "0 / 1 / 1" in text
    assert "0.847" in text  # CHMR's published mean
    assert "--models" in text


def test_the_page_is_whole_always_the_same_and_strangers_are_text(folder: Path) -> None:
    text = report_of(folder).html()
    assert text == report_of(folder).html()
    is_whole(text)
    assert "&lt;img src=x" in text


def test_a_set_nobody_published_on_has_no_figures_beside(tmp_path: Path) -> None:
    benchmark_rows({("mine", "forest"): 0.4}, fold="valid", metric="mae").to_csv(
        tmp_path / "rows.csv", index=False
    )
    page = report_of(tmp_path)
    titles = [section.title for section in page.sections]
    assert "Beside published figures" not in titles
    assert "Wins and losses" not in titles
    assert "forest alone was scored: mine 0.427" in page.html()
    assert page.subtitle == "1 set, 1 model, valid fold"


def test_coverage_is_reported_where_it_was_measured(folder: Path) -> None:
    row = dict.fromkeys(COVERAGE_COLUMNS, 0.5) | {"set": "mine", "model": "forest", "seed": 0, "variant": ""}
    row |= {"coverage": 0.9, "covered": 0.84, "kind": "regression", "version": "0.1.0", "commit": ""}
    pd.DataFrame([row])[list(COVERAGE_COLUMNS)].to_csv(folder / "coverage.csv", index=False)
    text = report_of(folder).html()
    assert "Whether the stated uncertainty holds" in text
    assert "84.0%" in text


def test_a_table_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"rows\.csv"):
        report_of(tmp_path)
