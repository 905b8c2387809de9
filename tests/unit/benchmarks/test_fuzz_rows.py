"""What the page on safety says of damaged inputs is what the committed rows say."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.__main__ import OUT, main, read, write
from tests.fuzz.rounds import Row, added, names

PAGE = Path(__file__).parents[3] / "docs" / "safety.md"


def test_the_page_says_how_many_and_what_failed() -> None:
    rows = read(OUT)
    assert set(rows) == set(names())
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    cases = sum(row.cases for row in rows.values())
    least = min(row.cases for row in rows.values())
    failures = sum(row.failures for row in rows.values())
    assert f"Of {cases:,} damaged inputs of {len(rows)} kinds, {least:,} or more of each," in text
    assert f"{failures or 'none'} of them" in text


def test_rounds_add_up_and_go_on(tmp_path: Path, capsys: object) -> None:
    table = tmp_path / "fuzz.csv"
    command = ["--only", "smi,npz", "--chunk", "4", "--out", str(table)]
    assert main([*command, "--rounds", "1"]) == 0
    first = read(table)
    assert {name: (row.rounds, row.cases) for name, row in first.items()} == {"smi": (1, 6), "npz": (1, 4)}
    assert main([*command, "--rounds", "2", "--processes", "2"]) == 0
    assert {name: (row.rounds, row.cases) for name, row in read(table).items()} == {
        "smi": (2, 12),
        "npz": (2, 8),
    }
    done = table.read_bytes()
    assert main([*command, "--rounds", "2"]) == 0
    assert table.read_bytes() == done


def test_a_failure_stays_in_the_row(tmp_path: Path) -> None:
    table = tmp_path / "fuzz.csv"
    write(table, {"smi": added(Row("smi", 1, 10, 0.5, 1), Row("smi", 1, 10, 0.25))})
    assert read(table)["smi"] == Row("smi", 2, 20, 0.8, 1)
