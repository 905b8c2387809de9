"""The verb impute: molecules in, the profiles that cells are expected to show out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import pass_options, rows_options, say_rows, split_names
from cytomol.cli.stream_options import Streaming, check_answers_name, stream_options
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.counted import agreeing, counted

if TYPE_CHECKING:
    from cytomol.cells.impute.feature_calibration import FeatureCalibration
    from cytomol.cells.impute.imputer import Imputer
    from cytomol.tables.streaming.table_source import TableSource

__all__ = ["command"]

_CHUNK_ROWS = 4096  # profiles are wide


@click.command(
    name="impute",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol impute backbone examples/molecules.csv -o expected.csv",
    ),
)
@click.argument("model", metavar="DIR")
@click.argument("molecules", metavar="INPUT")
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="Output: .csv, .tsv, .parquet, .h5ad or a FOLDER/ of Parquet files.",
)
@click.option(
    "--modality",
    multiple=True,
    metavar="A,B",
    help="Modalities to impute, or all; in an .h5ad file the first is X.  [default: all]",
)
@click.option(
    "--calibrate",
    metavar="PROFILES",
    help="Corpus, or table of profiles with a column of SMILES, of molecules that the model has not seen:"
    " they say how far each feature can be trusted.",
)
@click.option(
    "--held-out",
    metavar="FILE",
    help="With --calibrate: take the molecules of this file alone, those left out of pretraining.",
)
@click.option(
    "--coverage",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    help="Share of measured values that intervals are to hold.",
)
@rows_options
@partial(stream_options, rows=_CHUNK_ROWS, engines=True)
@pass_options
@verify_key_option
def command(
    *,
    model: str,
    molecules: str,
    out: str,
    modality: tuple[str, ...],
    calibrate: str | None,
    held_out: str | None,
    coverage: float,
    smiles_col: str | None,
    sheet: str | None,
    keep: tuple[str, ...],
    on_error: str | None,
    batch_size: int,
    workers: int | None,
    chunk_rows: int,
    resume: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Write the profiles that a pretrained model DIR expects cells to show under the molecules of INPUT.

    Values are in the units of the profiles that the model was trained on. Each feature has a half width:
    a measured value is expected within it. With --calibrate the half width is conformal, features are drawn
    towards their mean as far as the model overstates them, and a feature that is not predicted better than
    the mean gets the mean; the other profiles of a corpus teach ridge regression on fingerprints, which joins
    the decoder. Without, it is that of the training profiles under a normal law. As DIR, default is the
    backbone that comes with cytomol.
    """
    from cytomol.tables.streaming import open_source
    from cytomol.tables.streaming.table_source import place_stamp

    if held_out is not None and calibrate is None:
        raise click.UsageError("--held-out says which molecules of --calibrate to take: give that too")
    check_answers_name(out, force=force, by_chunks=True)
    source = open_source(molecules, smiles_col=smiles_col, sheet=sheet)
    streaming = Streaming(out, chunk_rows, resume, force, quiet, workers)

    from cytomol.artifact.backbone import load_backbone
    from cytomol.cells.impute.imputed_rows import impute_rows
    from cytomol.cells.impute.imputer import Imputer
    from cytomol.evaluate.imputation.left_out import left_out_molecules
    from cytomol.nn.allocator import keep_few_kernels
    from cytomol.progress import Reporter

    keep_few_kernels()

    reporter = Reporter(quiet=quiet)
    names = split_names(modality, ())
    imputer = Imputer.of(load_backbone(model), None if "all" in names else names or None, coverage=coverage)
    if calibrate is not None:
        with reporter.bar("calibrate") as advance:
            unseen = left_out_molecules(model, imputer.modalities, calibrate, held_out)
            imputer = imputer.calibrated(
                unseen.molecules,
                unseen.others,
                coverage=coverage,
                batch_size=batch_size,
                workers=workers,
                progress=advance,
            )
    asked: dict[str, Any] = {
        "keep": split_names(keep, source.columns) if keep else None,
        "on_error": on_error,
        "batch_size": batch_size,
    }
    if streaming.wanted(source):
        stamp = {**asked, "modalities": list(imputer.calibrations), "coverage": coverage}
        stamp["calibrated"] = [place_stamp(place) for place in (calibrate, held_out) if place is not None]
        _in_parts(source, streaming, model=model, imputer=imputer, asked=asked, stamp=stamp)
        return
    with reporter.bar("impute") as advance:
        errors, renamed = impute_rows(
            imputer, source.table(), out, force=force, workers=workers, progress=advance, **asked
        )
    if not quiet:
        for line in _notes(imputer):
            click.echo(line, err=True)
        say_rows(errors, renamed, "imputed", out)


def _in_parts(
    source: TableSource,
    streaming: Streaming,
    *,
    model: str,
    imputer: Imputer,
    asked: dict[str, Any],
    stamp: dict[str, Any],
) -> None:
    """Impute a long input chunk by chunk."""
    from cytomol.cells.impute.imputed_rows import ImputedRows
    from cytomol.predict.streamed_rows import model_stamp
    from cytomol.scale.impute_job import ImputeJob
    from cytomol.tables.read import format_of

    asked = {**asked, "annotated": format_of(Path(streaming.out)) == "h5ad", "workers": streaming.of_chunk}
    rows = ImputedRows(imputer, **asked)
    rows.error_column(source.head())
    streaming.answer(
        source,
        ImputeJob(model, imputer.calibrations, imputer.ridges, asked, imputer),
        bar="impute",
        verb="imputed",
        asked={"model": model_stamp(model), "options": stamp, "annotated": rows.annotated},
        on_error=rows.on_error,
        notes=tuple(_notes(imputer)),
        layout=rows.layout,
    )


def _sources(calibration: FeatureCalibration) -> str:
    """Name what takes part in expected values."""
    names = ("the decoder", "ridge regression on fingerprints")
    found = [name for name, slope in zip(names, calibration.slope, strict=False) if slope.any()]
    return " and ".join(found) or "the mean alone"


def _notes(imputer: Imputer) -> Iterator[str]:
    """Say of each modality what its intervals are worth."""
    for one in imputer.modalities:
        calibration = imputer.calibrations[one.name]
        width = len(one.columns)
        if calibration.calibrated:
            no_better = "is not predicted better than its", "are not predicted better than their"
            worse = calibration.mean_alone
            mean = agreeing(worse, "feature", *no_better, of=width, comma=False) + " mean"
            get = f", and {'gets' if worse == 1 else 'get'} it" if worse else ""
            told = (
                f"{calibration.coverage:.0%} intervals by {calibration.molecules:,} molecules of"
                f" {calibration.scaffolds:,} scaffolds; expected values by {_sources(calibration)};"
                f" {mean}{get}"
            )
        else:
            told = (
                "not calibrated: half widths are those of the"
                f" {counted(one.typical.profiles, 'training profile')} under a normal law (--calibrate)"
            )
        if (correction := one.backbone.corrections.get(one.name)) is not None:
            told += f"; values are those of profiles corrected by {correction.by} ({correction.way})"
        yield f"{one.name}: {told}"
