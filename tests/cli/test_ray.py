"""Predicting by the workers of a Ray cluster."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Run = Callable[..., Any]


@pytest.fixture
def long_input(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    smiles = [f"{'C' * (i % 7 + 1)}{tail}" for i in range(12) for tail in ("O", "N", "c1ccncc1", "C1")]
    pd.DataFrame({"id": range(len(smiles)), "smiles": smiles}).to_csv(path, index=False)
    return path


@pytest.fixture
def model_here(fine_tuned: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a model's name in the folder that this process is in: workers may be in another."""
    monkeypatch.chdir(fine_tuned.parent)
    return fine_tuned.name


# The local answers of a backbone come from fresh processes too: this one may use more threads.
@pytest.mark.parametrize(("verb", "workers"), [("predict", "1"), ("impute", "2")])
def test_a_cluster_answers_what_is_answered_here(
    cytomol: Run, model_here: str, long_input: Path, verb: str, workers: str
) -> None:
    pytest.importorskip("ray", reason='Ray is not installed: pip install "cytomol[ray]"')
    place = long_input.parent
    ask = (verb, model_here if verb == "predict" else "default", long_input, "--chunk-rows", "10")
    one = cytomol(*ask, "--workers", workers, "-o", place / "local.csv")
    two = cytomol(*ask, "--workers", "1", "--engine", "ray", "-o", place / "ray.csv")
    assert (one.code, two.code) == (0, 0), two.err
    assert (place / "ray.csv").read_bytes() == (place / "local.csv").read_bytes()
    assert one.err.replace("local.", "ray.").splitlines()[-1] == two.err.splitlines()[-1]


def test_what_cannot_be_done_is_one_line(
    cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = cytomol("predict", fine_tuned, long_input, "-q", "-o", tmp_path / "o.csv", "--engine", "ray")
    assert done.code == 2
    assert done.err == (
        'cytomol: error: --engine ray needs Ray, which is not installed (pip install "cytomol[ray]")\n'
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}", "nowhere", "here:"])
def test_an_address_where_nobody_listens_is_one_line(
    cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path, address: str
) -> None:
    pytest.importorskip("ray", reason='Ray is not installed: pip install "cytomol[ray]"')
    with socket.socket() as taken:  # bound, and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        place = address.format(port=taken.getsockname()[1])
        ask = ("predict", fine_tuned, long_input, "--chunk-rows", "10", "-o", tmp_path / "out.csv")
        done = cytomol(*ask, "--engine", "ray", "--address", place)
    assert done.code == 2
    assert f"{place}: no Ray cluster can be used: " in done.err
    assert not (tmp_path / "out.csv").exists()
