"""The verb stress missing: what is left of a model as more and more profiles go missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.examples import examples
from cytomol.cli.method_name import MethodName
from cytomol.cli.report_beside import report_beside, report_option
from cytomol.cli.set_options import base_config, pretraining_options, set_options, sources_of
from cytomol.counted import counted

if TYPE_CHECKING:
    from cytomol.evaluate.missing.stress_run import MissingStress

__all__ = ["command"]


@click.command(
    name="missing",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=examples(
        "cytomol stress missing corpus --filling mean --rates 0,50 --epochs 1 -o stress",
    ),
)
@click.argument("corpus", type=click.Path())
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("-o", "--out", required=True, metavar="DIR", help="Folder of the results.")
@click.option("--method", type=MethodName(), default="chmr", show_default=True)
@click.option(
    "--filling",
    "fillings",
    multiple=True,
    metavar="A,B",
    help="What stands in for a missing profile: zero, mean, neighbour, propagation-paper, "
    "propagation-held-out.  [default: all]",
)
@click.option(
    "--pattern",
    "patterns",
    multiple=True,
    metavar="A,B",
    help="What goes missing together: random, scaffold, plate.  [default: random, scaffold; plate too where "
    "plates are given]",
)
@click.option("--rates", metavar="A,B", help="Percent hidden.  [default: 0,25,50,75,90,100]")
@click.option(
    "--hide",
    "hidden",
    multiple=True,
    metavar="A,B",
    help="Modalities, one curve each; all is in all of them at once.  [default: all]",
)
@click.option(
    "--place",
    "places",
    multiple=True,
    metavar="A,B",
    help="Where profiles are hidden: pretraining, use.  [default: both]",
)
@click.option("--preset", default="default", show_default=True, help="Settings that the fillings change.")
@pretraining_options
@click.option(
    "--held-out",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Molecules that are asked about and never learnt from; may be given several times.  [default: a "
    "fifth of the scaffolds with profiles]",
)
@click.option(
    "--plates",
    type=click.Path(),
    metavar="DIR",
    help="Tables MODALITY.csv or .parquet with a column plate, a row a profile.",
)
@set_options
@click.option("--resume", is_flag=True, help="Go on with an interrupted run, or extend one.")
@click.option("--force", is_flag=True, help="Start anew: remove the results of an earlier run.")
@report_option
@click.option("-q", "--quiet", is_flag=True, help="No progress; only warnings and the summary.")
def command(
    *,
    corpus: str,
    tables: tuple[str, ...],
    out: str,
    method: str,
    fillings: tuple[str, ...],
    patterns: tuple[str, ...],
    rates: str | None,
    hidden: tuple[str, ...],
    places: tuple[str, ...],
    seeds: int,
    epochs: int | None,
    preset: str,
    settings: tuple[str, ...],
    held_out: tuple[str, ...],
    plates: str | None,
    keep_models: bool,
    resume: bool,
    force: bool,
    report: bool,
    quiet: bool,
    **read: Any,
) -> None:
    """Hide a share of the profiles of CORPUS, pretrain with the rest, and score: again for every share.

    Molecules whose profiles no model has seen are matched with their profiles, and their profiles imputed;
    each TABLE of assays (a file, or the name of a published set) is learnt from the frozen embedding. In use,
    profiles are hidden from models that were pretrained with all of them. DIR/missing.csv gets the rows of a
    point as it is scored, DIR/summary.csv the curves, DIR/report.html draws them.
    """
    from cytomol.cli.options import assignments
    from cytomol.cli.row_options import split_names
    from cytomol.methods.config import configs

    options = assignments(settings, {method: configs[method]})[method]
    base = base_config(method, preset, epochs, options)
    percents = _rates(rates)

    from cytomol.evaluate.missing.stress_run import PLACES, MissingStress

    chosen = tuple(split_names(patterns, ())) or ("random", "scaffold", *(("plate",) if plates else ()))
    stress = MissingStress(
        corpus=Path(corpus),
        out=Path(out),
        method=method,
        base=base,
        sources=sources_of(tables, **read),
        fillings=tuple(split_names(fillings, ())) or None,
        patterns=chosen,
        rates=percents,
        hidden=tuple(split_names(hidden, ())) or ("all",),
        places=tuple(split_names(places, ())) or PLACES,
        seeds=seeds,
        held_out=tuple(map(Path, held_out)),
        plates=None if plates is None else Path(plates),
        keep_models=keep_models,
    )
    _run(stress, resume=resume, force=force, report=report, quiet=quiet)


def _rates(text: str | None) -> tuple[float, ...]:
    """Return shares from percents.

    Raises
    ------
    ConfigError
        If one is no number from 0 to 100.
    """
    from cytomol.errors import ConfigError
    from cytomol.evaluate.missing.stress_run import RATES

    if text is None:
        return RATES
    shares = []
    for word in (word.strip() for word in text.split(",")):
        try:
            percent = float(word)
        except ValueError:
            percent = -1.0
        if not 0 <= percent <= 100:
            raise ConfigError(
                f"{word!r} is no share to hide", where="--rates", hint="give percents, as 0,50,90"
            )
        shares.append(percent / 100)
    return tuple(shares)


def _run(stress: MissingStress, *, resume: bool, force: bool, report: bool, quiet: bool) -> None:
    """Run it, print the curves and say what failed."""
    from cytomol.evaluate.missing.stress_run import ROWS, SUMMARY, run_missing_stress
    from cytomol.evaluate.missing.stress_summary import summary_lines

    def say(text: str) -> None:
        if not quiet or "FAILED" in text:
            click.echo(text, err=True)

    try:
        summary, failures = run_missing_stress(stress, resume=resume, force=force, say=say)
    except KeyboardInterrupt:
        click.echo(f"what is finished is in {stress.out}; --resume goes on", err=True)
        raise
    for line in summary_lines(summary):
        click.echo(line)
    click.echo(f"rows: {stress.out / ROWS}   curves: {stress.out / SUMMARY}", err=True)
    if report and len(summary):
        report_beside(stress.out, quiet=quiet)
    if failures:
        click.echo(f"{counted(len(failures), 'point', comma=False)} failed:", err=True)
        for failure in failures:
            click.echo(f"  {failure.job}: {failure.reason}", err=True)
        raise SystemExit(1)
