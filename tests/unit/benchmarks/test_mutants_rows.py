"""Planted faults: what is changed, and that the page says of them what the committed rows say."""

from __future__ import annotations

import ast
import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.mutants import COLUMNS, MISSED, PACKAGES, RESULTS, draw, key, named, ordered_tests, survivors
from tests.fuzz.mutations import mutations

PAGE = Path(__file__).parents[3] / "docs" / "safety.md"
SOURCE = Path(__file__).parents[3] / "src" / "cytomol"
FILES = sorted(path for package in PACKAGES for path in (SOURCE / package).rglob("*.py"))


def test_the_page_says_how_many_faults_were_found() -> None:
    with RESULTS.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert set(rows[0]) == set(COLUMNS)
    of = Counter(row["package"] for row in rows)
    assert set(of) == set(PACKAGES)
    results = Counter(row["result"] for row in rows)
    missed = sum(row["why"] == MISSED for row in rows)
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"Of {len(rows)} planted faults, {min(of.values())} or more in each of the four packages," in text
    found = results["killed"] + results["timeout"]
    assert f"the tests find {found}, {missed} of them by tests that were missing before" in text
    assert f"The other {results['survived']} change nothing" in text
    assert [row for row in rows if row["result"] == "survived" and not row["why"]] == []


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("x < 3", {"x < 3 -> x <= 3", "3 -> 4"}),
        ("def f(x):\n    return x + 'a'", {"return x + 'a' -> return None", "x + 'a' -> x - 'a'"}),
        ("a = b and not c", {"b and (not c) -> b or not c", "not c -> c"}),
        ("if a:\n    f(True, 'text')", {"a -> not a", "f(True, 'text') -> pass", "True -> False"}),
        ("for i in a:\n    n += i\n    break", {"n += i -> pass", "break -> pass"}),
        ("raise ValueError(f'{1 + 2}: {x < 3}')", {"raise ValueError(f'{1 + 2}: {x < 3}') -> pass"}),
        ("def f(x: Literal[1] = 2) -> A | B: ...", {"2 -> 3"}),
        ("@lru_cache(maxsize=1)\ndef f(x): zip(x, strict=True)", {"zip(x, strict=True) -> pass"}),
        ('"""Says 1 < 2."""', set()),
    ],
)
def test_what_is_changed(source: str, changes: set[str]) -> None:
    found = {one.change.replace("b and not c ->", "b and (not c) ->") for one in mutations(source)}
    assert found == changes


@given(st.sampled_from(FILES), st.data())
def test_a_changed_source_is_another_program_and_differs_in_one_place(
    path: Path, data: st.DataObject
) -> None:
    source = path.read_text(encoding="utf-8")
    if not (every := mutations(source)):
        return
    one = data.draw(st.sampled_from(every))
    changed = one.applied(source)
    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))
    before, after = source.encode()[: one.start], source.encode()[one.end :]
    assert changed.encode().startswith(before)
    assert changed.encode().endswith(after)
    assert before.count(b"\n") + 1 == one.line


def test_a_draw_is_the_same_again_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "cytomol" / "assays"
    folder.mkdir(parents=True)
    (folder / "ä.py").write_text("é = [1, 2, 3, 4, 5] + [6 < 7, -x]\n", encoding="utf-8")
    first = draw(tmp_path, "assays", 4, 0, {})
    assert len(first) == 4
    assert first == draw(tmp_path, "assays", 4, 0, {})
    rows = {key(row): row for row in (named(tmp_path, "assays", *one) for one in first[:2])}
    assert draw(tmp_path, "assays", 4, 0, rows) == first[2:]
    for row, result in zip(rows.values(), ("killed", "survived"), strict=True):
        row["result"] = result
    assert survivors(tmp_path, "assays", rows) == [first[1]]
    rows[key(row)]["why"] = "nothing changes"
    assert survivors(tmp_path, "assays", rows) == []


def test_the_ordered_tests_the_changed_file_come_first(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "unit" / "assays"
    folder.mkdir(parents=True)
    for name in ("test_a.py", "test_b.py", "test_c.py"):
        (folder / name).write_text("from cytomol.assays.c import x" if name == "test_b.py" else "")
    path = tmp_path / "src" / "cytomol" / "assays" / "c.py"

    def names(path: Path, *, alone: bool) -> list[str]:
        return [Path(test).name for test in ordered_tests(tmp_path, "assays", path, alone=alone)]

    assert names(path, alone=False) == ["test_c.py", "test_b.py", "test_a.py"]
    assert names(path, alone=True) == ["test_c.py", "test_b.py"]
    assert names(path.with_name("d.py"), alone=True) == ["test_a.py", "test_b.py", "test_c.py"]
