"""The verb finetune: a table of assays and a backbone in, a model that predicts them out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from cytomol.cli.options import options_from
from cytomol.predict.config import FinetuneConfig

if TYPE_CHECKING:
    from cytomol.cli.options import Chosen
    from cytomol.predict.finetune import EpochReport, FinetuneResult
    from cytomol.predict.labels import Labels

__all__ = ["command"]

_SHOWN_TASKS = 40


@click.command(name="finetune", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("table", metavar="TABLE")
@click.option("--backbone", metavar="DIR", help="Pretrained model directory; needed by the embedding.")
@click.option("-o", "--out", required=True, metavar="DIR", help="Model directory to be made.")
@click.option("--smiles-col", metavar="NAME", help="Column with the SMILES.  [default: smiles]")
@click.option(
    "--targets", multiple=True, metavar="A,B", help="Task columns.  [default: every numeric column]"
)
@click.option("--split", "split_file", metavar="FILE", help="Table with columns index (row from 0) and fold.")
@click.option("--split-col", metavar="NAME", help="Column of the table with train, valid or test.")
@click.option(
    "--preset",
    type=click.Choice(["default", "paper"]),
    default="default",
    show_default=True,
    help="Start from our settings or from those of the backbone's paper.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes that featurize.  [default: all cores]")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress; only warnings and scores.")
@options_from(FinetuneConfig)
def command(
    *,
    table: str,
    backbone: str | None,
    out: str,
    smiles_col: str | None,
    targets: tuple[str, ...],
    split_file: str | None,
    split_col: str | None,
    preset: str,
    workers: int | None,
    force: bool,
    quiet: bool,
    chosen: Chosen,
) -> None:
    """Fine-tune a backbone to the assays of TABLE (CSV, TSV or Parquet; one molecule a row).

    Labels may be missing. Tasks whose labels are all 0 and 1 are classified, others regressed. The
    split is that of --split FILE or --split-col, else made by --split-type. The model directory holds
    all that prediction needs, the scores on the valid and test folds and the folds themselves.
    """
    from cytomol.errors import ConfigError
    from cytomol.files import check_output
    from cytomol.tables import read_molecules
    from cytomol.tables.molecules import find_column

    check_output(out, force=force)
    if split_file and split_col:
        raise ConfigError("--split and --split-col both give a split", hint="use one of them")
    if (split_file or split_col) and "split_type" in chosen.flags:
        raise ConfigError("--split-type makes a split, and one is given", hint="leave one of them out")
    config = chosen.build(FinetuneConfig)
    molecules = read_molecules(table, smiles_col=smiles_col)
    if split_col:
        find_column(molecules.frame, split_col, where=molecules.where, option="--split-col")

    from cytomol.cli.rows import split_names
    from cytomol.predict.finetune import Listener, finetune
    from cytomol.predict.labels import read_labels
    from cytomol.predict.splits import folds_from_column, read_split
    from cytomol.training.backbone import Backbone

    ignore = [molecules.smiles_col, *([split_col] if split_col else [])]
    labels = read_labels(
        molecules.frame,
        split_names(targets, molecules.frame.columns) if targets else None,
        ignore=ignore,
        task_type=config.task_type,
        where=molecules.where,
    )
    folds = None
    if split_file:
        folds = read_split(split_file, len(molecules))
    elif split_col:
        folds = folds_from_column(molecules.frame[split_col], where=molecules.where, column=split_col)
    pretrained = None if backbone is None else Backbone.load(backbone)
    if preset == "paper":
        config = chosen.build(FinetuneConfig, FinetuneConfig.paper(pretrained.name if pretrained else "chmr"))

    _say_tasks(labels, detected=config.task_type == "auto")
    with _Progress(quiet=quiet, metric=labels.metric) as progress:
        result = finetune(
            molecules.smiles,
            labels,
            config,
            backbone=pretrained,
            folds=folds,
            workers=workers,
            listener=Listener(progress.say, progress.molecules, progress.epoch),
        )
    result.predictor.save(out, force=force)
    _print_scores(result)
    click.echo(f"model: {out}", err=True)


class _Progress(ExitStack):
    """A bar for the molecules, then one for the epochs, on standard error."""

    def __init__(self, *, quiet: bool, metric: str) -> None:
        from cytomol.training.reporter import Reporter

        super().__init__()
        self._reporter = Reporter(quiet=quiet)
        self._metric = metric
        self._featurizing: Callable[[int, int], None] | None = None
        self._training: Callable[[int, str], None] | None = None

    def say(self, text: str) -> None:
        """Print a line that the user should read even when all else is quiet."""
        click.echo(text, err=True)

    def molecules(self, done: int, total: int) -> None:
        """Show how many molecules are featurized."""
        if self._featurizing is None:
            self._featurizing = self.enter_context(self._reporter.bar("featurize"))
        self._featurizing(done, total)

    def epoch(self, report: EpochReport) -> None:
        """Show how far training is, over all heads."""
        if self._training is None:
            self.close()
            self._training = self.enter_context(self._reporter.training(report.heads * report.epochs, 0))
        text = f"loss {report.loss:.4f}, valid {self._metric} {abs(report.score):.4f}"
        if report.heads > 1:
            text = f"head {report.head} of {report.heads}: {text}"
        self._training((report.head - 1) * report.epochs + report.epoch, text)


def _say_tasks(labels: Labels, *, detected: bool) -> None:
    """Say what is learned, and which columns are not."""
    how = "detected from the labels; override with --task-type" if detected else "as asked"
    names = ", ".join(labels.names[:6]) + (", ..." if len(labels.names) > 6 else "")
    count = "1 task" if len(labels.names) == 1 else f"{len(labels.names)} tasks"
    click.echo(f"{labels.kind} ({how}), {count}: {names}", err=True)
    if labels.left_out:
        shown = ", ".join(labels.left_out[:6]) + (", ..." if len(labels.left_out) > 6 else "")
        click.echo(f"columns that are no tasks: {shown}", err=True)


def _print_scores(result: FinetuneResult) -> None:
    """Print the scores of every task on the valid and test folds, and their means."""
    scores = result.scores
    folds = [fold for fold in ("valid", "test") if fold in scores]
    tasks = list(result.predictor.tasks)
    width = max(len("mean over tasks"), *(len(name) for name in tasks[:_SHOWN_TASKS]))
    click.echo(f"{scores['metric']:<{width}}" + "".join(f"{fold:>10}" for fold in folds))
    for name in tasks[:_SHOWN_TASKS]:
        cells = (_cell(scores[fold]["tasks"][name]) for fold in folds)
        click.echo(f"{name:<{width}}" + "".join(f"{cell:>10}" for cell in cells))
    if len(tasks) > _SHOWN_TASKS:
        click.echo(f"... and {len(tasks) - _SHOWN_TASKS} more tasks in scores.json")
    means = (_cell(scores[fold]["mean"]) for fold in folds)
    click.echo(f"{'mean over tasks':<{width}}" + "".join(f"{cell:>10}" for cell in means))
    for label, key in (("tasks scored", "scored_tasks"), ("molecules", "rows")):
        click.echo(f"{label:<{width}}" + "".join(f"{scores[fold][key]:>10}" for fold in folds))


def _cell(score: float | None) -> str:
    return "-" if score is None else f"{score:.4f}"
