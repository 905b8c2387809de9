"""Options of verbs that answer tables larger than memory, and how they are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.row_options import say_rows, standard_output
from cytomol.counted import counted

if TYPE_CHECKING:
    from cytomol.tables.streaming.row_source import RowSource
    from cytomol.tables.streaming.shards import Shard
    from cytomol.tables.streaming.stream_answers import Answered, ChunkJob, Engine
    from cytomol.tables.write_chunks import Layout

__all__ = ["Streaming", "check_answers_name", "stream_options"]

CHUNK_ROWS = 16384
_SHARED = "cytomol.cli.stream_options"  # key of what options of all these verbs say, in click's context


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    context.meta.setdefault(_SHARED, {})[parameter.name] = value


def _said(name: str) -> str | None:
    """Return an option that the verb itself does not see."""
    context = click.get_current_context(silent=True)
    value: str | None = None if context is None else context.meta.get(_SHARED, {}).get(name)
    return value


def stream_options(
    function: Callable[..., Any], *, rows: int = CHUNK_ROWS, shards: bool = False, engines: bool = False
) -> Callable[..., Any]:
    """Add the options of long inputs: rows of a chunk (``rows`` by default), and going on after a kill.

    With ``shards`` and ``engines`` come the options of work on several machines. What they say is kept for
    `Streaming`: no verb needs to know it.
    """
    options = [*(_engine_options() if engines else ()), *(_shard_option() if shards else ())]
    options += [
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
    ]
    for option in options:
        function = option(function)
    return function


def _engine_options() -> tuple[Callable[..., Any], ...]:
    return (
        click.option(
            "--address",
            metavar="ADDRESS",
            envvar="RAY_ADDRESS",
            expose_value=False,
            callback=_keep,
            help="Ray cluster that is running, for --engine ray: auto, or HOST:PORT.  [default: RAY_ADDRESS; "
            "else one of this machine's cores is started]",
        ),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            expose_value=False,
            callback=_keep,
            help="What answers chunks: processes of this machine, or workers of a Ray cluster, --workers of"
            ' them or one for every core (pip install "cytomol[ray]").',
        ),
    )


def _shard_option() -> tuple[Callable[..., Any], ...]:
    return (
        click.option(
            "--shard",
            metavar="I/N",
            expose_value=False,
            callback=_keep,
            help="Answer the I-th of N parts of the rows alone, into a FOLDER/; the verb gather makes one"
            " output of all N.",
        ),
    )


def check_answers_name(out: str, *, force: bool, by_chunks: bool = False) -> None:
    """Refuse before any work an output that exists, cannot be written or is of an unknown kind.

    ``by_chunks`` is for verbs that write by :func:`~cytomol.tables.write_chunks.open_chunks`.
    """
    from cytomol.files import check_output
    from cytomol.tables import check_table_name
    from cytomol.tables.write_chunks import check_chunks_name

    if (shard := _shard()) is not None:
        if not out.endswith(("/", "\\")):
            raise click.UsageError(
                f"with --shard, OUT is a folder: its name ends in a slash, as in part-{shard.index}/"
            )
        if click.get_current_context().params.get("resume"):
            force = True  # of a shard that is finished nothing is left to do
    if _said("engine") == "ray":
        from cytomol.tables.streaming.ray_engine import ray_or_error

        ray_or_error()
    if out.endswith(("/", "\\")):
        check_output(Path(out), force=force)
    elif by_chunks:
        check_chunks_name(out, force=force)
    else:
        check_table_name(out, force=force)


def _shard() -> Shard | None:
    from cytomol.tables.streaming.shards import Shard

    text = _said("shard")
    return None if text is None else Shard.parse(text)


def _engine(workers: int | None) -> Engine | None:
    if _said("engine") != "ray":
        return None
    from cytomol.tables.streaming.ray_engine import RayEngine

    return RayEngine(_said("address"), workers)


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
        if self.by_cluster or (self.workers is not None and self.workers > 1):
            return 1
        return self.workers

    @property
    def by_cluster(self) -> bool:
        """Whether the workers of a cluster answer, which may be other machines."""
        return _said("engine") == "ray"

    @property
    def only_in_parts(self) -> str:
        """The option that asks for an answer in parts, whatever the input's length; "" if none does."""
        if self.resume:
            return "--resume"
        if _said("shard") is not None:
            return "--shard"
        return "--engine ray" if self.by_cluster else ""

    def wanted(self, source: RowSource) -> bool:
        """Say whether an input is answered in parts: it is long, goes on, or becomes a folder."""
        if self.resume and self.out == "-":
            raise click.UsageError("--resume needs an output that is a file or folder")
        long = source.rows > self.chunk_rows
        return bool(self.only_in_parts) or self.out.endswith(("/", "\\")) or long

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
        options = StreamOptions(
            self.chunk_rows,
            self.workers or 1,
            self.resume,
            self.force,
            shard=_shard(),
            command=tuple(click.get_current_context().obj or ()),
            engine=_engine(self.workers),
        )
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
            click.echo(f"took up {counted(answered.taken_up, 'finished chunk')}", err=True)
        for note in notes:
            click.echo(note, err=True)
        if say:
            say_rows(answered.errors, answered.renamed, verb, self.out)
        return answered
