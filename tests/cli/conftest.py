"""Running the command line inside the test process, and a small table of assays."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.artifact.signature import VERIFY_KEY, new_key
from cytomol.cli.main import main

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)"]


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def cytomol() -> Callable[..., Done]:
    """Return a function that runs one command."""

    def run(*args: object) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as stop,
        ):
            main([str(arg) for arg in args])
        return Done(int(stop.value.code or 0), out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def verify_key(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let no model be opened but those that a key has signed, which has signed none."""
    public = new_key(tmp_path_factory.mktemp("keys") / "key")[1]
    monkeypatch.setenv(VERIFY_KEY, str(public))
    return public


@pytest.fixture(scope="session")
def assays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a CSV of 60 molecules with names and two tasks, some labels missing."""
    smiles = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
    frame = pd.DataFrame({"smiles": smiles, "name": [f"m{i}" for i in range(len(smiles))]})
    frame["nitrogen"] = frame["smiles"].str.contains("N|n").astype(float)
    frame["aromatic"] = frame["smiles"].str.contains("c").astype(float)
    frame["aromatic"] = frame["aromatic"].where(np.arange(len(frame)) % 5 != 0)
    path = tmp_path_factory.mktemp("assays") / "assays.csv"
    frame.to_csv(path, index=False)
    return path


SMALL = ("--epochs", "4", "--hidden", "8", "--split-type", "random", "--workers", "1", "--no-report")


@pytest.fixture(scope="session")
def fine_tuned(
    cytomol: Callable[..., Done],
    assays: Path,
    untrained: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a fine-tuned model directory."""
    out = tmp_path_factory.mktemp("fine-tuned") / "model"
    done = cytomol("finetune", assays, "--backbone", untrained["chmr"], *SMALL, "-o", out)
    assert done.code == 0, done.err
    return out
