"""The verb stress missing: what is left of a model as more and more profiles go missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytomol.cli.method_name import MethodName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cytomol.evaluate.missing.stress_run import MissingStress
    from cytomol.methods.config import MethodConfig

__all__ = ["command"]


@click.command(
    name="missing", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
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
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds, from 0.")
@click.option("--epochs", type=click.IntRange(1), help="Epochs of each pretraining.  [default: the preset's]")
@click.option("--preset", default="default", show_default=True, help="Settings that the fillings change.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="Option of pretraining, as width=128; may be given several times.",
)
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
@click.option("--split", "split_file", metavar="FILE", help="Folds of a table: columns index and fold.")
@click.option("--split-col", metavar="NAME", help="Column of a table with train, valid or test.")
@click.option("--smiles-col", metavar="NAME", help="Column of a table with the SMILES.  [default: smiles]")
@click.option("--targets", multiple=True, metavar="A,B", help="Task columns of a table.  [default: all]")
@click.option("--data", metavar="DIR", help="Folder of the sets.  [default: $CYTOMOL_DATA/benchmarks]")
@click.option("--keep-models", is_flag=True, help="Keep the pretrained models in DIR/models.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run, or extend one.")
@click.option("--force", is_flag=True, help="Start anew: remove the results of an earlier run.")
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
    split_file: str | None,
    split_col: str | None,
    smiles_col: str | None,
    targets: tuple[str, ...],
    data: str | None,
    keep_models: bool,
    resume: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Hide a share of the profiles of CORPUS, pretrain with the rest, and score: again for every share.

    Molecules whose profiles no model has seen are matched with their profiles, and their profiles imputed;
    each TABLE of assays (a file, or the name of a published set) is learnt from the frozen embedding. In use,
    profiles are hidden from models that were pretrained with all of them. DIR/missing.csv gets the rows of a
    point as it is scored, DIR/summary.csv the curves.
    """
    from cytomol.cli.row_options import split_names

    base = _config(method, preset, epochs, settings)
    percents = _rates(rates)

    from cytomol.evaluate.missing.stress_run import PLACES, MissingStress
    from cytomol.evaluate.sets import SetSource

    columns = tuple(split_names(targets, ())) or None
    chosen = tuple(split_names(patterns, ())) or ("random", "scaffold", *(("plate",) if plates else ()))
    stress = MissingStress(
        corpus=Path(corpus),
        out=Path(out),
        method=method,
        base=base,
        sources=[SetSource(table, data, split_file, split_col, smiles_col, columns) for table in tables],
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
    _run(stress, resume=resume, force=force, quiet=quiet)


def _config(method: str, preset: str, epochs: int | None, settings: Sequence[str]) -> MethodConfig:
    """Return the options that the fillings change."""
    from cytomol.cli.options import assignments
    from cytomol.methods.config import configs

    options = assignments(settings, {method: configs[method]})[method]
    options = options if epochs is None else {**options, "epochs": epochs}
    base: MethodConfig = configs[method].preset(preset)
    return base.updated(**options)


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


def _run(stress: MissingStress, *, resume: bool, force: bool, quiet: bool) -> None:
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
    if failures:
        click.echo(f"{len(failures)} points failed:", err=True)
        for failure in failures:
            click.echo(f"  {failure.job}: {failure.reason}", err=True)
        raise SystemExit(1)
