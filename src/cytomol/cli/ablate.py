"""The verb ablate: what each part of a method is worth, on sets that it is fine-tuned to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.examples import examples
from cytomol.cli.report_beside import report_beside, report_option
from cytomol.cli.set_options import base_config, pretraining_options, set_options, sources_of
from cytomol.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cytomol.evaluate.ablation import Ablation
    from cytomol.methods.config import MethodConfig
    from cytomol.predict.config import FinetuneConfig

__all__ = ["command"]


@click.command(
    name="ablate",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=examples(
        "cytomol ablate corpus corpus/assays.csv --split corpus/split.csv --method "
        "infoalign --study minimality --epochs 1 --seeds 1 -o ablation",
    ),
)
@click.argument("corpus", type=click.Path())
@click.argument("tables", nargs=-1, required=True, metavar="TABLE...")
@click.option("-o", "--out", required=True, metavar="DIR", help="Folder of the results.")
@click.option("--method", type=click.Choice(["chmr", "infoalign", "both"]), default="both", show_default=True)
@click.option(
    "--study",
    multiple=True,
    metavar="A,B",
    help="table2, lambda, eta, depth (CHMR); terms, minimality (InfoAlign); walks, criteria (both).  "
    "[default: all]",
)
@click.option(
    "--preset",
    type=click.Choice(["default", "paper", "authors"]),
    default="default",
    show_default=True,
    help="Settings that the variants change: our own, those of the papers or of the authors' code.",
)
@pretraining_options
@click.option(
    "--head-set",
    "head_settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="Option of fine-tuning, the same for every variant; may be given several times.",
)
@set_options
@click.option(
    "--exclude-profiles-of",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Leave out the profiles and relations of these molecules; may be given several times.",
)
@click.option("--keep-relations", is_flag=True, help="Keep the relations of those molecules.")
@report_option
@click.option("--resume", is_flag=True, help="Go on with an interrupted ablation, or extend one.")
@click.option("--force", is_flag=True, help="Start anew: remove the results of an earlier ablation.")
@click.option("-q", "--quiet", is_flag=True, help="No progress; only warnings and the summary.")
def command(
    *,
    corpus: str,
    tables: tuple[str, ...],
    out: str,
    method: str,
    study: tuple[str, ...],
    seeds: int,
    epochs: int | None,
    preset: str,
    settings: tuple[str, ...],
    head_settings: tuple[str, ...],
    exclude_profiles_of: tuple[str, ...],
    keep_relations: bool,
    keep_models: bool,
    report: bool,
    resume: bool,
    force: bool,
    quiet: bool,
    **read: Any,
) -> None:
    """Leave out or change one part of a method at a time, pretrain on CORPUS, and score on each TABLE.

    A TABLE is the name of a published set, or a table of assays. Every variant is pretrained, a head is
    put on the frozen model by one recipe, and the valid and test folds are scored by task. DIR/ablation.csv
    gets the rows of a variant as it finishes, DIR/summary.csv the means and differences from the full
    method, which DIR/report.html draws.
    """
    from cytomol.cli.row_options import split_names
    from cytomol.evaluate.variants import studies_of

    names = ["chmr", "infoalign"] if method == "both" else [method]
    studies = studies_of(split_names(study, ()) or ["all"], names)  # an unknown one is said now

    from cytomol.evaluate.ablation import Ablation

    bases, head = _configs(names, preset, epochs, settings, head_settings)
    ablation = Ablation(
        corpus=Path(corpus),
        sources=sources_of(tables, **read),
        out=Path(out),
        bases=bases,
        studies=studies,
        seeds=seeds,
        head=head,
        exclude=tuple(map(Path, exclude_profiles_of)),
        exclude_relations=not keep_relations,
        keep_models=keep_models,
    )
    _run(ablation, resume=resume, force=force, report=report, quiet=quiet)


def _configs(
    names: Sequence[str],
    preset: str,
    epochs: int | None,
    settings: Sequence[str],
    head_settings: Sequence[str],
) -> tuple[dict[str, MethodConfig], FinetuneConfig]:
    """Return the options of each method, and those of the head."""
    from cytomol.cli.options import assignments
    from cytomol.methods.config import configs
    from cytomol.predict.config import FinetuneConfig

    chosen = assignments(settings, {name: configs[name] for name in names})
    bases = {name: base_config(name, preset, epochs, chosen[name]) for name in names}
    head = assignments(head_settings, {"finetune": FinetuneConfig}, option="--head-set")["finetune"]
    return bases, FinetuneConfig.build(head)


def _run(ablation: Ablation, *, resume: bool, force: bool, report: bool, quiet: bool) -> None:
    """Run it, print the summary and say what failed."""
    from cytomol.evaluate.ablation import run_ablation

    def say(text: str) -> None:
        if not quiet or text.startswith("warning") or "FAILED" in text:
            click.echo(text, err=True)

    try:
        summary, failures = run_ablation(ablation, resume=resume, force=force, say=say)
    except KeyboardInterrupt:
        click.echo(f"what is finished is in {ablation.out}; --resume goes on", err=True)
        raise
    _print(summary)
    click.echo(f"rows: {ablation.out / 'ablation.csv'}   summary: {ablation.out / 'summary.csv'}", err=True)
    if report and len(summary):
        report_beside(ablation.out, quiet=quiet)
    if failures:
        click.echo(f"{counted(len(failures), 'variant', comma=False)} failed:", err=True)
        for failure in failures:
            click.echo(f"  {failure.variant}, seed {failure.seed}: {failure.reason}", err=True)
        raise SystemExit(1)


def _print(summary: pd.DataFrame) -> None:
    """Print one table per study, method and set: mean over tasks by fold, and difference from full."""
    for (study, method, name), part in summary.groupby(["study", "method", "set"], sort=False):
        metric, folds = part["metric"].iloc[0], list(dict.fromkeys(part["fold"]))
        seeds = counted(part["seeds"].max(), "seed", comma=False)
        click.echo(f"\n{method} {study}, {name}: {metric}, mean over tasks, {seeds}")
        width = max(len(str(variant)) for variant in part["variant"])
        click.echo(" " * width + "".join(f"{fold:>18}{'from full':>11}" for fold in folds))
        for variant, rows in part.groupby("variant", sort=False):
            cells = ""
            for _, row in rows.iterrows():
                spread = f" ± {row['std']:.4f}" if row["seeds"] > 1 else ""
                cells += f"{row['mean']:.4f}{spread}".rjust(18) + f"{row['difference']:+.4f}".rjust(11)
            click.echo(f"{variant:<{width}}{cells}")
