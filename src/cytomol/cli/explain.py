"""The verb explain: which atoms drive a prediction, an imputed profile or a match."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import output_options, rows_options, say_rows, split_names
from cytomol.cli.stream_options import Streaming, check_answers_name, stream_options
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.errors import InputError

if TYPE_CHECKING:
    from cytomol.scale.explain_job import ExplainJob
    from cytomol.tables.streaming.table_source import TableSource

__all__ = ["command"]

_CHUNK_ROWS = 512  # a molecule is answered once for each of its atoms


@click.command(
    name="explain",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol explain model examples/molecules.csv --task LogSol -o atoms.csv",
    ),
)
@click.argument("model", metavar="DIR")
@click.argument("molecules", metavar="INPUT")
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="Output: .csv, .tsv (also .gz), .parquet or a FOLDER/ of Parquet files.",
)
@partial(rows_options, kept="none")
@click.option("--task", "tasks", multiple=True, metavar="A,B", help="Tasks to explain.  [default: all]")
@click.option("--modality", metavar="NAME", help="Explain the imputed profile of this modality.")
@click.option("--feature", metavar="NAME", help="This feature of it, in measured units.")
@click.option(
    "--of",
    "what",
    type=click.Choice(["direction", "norm"]),
    help="Its direction away from the typical profile, or how far it goes.  [default: direction]",
)
@click.option("--profile", metavar="TABLE", help="Explain the match to a measured profile of this table.")
@click.option(
    "--profile-row", type=click.IntRange(1), metavar="N", help="Row of it.  [default: the only one]"
)
@click.option(
    "--by",
    type=click.Choice(["occlusion", "gradients"]),
    default="occlusion",
    show_default=True,
    help="Mask each atom, or integrate gradients through the encoder (of profiles and matches).",
)
@click.option("--steps", type=click.IntRange(2), default=64, show_default=True, help="Gradients on the path.")
@click.option("--draw", metavar="FOLDER", help="Draw the molecules, an SVG each, and a page of them all.")
@click.option(
    "--draw-first", type=click.IntRange(1), default=100, show_default=True, help="How many are drawn."
)
@click.option(
    "--batch-size", type=click.IntRange(1), default=256, show_default=True, help="Molecules in a pass."
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes that answer parts of a long input.",
)
@partial(stream_options, rows=_CHUNK_ROWS)
@output_options
@verify_key_option
def command(
    *,
    model: str,
    molecules: str,
    out: str,
    smiles_col: str | None,
    sheet: str | None,
    keep: tuple[str, ...],
    on_error: str | None,
    tasks: tuple[str, ...],
    modality: str | None,
    feature: str | None,
    what: str | None,
    profile: str | None,
    profile_row: int | None,
    by: str,
    steps: int,
    draw: str | None,
    draw_first: int,
    batch_size: int,
    workers: int,
    chunk_rows: int,
    resume: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Say what each atom of the molecules of INPUT adds to an answer of the model DIR.

    Of a fine-tuned model the answers are its tasks. Of a pretrained one, or with --modality, --feature, --of
    or --profile, they are a feature of the imputed profile, its direction or norm, or the match to a measured
    profile. The output has a row for each answer and atom: what the answer loses without the atom,
    and without the ring system, linker or substituent that it belongs to. As DIR, default is the pretrained
    backbone that comes with cytomol.
    """
    of_cell = any(option is not None for option in (modality, feature, what, profile))
    if tasks and of_cell:
        raise click.UsageError("--task is of a fine-tuned model, the other choices of imputed profiles")
    if sum(option is not None for option in (feature, what, profile)) > 1:
        raise click.UsageError("choose one of --feature, --of and --profile")
    if profile_row is not None and profile is None:
        raise click.UsageError("--profile-row is a row of --profile TABLE")
    from cytomol.files import check_output
    from cytomol.tables.streaming import open_source

    check_answers_name(out, force=force, by_chunks=True)
    if draw is not None:
        check_output(draw, force=force)
    source = open_source(molecules, smiles_col=smiles_col, sheet=sheet)

    from cytomol.artifact.directory import kind_of
    from cytomol.cells.explain.choose_value import ValueChoice
    from cytomol.predict.predictor import Predictor
    from cytomol.scale.explain_job import ExplainJob

    of_cell = of_cell or kind_of(model) == "backbone"
    if of_cell and tasks:
        raise InputError("is a pretrained model, which has no tasks", where=model, hint="leave --task out")
    predictor = None if of_cell else Predictor.load(model)
    job = ExplainJob(
        model,
        ValueChoice(modality, feature, what, profile, profile_row) if of_cell else None,
        tuple(split_names(tasks, () if predictor is None else predictor.names)),
        by,
        steps,
        batch_size,
        tuple(split_names(keep, source.columns)),
        on_error,  # type: ignore[arg-type]
        predictor,
    )
    job.atom_table(source.head())  # are there such columns, tasks and features?
    streaming = Streaming(out, chunk_rows, resume, force, quiet, workers)
    if streaming.wanted(source):
        drawn, rows, invalid = _in_parts(job, source, streaming, draw=draw, draw_first=draw_first)
    else:
        drawn, rows, invalid = _at_once(job, source, streaming, draw=draw, draw_first=draw_first)
    if not quiet and drawn is not None and drawn < rows - invalid:
        click.echo(f"drew the first {drawn} of them; --draw-first N draws more", err=True)


