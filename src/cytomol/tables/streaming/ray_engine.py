"""Chunks answered by the workers of a Ray cluster, each of which writes its part.

The workers are Ray actors, fed one chunk at a time. Ray Data's pipelines are not used, since a chunk has to
be what is done, counted and repeated: Ray Data merges small blocks (eight chunks became one task of one
worker, all of them repeated when it died), waits for ever where the workers leave no core for its reading
task, and starts a task again without end that kills its worker each time.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytomol.counted import counted
from cytomol.errors import ConfigError, MissingDependencyError, OutputError, note
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.streaming.part_journal import PartJournal
from cytomol.tables.streaming.stream_answers import ChunkAnswer, ChunkJob, Chunks, WorkerDiedError, kept_chunk

__all__ = ["RayEngine", "ray_or_error"]

_REPEATS = 2  # of a chunk whose worker died
_OBJECT_STORE = 256 << 20  # bytes; of a cluster of our own, where only chunks of SMILES wait
_PATIENCE = 60.0  # seconds until a shared file system shows what another machine wrote
_TO_ANSWER = 10.0  # seconds in which a cluster has to take a connection
_TO_SHARE = "model and output have to lie on a file system that all machines of the cluster share"
_TO_CONNECT = "is it running? one that asks for a token needs RAY_AUTH_MODE=token"
_Notes = Iterator[tuple[int, dict[str, Any]]]


@dataclass(frozen=True)
class RayEngine:
    """Answers chunks on a Ray cluster.

    Input rows are read here and sent; the model is read, and parts are written, where the workers are, so
    model and output lie on a file system that all of them share.

    Attributes
    ----------
    address
        Of a cluster that is running (``auto``, ``host:port``); None starts one on this machine, for as
        long as it is needed.
    workers
        Processes; None for one on each core of the cluster.
    """

    address: str | None = None
    workers: int | None = None

    def notes(self, chunks: Chunks, job: ChunkJob, journal: PartJournal, size: int) -> _Notes:
        """Have each chunk answered and its part written; yield numbers and notes as they come.

        A worker that dies is started again, and its chunk repeated, some times.

        Raises
        ------
        MissingDependencyError
            If Ray is not installed.
        ConfigError
            If there is no such cluster, or it has no core.
        WorkerDiedError
            If the workers of one chunk die again and again; what is finished stays.
        CytomolError
            As the job raises them: that of the first chunk that has one.
        """
        ray = ray_or_error()
        # What Ray prints of its workers is no part of an answer on standard output.
        with redirect_stdout(sys.stderr), _cluster(ray, self.address, self.workers):
            cores = int(ray.cluster_resources().get("CPU", 0))
            if cores < 1:
                raise ConfigError("has no core for work", where=f"the cluster at {self.address}")
            actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=_REPEATS)(_Worker)
            some = [actor.remote(job, journal, str(Path.cwd())) for _ in range(self.workers or cores)]
            try:
                yield from _shared_out(ray, some, chunks, journal, size)
            finally:
                for one in some:
                    ray.kill(one)


def _shared_out(ray: Any, workers: list[Any], chunks: Chunks, journal: PartJournal, size: int) -> _Notes:
    """Give each worker that is free the next chunk; one that is not up yet gets none."""
    at_work: dict[Any, tuple[Any, int | None]] = {one.ready.remote(): (one, None) for one in workers}
    free: list[Any] = []
    numbers = set[int]()

    def finished() -> _Notes:
        ready = ray.wait(list(at_work), num_returns=1, timeout=_PATIENCE)[0]
        if not ready and not numbers and all(number is None for _, number in at_work.values()):
            note("no worker is up yet; is the cluster busy?", where="--engine ray")
        ref = ready[0] if ready else ray.wait(list(at_work), num_returns=1)[0][0]
        worker, number = at_work[ref]
        told = _result(ray, ref, at_work)
        del at_work[ref]
        free.append(worker)
        if number is not None:
            numbers.add(number)
            yield number, told

    for number, table in chunks:
        while not free:
            yield from finished()
        worker = free.pop()
        at_work[worker.answer.remote(number, table, number * size)] = (worker, number)
    while any(number is not None for _, number in at_work.values()):
        yield from finished()
    _wait_for(journal, numbers)


def _result(ray: Any, ref: Any, at_work: dict[Any, tuple[Any, int | None]]) -> dict[str, Any]:
    """Return a note; of chunks that fail raise the error of the first, as one process would."""
    wrong = _error(ray, ref)
    if wrong is None:
        told: dict[str, Any] = ray.get(ref)
        return told
    mine = at_work[ref][1]
    before = [(number, other) for other, (_, number) in at_work.items() if number is not None]
    for number, other in sorted(before, key=lambda pair: pair[0]):
        if mine is not None and number < mine and (earlier := _error(ray, other)) is not None:
            raise earlier from None
    raise wrong from None


def _error(ray: Any, ref: Any) -> Exception | None:
    try:
        ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        return error.cause if isinstance(error.cause, Exception) else error
    except ray.exceptions.RayError as error:  # a worker that died, was out of memory, could not be had
        what = str(error).strip().splitlines()
        return WorkerDiedError(
            f"a worker of Ray died {_REPEATS + 1} times at one chunk; what is finished stays",
            where=what[0][:160] if what else None,
            hint="out of memory? go on with --resume and smaller --chunk-rows or fewer --workers",
        )
    return None


class _Worker:
    """One process of the cluster."""

    def __init__(self, job: ChunkJob, journal: PartJournal, here: str) -> None:
        self._job, self._journal, self._here = job, journal, here
        self._answers: Callable[[MoleculeTable, int], ChunkAnswer] | None = None

    def ready(self) -> None:
        """Load the model."""
        self._loaded()

    def answer(self, number: int, table: MoleculeTable, first: int) -> dict[str, Any]:
        """Answer a chunk, write its part, and return its note."""
        return kept_chunk(self._journal, number, self._loaded()(table, first))

    def _loaded(self) -> Callable[[MoleculeTable, int], ChunkAnswer]:
        if self._answers is None:
            if not self._journal.folder.is_dir():
                raise OutputError(
                    f"is not seen by a worker of Ray on {socket.gethostname()}",
                    where=str(self._journal.folder.parent),
                    hint=_TO_SHARE,
                )
            if Path(self._here).is_dir():  # names of files are as they were typed
                os.chdir(self._here)
            self._answers = self._job.open()
        return self._answers


def _wait_for(journal: PartJournal, numbers: set[int]) -> None:
    """Wait until the notes that other machines wrote are seen here: network file systems take their time."""
    began = time.monotonic()
    while missing := numbers - set(journal.finished()):
        if time.monotonic() - began > _PATIENCE:
            raise OutputError(
                f"lacks {counted(len(missing), 'part')} that workers of Ray have written",
                where=str(journal.folder),
                hint=_TO_SHARE,
            )
        time.sleep(0.2)


def ray_or_error() -> Any:
    """Return the module; say how to get it where it is not installed."""
    try:
        import ray
    except ImportError:
        raise MissingDependencyError(
            "--engine ray needs Ray, which is not installed", hint='pip install "cytomol[ray]"'
        ) from None
    return ray


@contextmanager
def _cluster(ray: Any, address: str | None, workers: int | None) -> Iterator[None]:
    """Connect to a cluster, or start one; one that this process uses already stays as it is."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    asked: dict[str, Any] = {"address": address}
    if address is None:
        asked = {"address": "local", "num_cpus": workers, "include_dashboard": False}
        asked["object_store_memory"] = _OBJECT_STORE
    elif address != "auto":
        _require_answer(address)
    try:
        ray.init(log_to_driver=False, logging_level="error", **asked)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        what = str(error).strip().split("\n", maxsplit=1)[0][:200]
        raise ConfigError(f"no Ray cluster can be used: {what}", where=address, hint=_TO_CONNECT) from None
    try:
        yield
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Refuse an address where nobody listens; Ray itself would wait minutes for it, and end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_TO_ANSWER):
            return
    except (OSError, ValueError, OverflowError) as error:
        what = f"no Ray cluster can be used: {error}"
        raise ConfigError(what, where=address, hint=_TO_CONNECT) from None
