"""The report on a stress test, from its rows."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from tests.unit.report.sample_results import write_stress

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
    assert len(text.encode()) < 3_000_000
    assert "<img" not in text
    assert "&lt;img src=x" in text
    assert all(link.startswith(("#", "data:,")) for link in re.findall(r"(?:href|src)=\"([^\"]*)\"", text))
    names = re.findall(r"\bid=\"([^\"]+)\"", text)
    assert len(names) == len(set(names))


def test_one_share_makes_no_curve(folder: Path) -> None:
    table = pd.read_csv(folder / "missing.csv")
    table[table["rate"] == 0].to_csv(folder / "missing.csv", index=False)
    assert "One share alone so far, which makes no curve." in report_of(folder).html()


def test_a_table_without_a_point_is_named(folder: Path) -> None:
    pd.read_csv(folder / "missing.csv").head(0).to_csv(folder / "missing.csv", index=False)
    with pytest.raises(InputError, match="no point yet"):
        report_of(folder)
