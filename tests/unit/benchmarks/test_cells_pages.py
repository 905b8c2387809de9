"""The pages of what the cell knows are those that the rows make."""

from __future__ import annotations

import pytest
from benchmarks.cells import front
from benchmarks.cells.page import DOCS, PARTS, pages


def test_the_committed_pages_are_those_of_the_rows() -> None:
    written = {place.name: text for place, text in pages()}
    assert len(written) == len(PARTS) + 1
    stale = [name for name, text in written.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run `python -m benchmarks.cells.page`"


def test_every_part_has_its_findings() -> None:
    assert set(front.FINDINGS) == {part.name for part in PARTS}


@pytest.mark.parametrize(("low", "high", "word"), [(0.1, 0.2, "better"), (-2, -1, "worse"), (-1, 1, "level")])
def test_an_interval_says_one_word(low: float, high: float, word: str) -> None:
    assert front._surely(low, high) == word
