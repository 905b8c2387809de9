"""What the page on safety says of kills is what the committed rows say."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from tests.fuzz.kills import COLUMNS, KINDS, RESULTS, Kind, Whole, differing, digests

PAGE = Path(__file__).parents[3] / "docs" / "safety.md"


def rows() -> list[dict[str, str]]:
    with RESULTS.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_the_page_says_how_many_kills_and_what_came_of_them() -> None:
    found = rows()
    assert set(found[0]) == set(COLUMNS)
    kinds = Counter(row["kind"] for row in found)
    assert set(kinds) == {kind.name for kind in KINDS}
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"Of {len(found)} runs that were killed, {min(kinds.values())} or more of each kind," in text
    left = Counter(row["left"] for row in found)
    then = Counter(row["then"] for row in found)
    assert f"{left['unfinished']} had left something unfinished, {left['nothing']} nothing" in text
    assert f"{then['resumed']} were resumed and {then['run again']} run again" in text
    assert [row for row in found if row["problem"]] == []


@pytest.mark.parametrize("file", ["out/a.bin", "out/config.json"])
def test_a_file_that_differs_is_named(tmp_path: Path, file: str) -> None:
    kind = Kind("x", lambda: None, "out", ("out/*",))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.bin").write_bytes(b"1")
    (tmp_path / "out" / "config.json").write_text('{"a": 1}')
    whole = Whole(digests(kind, tmp_path), 1.0, 1)
    assert differing(kind, tmp_path, whole) == ""
    (tmp_path / file).write_text('{"a": 2}')
    assert differing(kind, tmp_path, whole) == file
    (tmp_path / file).unlink()
    assert differing(kind, tmp_path, whole) == file
