"""Requests that wait are answered together, by one thread that owns the models."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any, Self

from cytomol.counted import agreeing
from cytomol.errors import CytomolError

__all__ = ["BatchDone", "Batcher", "ClosedError", "QueueFullError"]

Answerer = Callable[[Hashable, list[Any]], Sequence[Any]]
_LEAST_RATE = 1.0  # rows a second that are assumed before any was measured
_MEMORY = 0.8  # share of what was known of the rate that a new batch leaves


class QueueFullError(CytomolError):
    """As much waits already as may wait.

    Attributes
    ----------
    retry_after
        Seconds after which it is worth trying again.
    """

    retry_after: float = 1.0


class ClosedError(CytomolError):
    """The batcher has stopped."""


@dataclass(eq=False)
class _Job:
    """Rows of one request: those that wait, and the answers that are there."""

    key: Hashable
    rows: Sequence[Any]
    future: Future[list[Any]] = field(default_factory=Future)
    given: int = 0  # rows handed to the thread
    answers: list[Any] = field(default_factory=list)

    @property
    def left(self) -> int:
        return len(self.rows) - self.given


@dataclass(frozen=True)
class BatchDone:
    """What a finished batch was, for those who count.

    Attributes
    ----------
    key, rows, requests, seconds
        What was asked, how many rows of how many requests, and how long it took.
    """

    key: Hashable
    rows: int
    requests: int
    seconds: float


class Batcher:
    """A queue of requests and the one thread that answers them.

    Rows of different requests with an equal key are answered together. A long request is answered in slices
    and goes to the end of the queue after each, so that short ones pass it. A request whose future is
    cancelled costs nothing from then on, but for the slice that is being answered.

    Parameters
    ----------
    answer
        Called by the thread with a key and rows; returns one answer for each row, in order.
    rows
        Rows answered at once, at most.
    wait
        Seconds that the first row of a batch waits for others, while fewer than ``rows`` are there.
    waiting
        Rows that may wait; a request beyond is refused, but for one that finds nobody waiting.
    done
        Called by the thread after each batch, before its answers are handed over.

    Examples
    --------
    >>> with Batcher(lambda key, rows: [key * row for row in rows]) as batcher:
    ...     one, two = batcher.submit(2, [1, 2, 3]), batcher.submit(2, [4])
    ...     one.result(), two.result()
    ([2, 4, 6], [8])
    """

    def __init__(
        self,
        answer: Answerer,
        *,
        rows: int = 256,
        wait: float = 0.003,
        waiting: int = 10_000,
        done: Callable[[BatchDone], None] | None = None,
    ) -> None:
        self._answer, self._done = answer, done
        self._rows, self._wait, self._most = rows, wait, waiting
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._rate = 0.0
        self._thread: threading.Thread | None = None  # from the first request on

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """Rows that wait for their turn."""
        with self._changed:
            return self._waiting()

    @property
    def alive(self) -> bool:
        """Whether requests are taken and answered."""
        return not self._closing and (self._thread is None or self._thread.is_alive())

    def _waiting(self) -> int:
        return sum(job.left for job in self._jobs if not job.future.done())

    def submit(self, key: Hashable, rows: Sequence[Any]) -> Future[list[Any]]:
        """Ask for answers; the future has one for each row, in order, or the error.

        Raises
        ------
        QueueFullError
            If as many rows wait as may wait.
        ClosedError
            If the batcher was closed.
        """
        job = _Job(key, rows)
        if not len(rows):
            job.future.set_result([])
            return job.future
        with self._changed:
            if self._closing:
                raise ClosedError("the service is stopping", hint="ask another one")
            waiting = self._waiting()
            if waiting and waiting + len(rows) > self._most:
                wait = agreeing(waiting, "row", "waits", "wait")
                error = QueueFullError(f"{wait} already", hint="try again later")
                error.retry_after = min(60.0, max(1.0, waiting / max(self._rate, _LEAST_RATE)))
                raise error
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cytomol-model", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return job.future

    def open(self) -> None:
        """Take requests again, after :meth:`close`."""
        with self._changed:
            if self._closing:
                self._closing, self._thread = False, None

    def close(self, timeout: float | None = None) -> bool:
        """Answer what waits, then stop; True if the thread ended within ``timeout`` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            if batch:
                self._answer_batch(batch)

    def _next(self) -> list[tuple[_Job, int]] | None:
        """Return the jobs of the next batch with the rows of each; None when closed and all are done."""
        with self._changed:
            while not self._jobs:
                if self._closing:
                    return None
                self._changed.wait()
            until = time.monotonic() + self._wait
            while not self._closing and self._alike() < self._rows:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return self._take()

    def _alike(self) -> int:
        """Return how many rows could go with the first job, itself included."""
        return sum(job.left for job in self._jobs if job.key == self._jobs[0].key)

    def _take(self) -> list[tuple[_Job, int]]:
        """Take the rows of a batch out of the queue; what is left of a job goes to its end."""
        batch: list[tuple[_Job, int]] = []
        kept: deque[_Job] = deque()
        room, key = self._rows, self._jobs[0].key
        late: list[_Job] = []
        for job in self._jobs:
            if job.future.done():  # cancelled by who asked
                continue
            if not room or job.key != key:
                kept.append(job)
                continue
            count = min(room, job.left)
            batch.append((job, count))
            job.given += count
            room -= count
            if job.left:
                late.append(job)
        kept.extend(late)
        self._jobs = kept
        return batch

    def _answer_batch(self, batch: list[tuple[_Job, int]]) -> None:
        rows = [row for job, count in batch for row in job.rows[job.given - count : job.given]]
        start = time.monotonic()
        try:
            answers = self._answered(batch[0][0].key, rows)
        except Exception as error:  # noqa: BLE001 - the thread lives on; the error goes to who asked
            if len(batch) == 1:
                self._fail(batch[0][0], error)
            else:  # one request must not spoil another's answer
                for one in batch:
                    self._answer_batch([one])
            return
        seconds = time.monotonic() - start
        rate = len(rows) / max(seconds, 1e-6)
        self._rate = rate if not self._rate else _MEMORY * self._rate + (1 - _MEMORY) * rate
        if self._done is not None:  # who has an answer finds it counted
            self._done(BatchDone(batch[0][0].key, len(rows), len(batch), seconds))
        place = 0
        for job, count in batch:
            job.answers += answers[place : place + count]
            place += count
            if len(job.answers) == len(job.rows):
                _finish(job.future, job.answers)

    def _answered(self, key: Hashable, rows: list[Any]) -> Sequence[Any]:
        answers = self._answer(key, rows)
        if len(answers) != len(rows):
            raise AssertionError(f"{len(rows)} rows asked, {len(answers)} answered")
        return answers

    def _fail(self, job: _Job, error: Exception) -> None:
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)
        _finish(job.future, error)


def _finish(future: Future[list[Any]], outcome: list[Any] | Exception) -> None:
    """Hand an outcome to who asked, unless they have gone."""
    with contextlib.suppress(InvalidStateError):  # cancelled meanwhile
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
