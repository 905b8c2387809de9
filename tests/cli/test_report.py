"""The verb report, and the report that finetune writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def made(cytomol: Run, assays: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Return what a fine-tuning said and the model that it made, without evidence."""
    out = tmp_path_factory.mktemp("made") / "model"
    options = ("--learner", "neighbours", "--split-type", "random", "--no-evidence", "--workers", "1")
    return cytomol("finetune", assays, *options, "-o", out), out


def test_finetune_writes_it_and_says_so(made: tuple[Any, Path]) -> None:
    done, out = made
    assert done.code == 0, done.err
    assert f"report: {out / 'report.html'}" in done.err
    assert "and a learning curve" in done.err


def test_it_knows_the_command_and_the_columns(made: tuple[Any, Path]) -> None:
    record = json.loads((made[1] / "report.json").read_text())
    assert record["command"][:2] == ["cytomol", "finetune"]
    roles = {column["name"]: column["role"] for column in record["columns"]}
    assert roles == {"smiles": "smiles", "name": "id", "nitrogen": "class", "aromatic": "class"}


def test_without_evidence_there_is_no_molecule_in_record_or_page(made: tuple[Any, Path]) -> None:
    for name in ("report.json", "report.html"):
        text = (made[1] / name).read_text()
        assert "c1ccncc1" not in text
        assert "m17" not in text


def test_the_verb_makes_the_same_page_again(cytomol: Run, reported: Path, tmp_path: Path) -> None:
    done = cytomol("report", reported, "-o", tmp_path / "again.html")
    assert done.code == 0, done.err
    assert done.err == f"report: {tmp_path / 'again.html'}\n"
    assert (tmp_path / "again.html").read_bytes() == (reported / "report.html").read_bytes()
    again = cytomol("report", reported, "-o", tmp_path / "again.html")
    assert (again.code, "output exists" in again.err) == (2, True)


def test_a_folder_without_a_report_is_named(cytomol: Run, tmp_path: Path) -> None:
    done = cytomol("report", tmp_path)
    assert done.code == 2
    assert "holds nothing that cytomol has a report on" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_its_report_can_be_replaced(cytomol: Run, made: tuple[Any, Path], assays: Path) -> None:
    out = made[1]
    options = ("--learner", "neighbours", "--split-type", "random", "--workers", "1", "--no-report")
    done = cytomol("finetune", assays, *options, "-o", out, "--force")
    assert done.code == 0, done.err
    assert not (out / "report.html").exists()
    assert not (out / "report.json").exists()
