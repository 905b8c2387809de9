"""The report on a table of matches."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.errors import InputError
from cytomol.report.of_match import by_chance
from cytomol.report.report_kinds import report_of
from cytomol.report.write import write_report

STRANGER = "<img src=x>"
MOLECULES = ["CCO", "c1ccccc1", "CCN", "C1CCCCC1"]


def _table(queries: int = 6, *, structures: bool = True) -> pd.DataFrame:
    rows = []
    for query in range(1, queries + 1):
        for rank in (1, 2, 3, 4):
            place = (query + rank) % 4 if rank > 1 else 0
            rows.append(
                {"query_row": query, "query_id": f"{STRANGER}{query}", "rank": rank,
                 "candidate_row": place + 1, "candidate_id": f"c{place}",
                 "candidate_smiles": MOLECULES[place] if structures else "",
                 "similarity": 0.9 - 0.1 * rank + 0.001 * query, "top_percent": 25.0 * rank,
                 "spreads": 2.0 - 0.3 * rank, "note": "", "error": ""}
            )  # fmt: skip
    rows.append({"query_row": queries + 1, "query_id": "bad", "error": f"no molecule {STRANGER}"})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("name", ["m.csv", "m.tsv.gz", "m.parquet"])
def test_the_page_lies_beside_the_table_and_says_what_was_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        _table().to_parquet(path)
    else:
        _table().to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    place = write_report(path)
    assert place == tmp_path / "m.report.html"
    text = place.read_text(encoding="utf-8")
    assert "6 of 7 queries are answered, each by up to 4 of 4 candidates." in text
    assert "1 different candidates come first for 6 queries." in text
    assert "100.0%" in text  # of the queries have it first
    assert "no molecule &lt;img src=x&gt;" in text
    assert text.count("candidate c0") == 9  # drawn first for each of five queries, and later for four
    assert "<img" not in text


def test_the_page_is_whole_and_always_the_same(tmp_path: Path) -> None:
    _table(80).to_csv(tmp_path / "m.csv", index=False)
    text = report_of(tmp_path / "m.csv").html()
    assert text == report_of(tmp_path / "m.csv").html()
    assert len(text.encode()) < 3_000_000
    assert all(link.startswith(("#", "data:,")) for link in re.findall(r"(?:href|src)=\"([^\"]*)\"", text))
    names = re.findall(r"\bid=\"([^\"]+)\"", text)
    assert len(names) == len(set(names))


def test_profiles_are_listed_where_there_is_nothing_to_draw(tmp_path: Path) -> None:
    _table(structures=False).to_csv(tmp_path / "m.csv", index=False)
    text = report_of(tmp_path / "m.csv").html()
    assert "Profiles that go with it" in text
    assert "candidate c0" not in text


def test_a_table_without_any_answer_says_so(tmp_path: Path) -> None:
    _table().tail(1).to_csv(tmp_path / "m.csv", index=False)
    text = report_of(tmp_path / "m.csv").html()
    assert "None of 1 queries has a place, so nothing was matched." in text


def test_another_table_has_no_such_report(tmp_path: Path) -> None:
    pd.DataFrame({"smiles": ["CCO"]}).to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(InputError, match="nothing that cytomol has a report on"):
        report_of(tmp_path / "m.csv")


def test_the_best_by_chance_is_the_expected_largest_of_normal_draws() -> None:
    drawn = np.random.default_rng(0).normal(size=(4000, 500)).max(axis=1).mean()
    assert by_chance(500) == pytest.approx(drawn, abs=0.03)
