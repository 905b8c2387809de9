"""Long inputs answered in parts: the same bytes, after a kill too, and by several processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

Run = Callable[..., Any]
SMILES = [f"{'C' * (i % 7 + 1)}{tail}" for i in range(40) for tail in ("O", "N", "c1ccncc1", "C1")]
PARTS = ("--chunk-rows", "16")


@pytest.fixture
def long_input(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"id": range(len(SMILES)), "smiles": SMILES}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "npz"])
def test_parts_give_what_the_whole_gives(
    cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path, suffix: str
) -> None:
    whole, parts = tmp_path / f"whole.{suffix}", tmp_path / f"parts.{suffix}"
    one = cytomol("predict", fine_tuned, long_input, "-o", whole, "--workers", "1")
    two = cytomol("predict", fine_tuned, long_input, "-o", parts, "--workers", "1", *PARTS)
    assert (one.code, two.code) == (0, 0), two.err
    assert one.err.splitlines()[-1].replace("whole.", "parts.") == two.err.splitlines()[-1]
    match suffix:
        case "parquet":
            pd.testing.assert_frame_equal(pd.read_parquet(parts), pd.read_parquet(whole), rtol=1e-5)
        case "npz":
            with np.load(whole) as a, np.load(parts) as b:
                assert a.files == b.files
                assert a["smiles"].tolist() == b["smiles"].tolist()
        case _:
            frames = [pd.read_csv(p, sep="," if suffix == "csv" else "\t") for p in (parts, whole)]
            pd.testing.assert_frame_equal(*frames, rtol=1e-5)
    assert sorted(p.name for p in tmp_path.glob(".*")) == []


def test_a_folder_of_parquet(cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path) -> None:
    done = cytomol("predict", fine_tuned, long_input, "-o", f"{tmp_path}/out/", "--workers", "1", *PARTS)
    assert done.code == 0, done.err
    again = cytomol("embed", fine_tuned, tmp_path / "out", "-o", tmp_path / "e.parquet", "--workers", "1",
                    "--keep", "id", *PARTS)  # fmt: skip
    assert again.code == 0, again.err
    assert pd.read_parquet(tmp_path / "e.parquet")["id"].astype(int).tolist() == list(range(len(SMILES)))


def start(*args: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cytomol", *map(str, args)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_killed_run_goes_on(cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path) -> None:
    ask = ("predict", fine_tuned, long_input, "--workers", "1", "--chunk-rows", "4")
    assert cytomol(*ask, "-o", tmp_path / "whole.csv").code == 0
    out, folder = tmp_path / "out.csv", tmp_path / ".out.csv.parts"
    process = start(*ask, "-o", out)
    while process.poll() is None and len(list(folder.glob("[0-9]*.json"))) < 3:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not out.exists(), "it ended before it was killed"
    before = {path: path.stat().st_mtime_ns for path in folder.glob("[0-9]*.json")}
    assert len(before) >= 3

    plain = cytomol(*ask, "-o", out)
    assert plain.code == 2
    assert "--resume goes on with them, --force starts anew" in plain.err
    other = cytomol(*ask, "-o", out, "--resume", "--no-evidence")
    assert other.code == 2
    assert "holds parts of another run: options differs" in other.err
    assert {path: path.stat().st_mtime_ns for path in folder.glob("[0-9]*.json")} == before

    done = cytomol(*ask, "-o", out, "--resume")
    assert done.code == 0, done.err
    assert f"took up {len(before)} finished chunks" in done.err
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert list(tmp_path.glob(".*")) == []


def test_two_processes_give_the_same(
    cytomol: Run, fine_tuned: Path, long_input: Path, tmp_path: Path
) -> None:
    for workers in ("1", "2"):
        process = start("predict", fine_tuned, long_input, "-o", tmp_path / f"{workers}.csv", "--workers",
                        workers, "--chunk-rows", "50")  # fmt: skip
        _, err = process.communicate()
        assert process.returncode == 0, err
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


def test_the_row_of_an_invalid_molecule_is_that_of_the_input(
    cytomol: Run, fine_tuned: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text("smiles\n" + "CCO\n" * 20 + "C1CC\n" + "CCO\n" * 9)
    ask = ("predict", fine_tuned, tmp_path / "in.csv", "-o", tmp_path / "o.csv", "--on-error", "raise")
    for more in ((), ("--chunk-rows", "8")):
        done = cytomol(*ask, "--workers", "1", *more)
        assert done.code == 2
        assert "row 21: invalid molecule 'C1CC'" in done.err
    assert list(tmp_path.glob(".*")) == []
