"""The report on a stress test, from its rows."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from tests.unit.report.sample_results import is_whole, write_stress

from cytomol.errors import InputError
from cytomol.report.report_kinds import report_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_stress(tmp_path)


def test_the_page_says_what_is_left_and_which_filling_keeps_most(folder: Path) -> None:
    page = report_of(folder)
    assert [section.title for section in page.sections] == [
        "In short",
        "Hidden in pretraining at random",
        "Every point",
        "What was computed",
        "How it was run",
    ]
    assert page.subtitle == "chmr, 4 points"  # the one that was cut is no point
    text = page.html()
    assert "0.990" not in text
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", text)
    assert cells[:6] == ["in pretraining at random", "0.600", "0.400", "90%", "mean", "0.050"]
    assert "cytomol stress missing CORPUS mine --method chmr --rates 0,90 --pattern random --seeds 1" in text


def test_the_page_is_whole_always_the_same_and_strangers_are_text(folder: Path) -> None:
    text = report_of(folder).html()
    assert text == report_of(folder).html()
    is_whole(text)
    assert "&lt;img src=x" in text


def test_one_share_makes_no_curve(folder: Path) -> None:
    table = pd.read_csv(folder / "missing.csv")
    table[table["rate"] == 0].to_csv(folder / "missing.csv", index=False)
    assert "One share alone so far, which makes no curve." in report_of(folder).html()


def test_a_table_without_a_point_is_named(folder: Path) -> None:
    pd.read_csv(folder / "missing.csv").head(0).to_csv(folder / "missing.csv", index=False)
    with pytest.raises(InputError, match="no point yet"):
        report_of(folder)


def test_the_best_of_errors_is_the_least(folder: Path) -> None:
    table = pd.read_csv(folder / "missing.csv")
    table.assign(measure="downstream", metric="mae").to_csv(folder / "missing.csv", index=False)
    text = report_of(folder).html()
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", text)
    assert cells[:6] == ["in pretraining at random", "0.600", "0.200", "90%", "zero", "0.050"]
    assert "mae, less is better" in text


def test_figures_of_modalities_with_like_names_are_told_apart(folder: Path) -> None:
    table = pd.read_csv(folder / "missing.csv")
    both = [table.assign(hidden=hidden) for hidden in ("a.b", "a-b")]
    pd.concat(both).to_csv(folder / "missing.csv", index=False)
    is_whole(report_of(folder).html())


def test_a_cell_that_is_no_number_is_named(folder: Path) -> None:
    table = pd.read_csv(folder / "missing.csv", dtype=str)
    table.loc[2, "score"] = "0,6"
    table.to_csv(folder / "missing.csv", index=False)
    with pytest.raises(InputError, match="'0,6' is not a number") as caught:
        report_of(folder)
    assert "row 3, column 'score'" in str(caught.value.where)


def test_bytes_that_are_no_table_are_named(folder: Path) -> None:
    (folder / "missing.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"is no table of rows"):
        report_of(folder)
