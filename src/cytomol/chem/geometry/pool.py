"""Worker processes that are killed and replaced when a molecule exceeds its time.

RDKit holds its thread in C++, so that neither a Python signal nor a thread can stop it; only the
end of the process can. Workers are fresh interpreters (no fork: the caller may hold threads and a
GPU; no multiprocessing: that would import the caller's main module again, and torch with it).
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.geometry.worker import FAILED, HEADER, LOST, PATIENCE, READY, UNUSABLE, VALUES
from cytomol.errors import CytomolError

__all__ = ["Outcome", "run_workers"]

_START_LIMIT = 300.0  # seconds until a worker has imported RDKit, on the slowest of discs
_START_ATTEMPTS = 3
_ENDED = -1
_LEAST_WAIT = 0.01
# Signals that somebody sends (the user, the system short of memory); others are crashes.
_FROM_OUTSIDE = {"SIGHUP", "SIGINT", "SIGKILL", "SIGTERM"}
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
_START += "from cytomol.chem.geometry.worker import main; main(sys.argv[2])"


@dataclass(frozen=True)
class Outcome:
    """What became of one molecule.

    Attributes
    ----------
    index
        Position in the list given to `run_workers`.
    kind
        "values"; "failed" (always will); "timeout" (used up its processor time, might do with more);
        "lost" (somebody else ended the process, memory ran out, or the machine was too busy to tell:
        says nothing about the molecule).
    values
        Flat float32 array when ``kind`` is "values".
    reason
        Why there is none, otherwise.
    """

    index: int
    kind: Literal["values", "failed", "timeout", "lost"]
    values: NDArray[np.float32] | None = None
    reason: str = ""


def run_workers(
    smiles: Sequence[str], entry: str, *, timeout: float, workers: int
) -> Generator[Outcome, None, None]:
    """Yield the outcome of every molecule as it is known, in any order; closing it ends the processes.

    Parameters
    ----------
    smiles
        Molecules.
    entry
        ``"module:function"`` that the workers call; see `GeometryProvider.worker`.
    timeout
        Seconds of processor time for one molecule, after which its process is killed; by the clock on the
        wall ten times as many, where others keep the processors busy. A system that cannot tell the
        processor time of another process has the clock alone.
    workers
        Number of processes.

    Raises
    ------
    CytomolError
        If worker processes cannot be started.
    """
    pool = _Pool(smiles, entry, timeout, workers)
    try:
        yield from pool.outcomes()
    finally:
        pool.close()


class _Worker:
    """One process, and the thread that listens to it."""

    def __init__(self, entry: str, events: queue.SimpleQueue[_Event]) -> None:
        environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
        command = [sys.executable, "-c", _START, json.dumps(sys.path), entry]
        self.index: int | None = None
        self.asked = time.monotonic()
        self.used_before: float | None = None
        self.deadline = time.monotonic() + _START_LIMIT
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._thread = threading.Thread(target=self._listen, args=(events,), daemon=True)
        self._thread.start()

    def _listen(self, events: queue.SimpleQueue[_Event]) -> None:
        stream = self.process.stdout
        assert stream is not None
        while len(header := stream.read(HEADER.size)) == HEADER.size:
            status, length = HEADER.unpack(header)
            body = stream.read(length)
            if len(body) < length:
                break
            events.put((self, status, body))
        events.put((self, _ENDED, b""))

    def ask(self, index: int, smiles: str, limit: float) -> None:
        """Send a molecule; `BrokenPipeError` if the process has ended."""
        assert self.process.stdin is not None
        self.index = index
        self.asked = time.monotonic()
        self.deadline = self.asked + limit
        self.used_before = self._processor_time()
        self.process.stdin.write(json.dumps([smiles, limit]).encode() + b"\n")
        self.process.stdin.flush()

    def used(self) -> float | None:
        """Return the seconds of processor time since the question; None where the system cannot tell."""
        now = self._processor_time()
        return None if now is None or self.used_before is None else now - self.used_before

    def _processor_time(self) -> float | None:
        if not sys.platform.startswith("linux"):
            return None
        try:
            return time.clock_gettime((~self.process.pid << 3) | 2)  # clock_getcpuclockid(3)
        except OSError:  # it has ended
            return None

    def end(self) -> int:
        """Kill the process if it still runs; return its exit status."""
        self.process.kill()
        status = self.process.wait()
        self._thread.join()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:  # an unsent request to a process that is gone
                continue
        return status


_Event = tuple[_Worker, int, bytes]


class _Pool:
    def __init__(self, smiles: Sequence[str], entry: str, timeout: float, workers: int) -> None:
        self._smiles = smiles
        self._entry = entry
        self._timeout = timeout
        self._workers = workers
        self._waiting = deque(range(len(smiles)))
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._live: set[_Worker] = set()
        self._once = set[int]()  # molecules whose process has died: they are tried in another one
        self._failed_starts = 0

    def outcomes(self) -> Iterator[Outcome]:
        while self._waiting or any(worker.index is not None for worker in self._live):
            self._fill()
            wait = min(worker.deadline for worker in self._live) - time.monotonic()
            try:
                event = self._events.get(timeout=max(wait, 0.0)) if wait > 0 else self._events.get_nowait()
            except queue.Empty:
                # Only when nothing more has been answered is silence a sign of exceeded time.
                yield from self._expire()
                continue
            outcome = self._handle(*event)
            if outcome is not None:
                yield outcome

    def close(self) -> None:
        """Kill all processes."""
        while self._live:
            self._live.pop().end()

    def _fill(self) -> None:
        """Start as many processes as there is work for."""
        busy = sum(worker.index is not None for worker in self._live)
        wanted = min(self._workers, busy + len(self._waiting))
        while len(self._live) < wanted:
            self._live.add(_Worker(self._entry, self._events))

    def _handle(self, worker: _Worker, status: int, body: bytes) -> Outcome | None:
        if worker not in self._live:  # killed before: what it still said no longer counts
            return None
        if status == UNUSABLE:
            raise CytomolError(f"worker process cannot be used: {body.decode()}", where=self._entry)
        if status == _ENDED:
            return self._ended(worker)
        index, worker.index = worker.index, None
        self._next(worker)
        if status == READY:
            self._failed_starts = 0
            return None
        assert index is not None
        if status == VALUES:
            return Outcome(index, "values", np.frombuffer(body, dtype="<f4"))
        assert status in (FAILED, LOST)
        return Outcome(index, "failed" if status == FAILED else "lost", reason=body.decode())

    def _next(self, worker: _Worker) -> None:
        """Give the worker its next molecule, or end it when there is none."""
        if not self._waiting:
            self._live.discard(worker)
            worker.end()
            return
        index = self._waiting.popleft()
        try:
            worker.ask(index, self._smiles[index], self._timeout)
        except BrokenPipeError:  # it died while idle: not the molecule's fault
            self._waiting.appendleft(index)
            worker.index = None

    def _ended(self, worker: _Worker) -> Outcome | None:
        self._live.discard(worker)
        status = worker.end()
        if worker.index is None:
            self._count_failed_start(f"exit status {status}")
            return None
        if worker.index not in self._once:
            self._once.add(worker.index)
            self._waiting.append(worker.index)
            return None
        if status >= 0:
            reason = f"the process ended with exit status {status}, twice"
            return Outcome(worker.index, "failed", reason=reason)
        name = _signal_name(-status)
        kind: Literal["lost", "failed"] = "lost" if name in _FROM_OUTSIDE else "failed"
        return Outcome(worker.index, kind, reason=f"the process was ended by {name}, twice")

    def _expire(self) -> Iterator[Outcome]:
        now = time.monotonic()
        for worker in [worker for worker in self._live if worker.deadline <= now]:
            used, index = worker.used(), worker.index
            left = 0.0 if used is None else self._timeout - used
            end = worker.asked + PATIENCE * self._timeout
            if index is not None and left > 0 and now < end:
                worker.deadline = min(now + max(left, _LEAST_WAIT), end)
                continue
            self._live.discard(worker)
            worker.end()
            if index is None:
                self._count_failed_start(f"no sign of life for {_START_LIMIT:.0f} s")
            elif used is not None and left <= 0:
                yield Outcome(index, "timeout", reason=f"not finished after {self._timeout:g} s")
            else:
                seconds = f"{now - worker.asked:.3g} s by the clock"
                yield Outcome(index, "lost", reason=f"not finished after {seconds}")

    def _count_failed_start(self, why: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= _START_ATTEMPTS:
            raise CytomolError(f"worker processes cannot be started: {why}", where=self._entry)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have numbers only
        return f"signal {number}"
