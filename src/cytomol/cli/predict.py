"""The verb predict: molecules in, one column per task out."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.encoder_options import encoder_option, plugin_option
from cytomol.cli.examples import examples
from cytomol.cli.row_options import finish, pass_options, rows_options, split_names
from cytomol.cli.stream_options import Streaming, check_answers_name, stream_options
from cytomol.cli.verify_key_option import verify_key_option

if TYPE_CHECKING:
    from cytomol.predict.streamed_rows import PredictJob
    from cytomol.tables.streaming.table_source import TableSource

__all__ = ["command"]


@click.command(
    name="predict",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol predict model examples/molecules.csv -o predictions.csv",
    ),
)
@click.argument("model", metavar="DIR")
@click.argument("molecules", metavar="INPUT")
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="Output: .csv, .tsv, .parquet, .npz, a FOLDER/ of Parquet files, or -.",
)
@rows_options
@click.option(
    "--profiles",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Measured profiles of some of the molecules, for a model that was made with --profiles: a table of "
    "profiles, or CORPUS:MODALITY. Features are matched by name; a molecule without one is answered by its "
    "structure alone.",
)
@encoder_option
@plugin_option
@click.option(
    "--uncertainty/--no-uncertainty",
    default=None,
    help="Calibrated probabilities, spread, intervals or sets, and how well the model knows the molecule.  "
    "[default: where the model has them]",
)
@click.option(
    "--evidence/--no-evidence",
    default=None,
    help="The nearest molecule that was learnt from, with its measured values.  [default: where the model "
    "has them]",
)
@click.option(
    "--coverage",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="Share of molecules whose value the intervals or sets hold.  [default: 0.9]",
)
@partial(stream_options, shards=True, engines=True)
@pass_options
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
    profiles: tuple[str, ...],
    encoder: tuple[str, ...],
    plugin: tuple[str, ...],
    uncertainty: bool | None,
    evidence: bool | None,
    coverage: float | None,
    batch_size: int,
    workers: int | None,
    chunk_rows: int,
    resume: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Predict the tasks of a model DIR that finetune made for the molecules of INPUT.

    INPUT is CSV, TSV, Parquet, Excel, .smi or .sdf (gzipped or not), or - for standard input. Every row is
    answered in order; the output holds the columns of the input as they stand, then for each task the
    probability of its second class and the class, or the value, with what is known of its certainty (interval
    or set), then for a model made with --profiles whether the molecule had one, then how well the model knows
    the molecule (inside, edge or outside, and why), the nearest molecule that was learnt from with its
    measured values, and 'error', the reason why a molecule is invalid.
    """
    if coverage is not None and uncertainty is False:
        raise click.UsageError("--coverage is that of the uncertainty: leave --no-uncertainty out")
    streaming = Streaming(out, chunk_rows, resume, force, quiet, workers)
    if profiles and streaming.by_cluster:
        raise click.UsageError("--engine ray goes without --profiles, which are kept on this machine alone")
    from cytomol.tables.streaming import open_source

    check_answers_name(out, force=force)
    source = open_source(molecules, smiles_col=smiles_col, sheet=sheet)
    table = None if streaming.wanted(source) else source.table()

    from cytomol.predict.answered_rows import predict_rows
    from cytomol.predict.predictor import Predictor
    from cytomol.progress import Reporter
    from cytomol.registry import import_plugins

    import_plugins(plugin)
    predictor = Predictor.load(model).with_encoders(encoder)
    known = predictor.features.profiles
    say = Reporter(quiet=quiet).say
    if known and not profiles:
        say("no profiles are given: every molecule is answered by its structure alone")
    backbone = predictor.features.backbone
    if table is not None and profiles:
        from cytomol.predict.profile_source import read_profile_blocks

        measured = read_profile_blocks(profiles, table, known=known, backbone=backbone, say=say)
        predictor = predictor.with_profiles(measured)
    if uncertainty is None:
        uncertainty = predictor.uncertainty is not None or coverage is not None
    coverage = coverage or 0.9
    if evidence is None:
        evidence = uncertainty and predictor.evidence is not None
    notes = predictor.notes(coverage)
    asked: dict[str, Any] = {
        "keep": split_names(keep, source.columns) if keep else None,
        "on_error": on_error,
        "batch_size": batch_size,
        "uncertainty": uncertainty,
        "coverage": coverage,
        "evidence": evidence,
    }
    if table is None:
        from cytomol.predict.streamed_rows import PredictJob

        job = PredictJob(model, encoder, plugin, {**asked, "workers": streaming.of_chunk}, predictor)
        _in_parts(source, streaming, job, profiles, options=asked, notes=tuple(notes))
        return
    with Reporter(quiet=quiet).bar("predict") as advance:
        answer = predict_rows(
            predictor,
            table,
            chunk=chunk_rows,
            workers=workers,
            progress=advance,
            **asked,
        )
    if not quiet:
        for note in notes:
            click.echo(note, err=True)
    finish(answer, out, verb="predicted", force=force, quiet=quiet)


def _in_parts(
    source: TableSource,
    streaming: Streaming,
    job: PredictJob,
    profiles: tuple[str, ...],
    *,
    options: dict[str, Any],
    notes: tuple[str, ...],
) -> None:
    """Predict a long input chunk by chunk, with the measured profiles of each chunk's molecules."""
    from cytomol.predict.kept_profiles import keep_profiles
    from cytomol.predict.profile_source import ProfileSource
    from cytomol.predict.streamed_rows import model_stamp
    from cytomol.progress import Reporter
    from cytomol.tables.streaming.table_source import place_stamp

    asked: dict[str, Any] = {"model": model_stamp(job.model), "options": options}
    asked |= {"encoder": job.encoder, "plugin": job.plugin}
    if profiles:
        asked["profiles"] = [[text, place_stamp(ProfileSource.parse(text).path)] for text in profiles]
    predictor = job.predictor()
    with tempfile.TemporaryDirectory(prefix="cytomol-profiles-") as folder:
        kept = keep_profiles(
            profiles,
            source,
            Path(folder),
            known=predictor.features.profiles,
            backbone=predictor.features.backbone,
            say=Reporter(quiet=streaming.quiet).say,
        )
        streaming.answer(
            source,
            replace(job, profiles=tuple(kept)),
            bar="predict",
            verb="predicted",
            asked=asked,
            on_error=options["on_error"],
            notes=notes,
        )
