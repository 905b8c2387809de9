"""Both ends of the declared versions were tried, and what was tried is what is declared."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from tools.architecture import ROOT
from tools.versions import COLUMNS, RESULTS, TESTS, declared, lowest, main


def rows() -> list[dict[str, str]]:
    with RESULTS.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def packages(row: dict[str, str]) -> dict[str, Version]:
    pairs = (text.split(" ") for text in row["packages"].split("; "))
    return {name: Version(version) for name, version in pairs}


def test_both_ends_were_tried_and_no_test_failed() -> None:
    found = rows()
    assert tuple(found[0]) == COLUMNS
    assert {row["end"] for row in found} == {"lowest", "newest"}
    assert [row for row in found if row["failed"] != "0" or int(row["passed"]) < 250] == []


def test_what_was_tried_as_lowest_is_what_is_declared() -> None:
    ends = dict(line.split("==") for line in lowest(declared()))
    tried = [packages(row) for row in rows() if row["end"] == "lowest"]
    for name, version in ends.items():
        assert any(one[name] in SpecifierSet(f"=={version}") for one in tried), name


def test_every_tried_version_is_within_what_is_declared() -> None:
    for row in rows():
        found = packages(row)
        for one in declared():
            assert one.specifier.contains(found[canonicalize_name(one.name)]), one


def test_every_python_that_is_declared_was_tried() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tried = {".".join(row["python"].split(".")[:2]) for row in rows()}
    assert all(f"Python :: {python}" in text for python in tried)
    assert len(tried) == text.count('"Programming Language :: Python :: 3.')


def test_the_chosen_tests_are_there() -> None:
    assert all((ROOT / "tests" / name).exists() for name in TESTS)


def test_the_constraints_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lowest", "--show"]) == 0
    assert capsys.readouterr().out.splitlines() == lowest(declared())


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.booleans())
def test_a_range_begins_with_its_lowest_version(parts: list[int], capped: bool) -> None:
    version = ".".join(map(str, parts))
    one = Requirement(f"Some_Package>={version}{',<1000' if capped else ''}")
    (line,) = lowest([one])
    pinned = Requirement(line)
    assert pinned.name == "some-package"
    assert pinned.specifier.contains(version)
    assert one.specifier.contains(version)


@pytest.mark.parametrize("text", ["numpy", "numpy<2", "numpy==1.26"])
def test_a_range_that_begins_nowhere_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="begins nowhere"):
        lowest([Requirement(text)])
