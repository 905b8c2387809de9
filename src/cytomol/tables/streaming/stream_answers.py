"""Chunks of a table answered one after the other, or by several processes, and joined in order."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from numpy.typing import NDArray

from cytomol.errors import CytomolError, OutputError
from cytomol.files import Lock
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_errors import OnError, RowErrors
from cytomol.tables.streaming.part_join import join_parts
from cytomol.tables.streaming.part_journal import PartJournal
from cytomol.tables.streaming.row_source import RowSource
from cytomol.tables.streaming.shard_folder import finished_notes, write_shard
from cytomol.tables.streaming.shards import Shard
from cytomol.tables.streaming.table_source import TableSource
from cytomol.tables.write_chunks import Layout

__all__ = [
    "Answered",
    "ChunkAnswer",
    "ChunkJob",
    "Chunks",
    "Engine",
    "StreamOptions",
    "WorkerDiedError",
    "kept_chunk",
    "stream_answers",
]

Chunks = Iterator[tuple[int, Any]]
"""Numbers of chunks, from 0, and their rows."""
_AHEAD = 2  # chunks that wait for a free process


class ChunkAnswer(Protocol):
    """The answer to some rows: columns, matrices, how many rows are invalid, names that were changed."""

    @property
    def frame(self) -> pd.DataFrame:
        """Columns of the rows."""
        ...

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Matrices aligned with the rows."""
        ...

    @property
    def errors(self) -> RowErrors:
        """How many rows are invalid."""
        ...

    @property
    def renamed(self) -> dict[str, str]:
        """Answers that have another name."""
        ...


class ChunkJob(Protocol):
    """What answers chunks: it can be sent to another process, where it loads its model."""

    def open(self) -> Callable[[Any, int], ChunkAnswer]:
        """Load what is needed; return a function of rows and the row, from 0, of the first of them."""
        ...


