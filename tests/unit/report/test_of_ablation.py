"""The report on an ablation, from its rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.unit.report.sample_results import is_whole, write_ablation

from cytomol.errors import InputError
from cytomol.report.report_kinds import report_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_ablation(tmp_path)


def test_the_page_says_which_part_matters(folder: Path) -> None:
    page = report_of(folder)
    assert [section.title for section in page.sections] == [
        "In short",
        "table2, chmr",
        "Every mean",
        "How it was run",
    ]
    assert page.subtitle == "3 variants, test fold"
    text = page.html()
    assert "Of 2 comparisons with the full method, 1 variant is worse and 0 better" in text
    assert "-0.1000 to -0.1000" in text
    assert "180 s in all" in text  # three variants and two seeds, each pretrained once
    assert "No molecule&#x27;s profiles were left out" in text
    assert "cytomol ablate CORPUS mine --method chmr --study table2 --seeds 2 -o DIR --resume" in text


def test_the_page_is_whole_always_the_same_and_strangers_are_text(folder: Path) -> None:
    text = report_of(folder).html()
    assert text == report_of(folder).html()
    is_whole(text)
    assert "&lt;img src=x" in text


def test_without_the_full_method_nothing_is_compared(folder: Path) -> None:
    table = pd.read_csv(folder / "ablation.csv")
    table[table["variant"] != "full"].to_csv(folder / "ablation.csv", index=False)
    text = report_of(folder).html()
    assert "No variant stands beside its full method yet." in text
    assert "The full method has no rows here" in text


def test_a_damaged_record_is_named(folder: Path) -> None:
    (folder / "ablation.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="no table of facts"):
        report_of(folder)
