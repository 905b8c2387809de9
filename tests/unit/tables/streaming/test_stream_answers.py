"""Whatever ends a run, what is finished stays, nothing is half written, and going on gives the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.tables.streaming.letters_job import LettersJob, answer_file

from cytomol.errors import CytomolError, OutputError

QUIET = list(HealthCheck)


def molecules(path: Path, rows: int) -> Path:
    path.write_text("id,smiles\n" + "".join(f"{row},{'C' * (row % 9)}\n" for row in range(rows)))
    return path


def begun(work: Path) -> list[int]:
    return sorted(int(path.stem) for path in work.glob("[0-9]*.[0-9]*"))


@settings(max_examples=15, deadline=None, suppress_health_check=QUIET)
@given(
    rows=st.integers(1, 40),
    size=st.integers(1, 12),
    stops=st.lists(st.integers(0, 39), max_size=3),
    suffix=st.sampled_from([".csv", ".tsv", ".parquet", ".npz"]),
)
def test_a_run_that_is_stopped_anywhere_ends_as_one_that_is_not(
    tmp_path_factory: pytest.TempPathFactory, rows: int, size: int, stops: list[int], suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    work = folder / "work"
    work.mkdir()
    path, out, whole = molecules(folder / "in.csv", rows), folder / f"out{suffix}", folder / f"whole{suffix}"
    lost = 0
    for stop in sorted({stop - stop % size for stop in stops if stop < rows}):
        with pytest.raises(KeyboardInterrupt):
            answer_file(LettersJob(work, stop), path, out, size, resume=True)
        lost += 1
        assert not out.exists()
    answer_file(LettersJob(work), path, out, size, resume=True)
    chunks = range(0, rows, size)
    assert len(begun(work)) == len(chunks) + lost, "a finished chunk was answered again"
    assert set(begun(work)) == set(chunks)
    answer_file(LettersJob(work), path, whole, size)
    assert out.read_bytes() == whole.read_bytes()
    assert [one.name for one in folder.glob(".*")] == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_worker_that_is_killed_leaves_what_is_finished(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    path, out, whole = molecules(tmp_path / "in.csv", 60), tmp_path / "out.csv", tmp_path / "whole.csv"
    job = LettersJob(work, stop_at=32, fatal=True)
    with pytest.raises(CytomolError) as died:
        answer_file(job, path, out, 8, workers=2)
    assert "a process that answers molecules died; what is finished stays" in str(died.value)
    assert "--resume" in str(died.value)
    assert not out.exists()
    there = sorted(one.stem for one in (tmp_path / ".out.csv.parts").glob("[0-9]*.json"))
    assert there
    taken = answer_file(job, path, out, 8, workers=2, resume=True)
    assert taken == len(there)
    again = [first for first in set(begun(work)) if begun(work).count(first) > 1]
    assert len(again) <= 2, "more than what the two processes were at"
    answer_file(LettersJob(work), path, whole, 8)
    assert out.read_bytes() == whole.read_bytes()
    assert [one.name for one in tmp_path.glob(".*")] == []


@pytest.mark.skipif(os.name == "nt", reason="this system has no limit for the size of a file")
@pytest.mark.parametrize(("limit", "where"), [(3_000, ".out.csv.parts"), (30_000, "out.csv")])
def test_a_disk_that_is_full(tmp_path: Path, limit: int, where: str) -> None:
    path, out, whole = molecules(tmp_path / "in.csv", 60), tmp_path / "out.csv", tmp_path / "whole.csv"
    script = Path(__file__).with_name("letters_job.py")

    def run(most: int, *more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script), str(path), str(out), str(most), *more]
        # not counted among the lines that are run: coverage has its files on this disk too
        alone = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=alone)

    full = run(limit)
    assert full.returncode == 1
    assert full.stderr.startswith("error: ")
    assert full.stderr.count("\n") == 1, full.stderr
    assert where in full.stderr
    assert "go on with --resume" in full.stderr
    assert not out.exists()
    assert run(1 << 30, "--resume").returncode == 0
    answer_file(LettersJob(tmp_path, width=200), path, whole, 16)
    assert out.read_bytes() == whole.read_bytes()
    assert [one.name for one in tmp_path.glob(".*")] == []


def test_a_place_without_room_for_a_first_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cytomol.tables.streaming.part_journal.publish_file", full)
    with pytest.raises(OutputError, match="No space left on device"):
        answer_file(LettersJob(tmp_path), molecules(tmp_path / "in.csv", 3), tmp_path / "out.csv", 2)
    assert [one.name for one in tmp_path.iterdir()] == ["in.csv"]
