"""The verb explore: what it refuses before a model is read, and a server that a browser could ask."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_what_it_refuses(cytomol: Callable[..., Any], untrained: dict[str, Path], tmp_path: Path) -> None:
    model = untrained["chmr"]
    wrong = cytomol("explore", model, "--smiles-col", "x")
    assert (wrong.code, "give that too" in wrong.err) == (2, True)
    absent = cytomol("explore", tmp_path / "no", "--no-open")
    assert absent.code == 2
    assert "no" in absent.err
    library = cytomol("explore", model, "--library", tmp_path / "no.csv", "--no-open")
    assert library.code == 2
    assert "no.csv" in library.err
    tree = cytomol("explore", model, "--hierarchy", tmp_path, "--no-open")
    assert tree.code == 2
    assert "cytomol hierarchy" in tree.err


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for a child process")
def test_it_serves_until_it_is_interrupted(untrained: dict[str, Path]) -> None:
    command = [sys.executable, "-m", "cytomol", "explore", str(untrained["infoalign"]), "--no-open"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        stop = threading.Timer(120, process.kill)
        stop.start()
        assert process.stderr is not None
        line = next(line for line in process.stderr if "the page is at" in line)
        address = line.split(" at ")[1].split()[0]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{address}api/about"
        ) as answer:
            assert b'"kind":"backbone"' in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in {0, 130}
        stop.cancel()
