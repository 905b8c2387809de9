"""The report on a backbone, from a directory as pretrain leaves it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from cytomol.errors import ModelDirectoryError
from cytomol.report.report_kinds import report_of

STRANGER = "<img src=x onerror=alert(1)>"


def _history(epochs: int, *, valid: bool = True) -> list[dict[str, Any]]:
    history = []
    for epoch in range(1, epochs + 1):
        terms = {"loss": 10 / epoch, f"reconstruction/{STRANGER}": 1 / epoch, "perplexity/1": 1.5}
        table = {"epoch": epoch, "step": epoch, "lr": 0.1, "seconds": 1.0, "molecules_per_second": 9.0}
        history.append({**table, "train": terms, "valid": terms if valid else {}})
    return history


OVERVIEW: dict[str, Any] = {
    "learnt_from": {
        "molecules": {"corpus": 40, "valid": 39, "train": 36, "validation": 3, "profiled": 13},
        "genes": 0,
        "modalities": [
            {"name": STRANGER, "kind": "morphology", "entity": "molecule", "features": 5, "profiles": 15,
             "entities": 13, "corrected": True},
        ],
        "relations": [],
        "context": {"nodes": 54, "edges": 20, "criteria": {"structure": 20}},
    },
    "codes": {"binary": True, "molecules": 39, "levels": [[30, 9], [30, 0, 4, 5]]},
    "map": {
        "way": "t-SNE",
        "names": ["molecule", STRANGER],
        "x": [float(i) for i in range(12)],
        "y": [float(-i) for i in range(12)],
        "is": [0] * 9 + [1] * 3,
        "nodes": [[0] * 6 + [1] * 6, [0] * 6 + [2] * 3 + [3] * 3],
        "label": [STRANGER] * 4 + ["kinase"] * 2 + [""] * 6,
        "own": [{"name": STRANGER, "profiles": 3, "median_percent": 12.5}],
        "alike": {"molecules": 6, "share": 0.5, "chance": 0.25},
    },
    "label_kind": "moa",
}  # fmt: skip


@pytest.fixture
def directory(untrained: dict[str, Path], tmp_path: Path) -> Path:
    """Return a backbone's directory with the record of a training and its figures."""
    path = tmp_path / "backbone"
    shutil.copytree(untrained["chmr"], path)
    training = {
        "method": "chmr", "epochs": 3, "stopped_early": False, "best_epoch": 3, "kept_epoch": 3,
        "loss_start": 11.0, "loss_end": 3.3, "seconds": 2.0, "molecules_per_second": 54.0,
        "data": {"corpus": "ab" * 32, "molecules": 40, "exclude": ["cd" * 32], "exclude_relations": True,
                 "excluded": {"molecules": 4, "profiles": 2, "relations": 7}},
        "history": _history(3),
    }  # fmt: skip
    (path / "training.json").write_text(json.dumps(training), encoding="utf-8")
    (path / "overview.json").write_text(json.dumps(OVERVIEW), encoding="utf-8")
    return path


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
    assert "50% have one of the same moa as their nearest such neighbour; by chance 25%" in text
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
    text = _change(directory, history=_history(2, valid=False))
    assert "nothing was held out to validate it" in text
    assert "40 molecules; the directory says no more" in text
    assert "map" not in re.findall(r'<h2 id="([^"]*)', text)


def test_a_validation_that_no_longer_falls_is_said(directory: Path) -> None:
    history = _history(4)
    for entry, loss in zip(history, (3.0, 2.0, 2.5, 2.6), strict=True):
        entry["valid"] = {"loss": loss}
    text = _change(directory, epochs=4, history=history)
    assert "lowest in epoch 2 (2)" in text
    assert "Validation has not improved in the last 2 epochs" in text


def test_a_damaged_record_is_named(directory: Path) -> None:
    (directory / "training.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelDirectoryError, match=r"training\.json"):
        report_of(directory)
