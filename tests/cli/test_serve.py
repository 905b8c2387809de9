"""The verb serve: what it refuses before any work, and a real process from its start to its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from cytomol.serve.access import read_token

Run = Callable[..., Any]
TOKEN = "a-token-of-enough-letters"


@pytest.fixture(autouse=True)
def _without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CYTOMOL_TOKEN", raising=False)


def test_it_is_not_opened_to_others_without_a_token(cytomol: Run, tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.org"):
        done = cytomol("serve", tmp_path, "--host", host)
        assert done.code == 2
        assert "there is no token (set CYTOMOL_TOKEN or --token-file, or leave --host out)" in done.err


@pytest.mark.parametrize("text", ["short", "with a blank in between", "\n \n", "ä" * 20])
def test_a_token_that_is_none(cytomol: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text, encoding="utf-8")
    done = cytomol("serve", tmp_path, "--token-file", tmp_path / "token")
    assert done.code == 2
    assert "a token has 16 letters" in done.err
    assert not text.strip() or text not in done.err


def test_where_the_token_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_token() is None
    monkeypatch.setenv("CYTOMOL_TOKEN", TOKEN)
    assert read_token() == TOKEN
    (tmp_path / "token").write_text(f"{TOKEN}-of-the-file\n", encoding="utf-8")
    assert read_token(tmp_path / "token") == f"{TOKEN}-of-the-file"


def test_what_is_no_model_or_no_limit(cytomol: Run, tmp_path: Path) -> None:
    assert cytomol("serve", tmp_path / "nothing").code == 2
    assert "two models are called 'a'" in cytomol("serve", "a=x", "a=y").err
    assert "atoms" in cytomol("serve", tmp_path, "--atoms", "500").err
    assert "Missing argument" in cytomol("serve").err


def test_a_service_from_its_start_to_its_end(untrained: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    command = [sys.executable, "-m", "cytomol", "serve", f"cells={untrained['infoalign']}"]
    command += [
        "--port",
        "0",
        "--host",
        "127.0.0.1",
        "--token-file",
        str(tmp_path / "token"),
        "--workers",
        "0",
    ]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        url = address(tmp_path / "log", process)
        bearer = {"authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=url, timeout=60) as client:
            assert client.get("/readyz").json() == {"status": "ok"}
            assert client.post("/v1/embed", json={"molecules": ["CCO"]}).status_code == 401
            answer = client.post("/v1/embed", json={"molecules": ["CCO", "x"]}, headers=bearer).json()
            assert answer["model"] == "cells"
            assert [row["error"] is None for row in answer["rows"]] == [True, False]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
    events = [json.loads(line)["event"] for line in lines_of(tmp_path / "log")]
    assert events[0] == "listening"
    assert events.count("request") == 2
    assert "stopped" in events


def lines_of(log: Path) -> list[str]:
    return [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


def address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until the service takes requests, and return where."""
    while not any('"ready"' in line for line in lines_of(log)):
        with pytest.raises(subprocess.TimeoutExpired):  # it must not end before
            process.wait(0.1)
    return str(json.loads(lines_of(log)[0])["url"])
