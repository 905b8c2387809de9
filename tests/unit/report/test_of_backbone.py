"""The report on a backbone, from a directory as pretrain leaves it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.report.sample_results import history_of, write_backbone

from cytomol.errors import ModelDirectoryError
from cytomol.report.report_kinds import report_of


@pytest.fixture
def directory(untrained: dict[str, Path], tmp_path: Path) -> Path:
    return write_backbone(untrained["chmr"], tmp_path / "backbone")


def _change(directory: Path, **changes: Any) -> str:
    file = directory / "training.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return report_of(directory).html()


def test_the_page_says_what_was_learnt_how_and_from_what(directory: Path) -> None:
    page = report_of(directory)
    assert [section.title for section in page.sections] == [
        "In short",
        "What it learnt from",
        "How the loss fell",
        "How its codes are used",
        "Its map of molecules and profiles",
        "What it is",
        "How it was run",
    ]
    text = page.html()
    assert "CHMR learnt from 39 molecules, 13 of them with a profile of cells, for 3 epochs." in text
    assert "The loss fell from 10 in the first epoch to 3.333" in text
    assert "Left out: 2 profiles and 7 relations of 4 molecules" in text
    assert "33.3%" in text  # 13 of 39
    assert "3 of 4 nodes of the last level hold a molecule" in text
    assert "50% have the same moa as the nearest of the others, by chance 25%" in text
    assert "cytomol pretrain CORPUS --method chmr --config DIR/config.json --exclude-profiles-of FILE" in text


def test_the_page_is_small_whole_and_always_the_same(directory: Path) -> None:
    text = report_of(directory).html()
    assert text == report_of(directory).html()
    assert len(text.encode()) < 3_000_000
    links = re.findall(r"(?:href|src)=\"([^\"]*)\"", text)
    assert links
    assert all(link.startswith(("#", "data:,")) for link in links)
    names = re.findall(r"\bid=\"([^\"]+)\"", text)
    assert len(names) == len(set(names))
    assert {link[1:] for link in links if link.startswith("#")} <= set(names)


def test_names_of_strangers_are_text(directory: Path) -> None:
    text = report_of(directory).html()
    assert "<img" not in text
    assert text.count("&lt;img src=x") > 5


def test_an_untrained_backbone_says_so(directory: Path) -> None:
    text = _change(directory, epochs=0, history=[], loss_start=None, loss_end=None)
    assert "and not trained: initial weights, as a control" in text
    assert "How the loss fell" not in text


def test_without_validation_and_without_an_overview_the_page_says_less(directory: Path) -> None:
    (directory / "overview.json").unlink()
    text = _change(directory, history=history_of(2, valid=False))
    assert "nothing was held out to validate it" in text
    assert "40 molecules; the directory says no more" in text
    assert "map" not in re.findall(r'<h2 id="([^"]*)', text)


def test_a_validation_that_no_longer_falls_is_said(directory: Path) -> None:
    history = history_of(4)
    for entry, loss in zip(history, (3.0, 2.0, 2.5, 2.6), strict=True):
        entry["valid"] = {"loss": loss}
    text = _change(directory, epochs=4, history=history)
    assert "lowest in epoch 2 (2)" in text
    assert "Validation has not improved in the last 2 epochs" in text
    assert "It has risen since, while the loss fell" in text


def test_molecules_alone_are_drawn_by_what_was_measured_of_them(directory: Path) -> None:
    found = json.loads((directory / "overview.json").read_text(encoding="utf-8"))
    found["map"] |= {"names": ["molecule"], "is": [0] * 12, "own": []}
    (directory / "overview.json").write_text(json.dumps(found), encoding="utf-8")
    page = report_of(directory).html()
    assert "morphology (3)" in page
    assert "no profile (9)" in page


def test_a_damaged_record_is_named(directory: Path) -> None:
    (directory / "training.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelDirectoryError, match=r"training\.json"):
        report_of(directory)


def test_a_record_that_lacks_something_is_refused_by_name_or_does_without(directory: Path) -> None:
    whole = json.loads((directory / "training.json").read_text(encoding="utf-8"))
    refused = {}
    for key in whole:
        fewer = {name: value for name, value in whole.items() if name != key}
        (directory / "training.json").write_text(json.dumps(fewer), encoding="utf-8")
        try:
            assert report_of(directory).html()
        except ModelDirectoryError as error:
            refused[key] = str(error)
    assert {"history", "data", "epochs", "method"} <= set(refused)
    assert all(key in said for key, said in refused.items())
