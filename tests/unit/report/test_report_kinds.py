"""Which report a directory gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from cytomol.errors import InputError
from cytomol.report.page import Page, Section
from cytomol.report.report_kinds import report_kinds, report_of
from cytomol.report.write import write_report


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a kind of report for folders that hold a file "mine"."""
    monkeypatch.setattr(report_kinds, "_entries", dict(report_kinds._entries))

    @report_kinds.register("thing")
    class Thing:
        def recognises(self, directory: Path) -> bool:
            return (directory / "mine").exists()

        def page(self, directory: Path) -> Page:
            return Page("thing", directory.name, [Section("A", [])])


def test_a_folder_gets_the_report_of_what_it_holds(kind: None, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert report_of(tmp_path).title == "thing"


def test_a_folder_of_something_else_has_none(kind: None, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds nothing that cytomol has a report on.*thing"):
        report_of(tmp_path)


def test_a_file_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="nothing that cytomol has a report on"):
        report_of(tmp_path / "file")


def test_it_is_written_beside_the_result_again_and_again(kind: None, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    place = write_report(tmp_path)
    assert place == tmp_path / "report.html"
    assert write_report(tmp_path).read_text(encoding="utf-8") == report_of(tmp_path).html()