class Engine(Protocol):
    """What lets workers elsewhere answer chunks."""

    def notes(
        self, chunks: Chunks, job: ChunkJob, journal: PartJournal, size: int
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Have each chunk answered and its part written to the journal; yield numbers and notes."""
        ...


@dataclass(frozen=True)
class StreamOptions:
    """How a long table is answered.

    Attributes
    ----------
    chunk_rows
        Rows of a chunk.
    workers
        Processes that answer chunks; 1 for this one alone.
    resume, force
        Go on with what a run that did not end has finished; replace outputs, and start anew.
    shard, command
        Answer this shard alone, into a folder for :func:`.gather_shards` that says by which command.
    engine
        What answers chunks instead of processes of this machine.
    """

    chunk_rows: int
    workers: int = 1
    resume: bool = False
    force: bool = False
    shard: Shard | None = None
    command: tuple[str, ...] = ()
    engine: Engine | None = None


@dataclass
class Answered:
    """How a table was answered.

    Attributes
    ----------
    errors
        Rows, and those without a molecule.
    renamed
        Answers that have another name, since the input has a column of that name.
    taken_up
        Chunks that an earlier run had finished.
    """

    errors: RowErrors
    renamed: dict[str, str] = field(default_factory=dict)
    taken_up: int = 0

    def add(self, note: Mapping[str, Any]) -> None:
        """Count a finished chunk; chunks come in order."""
        self.errors.rows += note["rows"]
        self.errors.invalid += note["invalid"]
        self.errors.reason = self.errors.reason or note["reason"]
        self.renamed = dict(note["renamed"])


def stream_answers(
    source: RowSource,
    job: ChunkJob,
    out: str,
    options: StreamOptions,
    *,
    asked: Mapping[str, Any],
    on_error: OnError | None = None,
    progress: Callable[[int, int], None] | None = None,
    layout: Layout | None = None,
) -> Answered:
    """Answer the rows of a source, chunk by chunk, and write them in order, whole or not at all.

    Finished chunks lie in a hidden folder beside the output until all are there.

    Parameters
    ----------
    source, job, out
        What is answered, by what, and the output (see :func:`.join_parts`).
    options
        How.
    asked
        What tells this answer from another one, beside the input and the size of chunks: model, options.
    on_error
        What an invalid molecule does.
    progress
        Called with (rows done, rows in all).
    layout
        See :func:`.join_parts`.

    Raises
    ------
    OutputError
        If the output cannot be written, or there are parts of another run.
    InputError
        As the job raises them.
    """
    shard = options.shard
    whole = {**asked, "input": source.stamp, "rows": source.rows, "chunk_rows": options.chunk_rows}
    if shard is not None:
        assert isinstance(source, TableSource)  # verbs of other rows have no --shard
        source = shard.of(source, options.chunk_rows)
        if options.resume and not options.force and Path(out).exists():
            return _answered(source, on_error, finished_notes(Path(out), shard, whole))
    with _journal(out) as journal, _locked(journal):
        mine = whole if shard is None else {**whole, "shard": str(shard)}
        journal.begin(mine, resume=options.resume, force=options.force)
        try:
            answered = _answer(source, job, journal, options, on_error=on_error, progress=progress)
            if shard is None:  # of a shard alone nothing follows: the others may hold molecules
                answered.errors.require_some()
        except CytomolError as error:
            if not isinstance(error, OutputError | WorkerDiedError):
                journal.remove()  # the input is at fault: it will be another one
            raise
        if shard is None:
            _join(journal, out, force=options.force, layout=layout)
        else:
            command, force = options.command, options.force
            write_shard(journal, Path(out), shard, asked=whole, command=command, force=force)
        journal.remove()
    return answered


@contextmanager
def _locked(journal: PartJournal) -> Iterator[None]:
    """Let one process at a time write the parts of an output."""
    journal.folder.parent.mkdir(parents=True, exist_ok=True)
    path = journal.folder.with_name(journal.folder.name + ".lock")
    with Lock(path, "another process answers this", timeout=0):
        try:
            yield
        finally:
            if not journal.folder.exists():
                path.unlink(missing_ok=True)


class WorkerDiedError(CytomolError):
    """A process that answers chunks has died."""


@contextmanager
def _journal(out: str) -> Iterator[PartJournal]:
    if out != "-":
        yield PartJournal.beside(Path(out))
        return
    with tempfile.TemporaryDirectory(prefix="cytomol-") as folder:
        yield PartJournal.beside(Path(folder) / "output")


def _answer(
    source: RowSource,
    job: ChunkJob,
    journal: PartJournal,
    options: StreamOptions,
    *,
    on_error: OnError | None,
    progress: Callable[[int, int], None] | None,
) -> Answered:
    there = journal.finished()
    size = options.chunk_rows
    done = sum(note["rows"] for note in there.values())
    if progress is not None:
        progress(done, source.rows)
    chunks = source.chunks(size, there)
    if options.engine is not None:
        parts = options.engine.notes(chunks, job, journal, size)
    elif options.workers > 1:
        parts = _by_processes(chunks, job, journal, size, options.workers)
    else:
        parts = _here(chunks, job, journal, size)
    notes = dict(there)
    for number, note in parts:
        notes[number] = note
        done += note["rows"]
        if progress is not None:
            progress(done, source.rows)
    answered = _answered(source, on_error, notes)
    answered.taken_up = len(there)
    if answered.errors.rows != source.rows:
        raise AssertionError(f"{source.rows} rows in, {answered.errors.rows} out")  # never: in order
    return answered


def _answered(source: RowSource, on_error: OnError | None, notes: Mapping[int, dict[str, Any]]) -> Answered:
    """Return how the rows of finished chunks were answered, all of them taken up."""
    table = MoleculeTable(pd.DataFrame({source.smiles_col: []}), source.smiles_col, source.where)
    answered = Answered(RowErrors(table, on_error), taken_up=len(notes))
    for number in sorted(notes):
        answered.add(notes[number])
    return answered


def _join(journal: PartJournal, out: str, *, force: bool, layout: Layout | None) -> None:
    try:
        join_parts(journal, out, force=force, layout=layout)
    except OutputError as error:
        if out == "-":
            raise
        hint = "all parts are finished and stay: make room, then go on with --resume"
        raise OutputError(error.what, where=error.where, hint=hint) from error


_Notes = Iterator[tuple[int, dict[str, Any]]]


def _here(chunks: Chunks, job: ChunkJob, journal: PartJournal, size: int) -> _Notes:
    answer = None
    for number, table in chunks:
        answer = answer or job.open()
        yield number, kept_chunk(journal, number, answer(table, number * size))


def kept_chunk(journal: PartJournal, number: int, answer: ChunkAnswer) -> dict[str, Any]:
    """Write the part of a chunk that is answered, and return its note."""
    errors = answer.errors
    bare = any("\r" in str(name) for name in answer.frame.columns) or any(
        answer.frame[name].dtype == object
        and any(isinstance(cell, str) and "\r" in cell for cell in answer.frame[name])
        for name in answer.frame.columns
    )
    note = {
        "rows": errors.rows,
        "invalid": errors.invalid,
        "reason": errors.reason,
        "renamed": answer.renamed,
        "bare": bare,
    }
    return journal.write(number, answer.frame, answer.arrays, note)


def _by_processes(chunks: Chunks, job: ChunkJob, journal: PartJournal, size: int, workers: int) -> _Notes:
    """Answer chunks in several processes, each of which writes its part; notes come in order."""
    waiting: deque[tuple[int, Future[dict[str, Any]]]] = deque()
    # Not fork: a copy of a process that runs torch's threads can hang.
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(job,)
    )
    try:
        for number, table in chunks:
            waiting.append((number, pool.submit(_in_process, journal, number, table, number * size)))
            if len(waiting) >= workers + _AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    except BrokenProcessPool:
        raise WorkerDiedError(
            "a process that answers molecules died; what is finished stays",
            hint="out of memory? go on with --resume and fewer --workers",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_job: ChunkJob | None = None
_answers: Callable[[Any, int], ChunkAnswer] | None = None


def _begin(job: ChunkJob) -> None:
    global _job  # noqa: PLW0603 - a process of a pool has no other place to keep it
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _job = job
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _in_process(journal: PartJournal, number: int, table: Any, first: int) -> dict[str, Any]:
    global _answers  # noqa: PLW0603 - as above
    if _answers is None:
        assert _job is not None
        _answers = _job.open()
    return kept_chunk(journal, number, _answers(table, first))
