"""The verb benchmark: sets, models and seeds in, raw rows and their summary out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.encoder_options import encoder_option
from cytomol.cli.examples import examples
from cytomol.cli.report_beside import report_beside, report_option
from cytomol.cli.set_options import set_options, sources_of
from cytomol.cli.tracking_option import mlflow_option
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.counted import counted
from cytomol.options.machine import MOST_THREADS

if TYPE_CHECKING:
    from cytomol.evaluate.runner import Benchmark

__all__ = ["command"]


@click.command(
    name="benchmark",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=examples(
        "cytomol benchmark corpus/assays.csv --split corpus/split.csv --models "
        "forest,neighbours --seeds 1 -o results",
    ),
)
@click.argument("sets", nargs=-1, metavar="[SETS]...")
@click.option("-o", "--out", required=True, metavar="DIR", help="Folder of the results.")
@click.option("--models", multiple=True, metavar="A,B", help="Models.  [default: all that can run]")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="Seeds, from 0.")
@click.option(
    "--jobs",
    type=click.IntRange(1, MOST_THREADS),
    default=1,
    show_default=True,
    help="Jobs that run at once.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, MOST_THREADS),
    metavar="N",
    help="Threads of a job.  [default: cores / jobs]",
)
@click.option(
    "--backbone",
    metavar="DIR",
    help="Pretrained model directory, or default, the backbone that comes with cytomol;"
    " for models that read one.",
)
@encoder_option
@set_options
@click.option("--variant", default="", metavar="TEXT", help="Written into every row.")
@click.option("--keep-predictions", is_flag=True, help="Write the predictions of valid and test rows.")
@click.option("--no-coverage", is_flag=True, help="Do not measure how well the stated uncertainty holds.")
@click.option(
    "--plugin", multiple=True, metavar="MODULE", help="Module that registers models or encoders of your own."
)
@click.option("--summary-only", is_flag=True, help="Run nothing; summarize the rows in DIR.")
@mlflow_option
@report_option
@click.option("--resume", is_flag=True, help="Go on: jobs that have rows are skipped.")
@click.option("--force", is_flag=True, help="Start anew: remove the results of an earlier benchmark.")
@verify_key_option
def command(
    *,
    sets: tuple[str, ...],
    out: str,
    models: tuple[str, ...],
    seeds: int,
    jobs: int,
    threads: int | None,
    backbone: str | None,
    encoder: tuple[str, ...],
    variant: str,
    keep_predictions: bool,
    no_coverage: bool,
    plugin: tuple[str, ...],
    summary_only: bool,
    mlflow: str | None,
    report: bool,
    resume: bool,
    force: bool,
    **read: Any,
) -> None:
    """Compare models on SETS: names of published sets (default: all nine), or tables of your own.

    Every set, model and seed is a job in a process of its own. As a job ends, DIR/rows.csv gets a row for
    each fold and task, and DIR/coverage.csv what its stated uncertainty is worth. A job that fails is told,
    and the others go on; the exit status is then 1. At the end the models are compared, in DIR/summary.csv,
    DIR/significance.csv and on standard output, and drawn in DIR/report.html.
    """
    from cytomol.errors import ConfigError

    if summary_only:
        if sets or models or resume or force:
            raise ConfigError("--summary-only takes all rows as they are", hint="give -o DIR alone")
        _summarize(Path(out), report=report)
        return
    from cytomol.cli.row_options import split_names
    from cytomol.evaluate.benchmark_models import default_models
    from cytomol.evaluate.runner import Benchmark
    from cytomol.evaluate.sets import SETS

    chosen = split_names(models, ()) or default_models(plugin, backbone=backbone)
    benchmark = Benchmark(
        out=Path(out),
        sources=sources_of(sets or SETS, **read),
        models=chosen,
        seeds=range(seeds),
        jobs=jobs,
        threads=threads or 0,
        variant=variant,
        backbone=backbone,
        keep_predictions=keep_predictions,
        plugins=plugin,
        coverage=not no_coverage,
        encoders=encoder,
    )
    from cytomol.tracking import tracked

    with tracked(mlflow, "benchmark", out) as tracker:
        if tracker is not None:
            tracker.params({"sets": [source.name for source in benchmark.sources], "models": list(chosen)})
            tracker.params({"seeds": seeds, "variant": variant, "backbone": backbone or ""})
        _run(benchmark, resume=resume, force=force, report=report)


def _run(benchmark: Benchmark, *, resume: bool, force: bool, report: bool) -> None:
    """Run the jobs and print their summary, then those that failed."""
    from cytomol.evaluate.runner import run_benchmark

    failures = run_benchmark(
        benchmark, resume=resume, force=force, say=lambda text: click.echo(text, err=True)
    )
    click.echo(f"rows: {benchmark.out / 'rows.csv'}", err=True)
    if (benchmark.out / "rows.csv").exists():
        _summarize(benchmark.out, report=report)
    if failures:
        click.echo(f"{counted(len(failures), 'job', comma=False)} failed:", err=True)
        for failure in failures:
            click.echo(f"  {failure.job}: {failure.reason} (log: {failure.log})", err=True)
        raise SystemExit(1)


def _summarize(out: Path, *, report: bool) -> None:
    """Write the summary of the rows and print it; write the report."""
    from cytomol.evaluate.summary import Summary

    summary = Summary.of(out)
    summary.write(out)
    click.echo(summary.text(), nl=False)
    if report:
        report_beside(out)
