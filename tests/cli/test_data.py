"""The verb data: lists the sets, fetches them, and says what it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_list_without_a_folder(cytomol: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CYTOMOL_DATA", raising=False)
    done = cytomol("data", "list")
    assert done.code == 0
    assert len(done.out.splitlines()) == 10
    assert "CYTOMOL_DATA" in done.err


def test_get_without_a_mirror_says_where_it_was_published(cytomol: Run, tmp_path: Path) -> None:
    done = cytomol("data", "get", "chembl2k", "--to", tmp_path)
    assert done.code == 2
    assert "liugangcode/InfoAlign" in done.err
    assert "--mirror" in done.err
    assert list(tmp_path.iterdir()) == []


def test_get_an_unknown_set(cytomol: Run, tmp_path: Path) -> None:
    done = cytomol("data", "get", "chembl", "--to", tmp_path)
    assert done.code == 2
    assert "known: bbbp, bace" in done.err


@pytest.mark.real_data
def test_get_and_list(cytomol: Run, real_data: Path, tmp_path: Path) -> None:
    done = cytomol("data", "get", "bace", "toxcast", "--mirror", real_data, "--to", tmp_path)
    assert done.code == 0, done.err
    assert done.out == f"bace: {tmp_path / 'bace'}\ntoxcast: {tmp_path / 'toxcast'}\n"
    assert (tmp_path / "toxcast" / "split_infoalign.csv.gz").is_file()
    (tmp_path / "toxcast" / "card.json").unlink()
    done = cytomol("data", "list", "--to", tmp_path)
    here = {line.split()[0]: line.split(maxsplit=5)[5] for line in done.out.splitlines()[1:]}
    assert (here["bace"], here["toxcast"], here["hiv"]) == ("yes", "in part", "no")
