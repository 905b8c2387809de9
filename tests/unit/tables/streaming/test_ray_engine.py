"""Workers of a Ray cluster answer chunks: the bytes of the local engine, whatever dies."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.unit.tables.streaming.lengths import Lengths

from cytomol.errors import InputError, MissingDependencyError, OutputError
from cytomol.tables.streaming import open_source, ray_engine
from cytomol.tables.streaming.part_journal import PartJournal
from cytomol.tables.streaming.ray_engine import RayEngine
from cytomol.tables.streaming.stream_answers import StreamOptions, WorkerDiedError, stream_answers

SIZE = 5


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return Ray with a cluster of two cores on this machine; skip where it is not installed."""
    ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "cytomol[ray]"')
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 << 20)
    yield ray
    ray.shutdown()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    frame = pd.DataFrame({"smiles": ["C" * (i % 5 + 1) + "XO"[i % 7 > 0] for i in range(58)], "note": "a,b"})
    frame.to_csv(path, index=False)
    return path


def ask(table: Path, out: Path, job: Lengths, engine: RayEngine | None, **more: Any) -> int:
    """Answer a table, and return the number of chunks that were taken up."""
    options = StreamOptions(SIZE, engine=engine, **more)
    asked = {"on_error": job.on_error}
    return stream_answers(
        open_source(table), job, str(out), options, asked=asked, on_error=job.on_error
    ).taken_up


def test_the_bytes_are_those_of_the_local_engine(cluster: Any, table: Path, tmp_path: Path) -> None:
    ask(table, tmp_path / "local.npz", Lengths(matrix=True), None)
    pids = tmp_path / "pids"
    pids.mkdir()
    job = Lengths(matrix=True, pids=pids, seconds=0.02)
    ask(table, tmp_path / "ray.npz", job, RayEngine(workers=2))
    assert (tmp_path / "ray.npz").read_bytes() == (tmp_path / "local.npz").read_bytes()
    seen = [path.name.split("-") for path in pids.iterdir()]
    assert sorted(int(first) for first, _ in seen) == list(range(0, 58, SIZE)), "each chunk once"
    assert str(os.getpid()) not in {pid for _, pid in seen}
    assert list(tmp_path.glob(".*")) == []


def test_a_run_is_taken_up_and_a_worker_that_is_killed_loses_nothing(
    cluster: Any, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(table, tmp_path / "local.csv", Lengths(), None)
    pids = tmp_path / "pids"
    pids.mkdir()
    with pytest.raises(OutputError):  # by the local engine, until the disk is full
        ask(table, tmp_path / "ray.csv", Lengths(full=12), None)
    killed = list[Path]()

    def kill() -> None:
        while not killed:
            begun = [path for path in sorted(pids.iterdir()) if not path.name.startswith("10-")]
            if begun:  # not the first chunk: something is finished
                killed.append(begun[0])
                os.kill(int(begun[0].name.split("-")[1]), signal.SIGKILL)
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    job = Lengths(pids=pids, seconds=0.3)
    assert ask(table, tmp_path / "ray.csv", job, RayEngine(workers=2), resume=True) == 2
    thread.join()
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
    begun = [path.name.split("-") for path in pids.iterdir()]
    first, pid = killed[0].name.split("-")
    assert len([one for one in begun if one[0] == first]) == 2, "the chunk of the killed worker, once more"
    assert sorted({int(one) for one, _ in begun}) == list(range(2 * SIZE, 58, SIZE))
    assert len(begun) == -(-58 // SIZE) - 2 + 1, "no other chunk was repeated"
    assert not Path(f"/proc/{pid}").exists() or sys.platform != "linux"
    assert capsys.readouterr().out == "", "what Ray says of it is no part of an output on -"


def test_a_chunk_that_kills_its_workers_ends_the_run_and_the_local_engine_goes_on(
    cluster: Any, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "_REPEATS", 1)
    ask(table, tmp_path / "local.csv", Lengths(), None)
    out, pids = tmp_path / "out.csv", tmp_path / "pids"
    pids.mkdir()
    with pytest.raises(WorkerDiedError, match="died 2 times at one chunk; what is finished stays") as caught:
        ask(table, out, Lengths(deadly=22, pids=pids), RayEngine(workers=1))
    assert "\n" not in str(caught.value)
    assert len(list(pids.glob("20-*"))) == 2
    assert sorted(PartJournal.beside(out).finished()) == [0, 1, 2, 3]
    assert ask(table, out, Lengths(), None, resume=True) == 4
    assert out.read_bytes() == (tmp_path / "local.csv").read_bytes()


def test_the_error_is_that_of_the_first_row(cluster: Any, table: Path, tmp_path: Path) -> None:
    told = []
    for engine in (None, RayEngine(workers=2)):
        with pytest.raises(InputError, match="row 1: invalid molecule") as caught:
            ask(table, tmp_path / "out.csv", Lengths(on_error="raise"), engine)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_worker_that_does_not_see_the_output_says_so(cluster: Any, table: Path, tmp_path: Path) -> None:
    job, journal = Lengths(), PartJournal(tmp_path / "elsewhere")
    chunks = open_source(table).chunks(SIZE)
    with pytest.raises(OutputError, match="is not seen by a worker of Ray") as caught:
        list(RayEngine(workers=1).notes(chunks, job, journal, SIZE))
    assert "a file system that all machines of the cluster share" in str(caught.value)


def test_a_part_that_never_comes_into_sight_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "_PATIENCE", 0.0)
    with pytest.raises(OutputError, match="lacks 1 part "):
        ray_engine._wait_for(PartJournal(tmp_path), {3})


def test_without_ray_there_is_one_line(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError) as caught:
        ask(table, tmp_path / "out.csv", Lengths(), RayEngine())
    assert str(caught.value) == (
        '--engine ray needs Ray, which is not installed (pip install "cytomol[ray]")'
    )
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
