"""Options of verbs that answer tables larger than memory, and how they are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.row_options import say_rows, standard_output

if TYPE_CHECKING:
    from cytomol.tables.streaming.row_source import RowSource
    from cytomol.tables.streaming.stream_answers import Answered, ChunkJob
    from cytomol.tables.write_chunks import Layout

__all__ = ["Streaming", "check_answers_name", "stream_options"]

CHUNK_ROWS = 16384


def stream_options(function: Callable[..., Any], *, rows: int = CHUNK_ROWS) -> Callable[..., Any]:
    """Add the options of long inputs: rows of a chunk (``rows`` by default), and going on after a kill."""
    for option in (
        click.option(
            "--resume",
            is_flag=True,
            help="Go on with a run of the same command that was killed: finished chunks are taken up.",
        ),
        click.option(
            "--chunk-rows",
            type=click.IntRange(1),
            default=rows,
            show_default=True,
            metavar="N",
            help="Rows that are in memory at once; a longer input is answered in parts of so many.",
        ),
    ):
        function = option(function)
    return function


def check_answers_name(out: str, *, force: bool, by_chunks: bool = False) -> None:
    """Refuse before any work an output that exists, cannot be written or is of an unknown kind.

    ``by_chunks`` is for verbs that write by :func:`~cytomol.tables.write_chunks.open_chunks`.
    """
    from cytomol.files import check_output
    from cytomol.tables import check_table_name
    from cytomol.tables.write_chunks import check_chunks_name

    if out.endswith(("/", "\\")):
        check_output(Path(out), force=force)
    elif by_chunks:
        check_chunks_name(out, force=force)
    else:
        check_table_name(out, force=force)


@dataclass(frozen=True)
class Streaming:
    """How the rows of an input are answered when they do not all lie in memory."""

    out: str
    chunk_rows: int
    resume: bool
    force: bool
    quiet: bool
    workers: int | None

    @property
    def of_chunk(self) -> int | None:
        """Processes that featurize within a chunk: several that answer chunks need no others."""
        return 1 if self.workers is not None and self.workers > 1 else self.workers

    def wanted(self, source: RowSource) -> bool:
        """Say whether an input is answered in parts: it is long, goes on, or becomes a folder."""
        if self.resume and self.out == "-":
            raise click.UsageError("--resume needs an output that is a file or folder")
        return self.resume or self.out.endswith(("/", "\\")) or source.rows > self.chunk_rows

    def answer(
        self,
        source: RowSource,
        job: ChunkJob,
        *,
        bar: str,
        verb: str,
        asked: Mapping[str, Any],
        on_error: str | None,
        notes: tuple[str, ...] = (),
        layout: Layout | None = None,
        say: bool = True,
    ) -> Answered:
        """Answer an input in parts, and say what became of it; without ``say``, the caller does."""
        from cytomol.progress import Reporter
        from cytomol.tables.streaming.stream_answers import StreamOptions, stream_answers
        from cytomol.version import __version__

        reporter = Reporter(quiet=self.quiet)
        options = StreamOptions(self.chunk_rows, self.workers or 1, self.resume, self.force)
        with standard_output(), reporter.bar(bar, rate=True) as advance:
            answered = stream_answers(
                source,
                job,
                self.out,
                options,
                asked={**asked, "verb": verb, "cytomol": __version__, "on_error": on_error},
                on_error=on_error,  # type: ignore[arg-type]
                progress=advance,
                layout=layout,
            )
        if self.quiet:
            return answered
        if answered.taken_up:
            click.echo(f"took up {answered.taken_up:,} finished chunks", err=True)
        for note in notes:
            click.echo(note, err=True)
        if say:
            say_rows(answered.errors, answered.renamed, verb, self.out)
        return answered