def _at_once(
    job: ExplainJob, source: TableSource, streaming: Streaming, *, draw: str | None, draw_first: int
) -> tuple[int | None, int, int]:
    """Explain a short input; table and drawings are there whole, or not at all.

    Returns how many molecules are drawn (None: none were to be), how many there are, and how many invalid.
    """
    from cytomol.cells.explain.attribution_drawings import Drawings
    from cytomol.files import atomic_directory
    from cytomol.nn.allocator import give_back_memory
    from cytomol.progress import Reporter
    from cytomol.scale.explain_job import AT_ONCE
    from cytomol.tables.write_chunks import open_chunks

    explainer, whole = job.explainer(), source.table()
    table, smiles = job.atom_table(whole), whole.smiles
    with ExitStack() as stack:
        writer = stack.enter_context(open_chunks(streaming.out, force=streaming.force))
        folder = None if draw is None else stack.enter_context(atomic_directory(draw, force=streaming.force))
        drawings = None if folder is None else Drawings(folder, draw_first)
        advance = stack.enter_context(Reporter(quiet=streaming.quiet).bar("explain"))
        for start in range(0, len(smiles), AT_ONCE):
            explained = explainer.explain(smiles[start : start + AT_ONCE])
            writer.write(table.rows(explained))
            give_back_memory()
            if drawings is not None:
                drawings.add(explained, start + 1)
            advance(min(start + AT_ONCE, len(smiles)), len(smiles))
        table.errors.require_some()
        if drawings is not None:
            drawings.finish(explainer.title)
    if not streaming.quiet:
        say_rows(table.errors, table.renamed, f"explained {explainer.title}:", streaming.out)
    return None if drawings is None else drawings.drawn, table.errors.rows, table.errors.invalid


def _in_parts(
    job: ExplainJob, source: TableSource, streaming: Streaming, *, draw: str | None, draw_first: int
) -> tuple[int | None, int, int]:
    """Explain a long input chunk by chunk; the first molecules are drawn before. Returns as `_at_once`."""
    from cytomol.cells.explain.attribution_drawings import Drawings
    from cytomol.files import atomic_directory
    from cytomol.predict.streamed_rows import model_stamp
    from cytomol.scale.explain_job import AT_ONCE
    from cytomol.tables.streaming.table_source import place_stamp
    from cytomol.tables.write_chunks import Layout

    title, drawn = job.explainer().title, None
    asked: dict[str, Any] = {"model": model_stamp(job.model), "options": job.described()}
    if job.choice is not None and job.choice.profile is not None:
        asked["profile"] = place_stamp(job.choice.profile)
    with ExitStack() as stack:
        if draw is not None:
            drawings = Drawings(
                stack.enter_context(atomic_directory(draw, force=streaming.force)), draw_first
            )
            for number, table in source.chunks(AT_ONCE):
                drawings.add(job.explainer().explain(table.smiles), number * AT_ONCE + 1)
                if (drawn := drawings.drawn) >= draw_first:
                    break
            drawings.finish(title)
        answered = streaming.answer(
            source,
            job,
            bar="explain",
            verb=f"explained {title}:",
            asked=asked,
            on_error=job.on_error,
            layout=Layout(),
        )
    return drawn, answered.errors.rows, answered.errors.invalid
