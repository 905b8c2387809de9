"""The verb finetune: a table of assays and a backbone in, a model that predicts them out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.options import GroupedCommand, options_from
from cytomol.errors import ConfigError
from cytomol.learners.head.presets import check_preset
from cytomol.predict.config import FinetuneConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cytomol.assays.labels import Labels
    from cytomol.cli.options import Chosen
    from cytomol.predict.finetune import EpochReport
    from cytomol.predict.predictor import PropertyPredictor
    from cytomol.predict.trained import TrainedModel
    from cytomol.tables.molecules import MoleculeTable

__all__ = ["command"]

_SHOWN_TASKS = 40


@click.command(name="finetune", cls=GroupedCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("table", metavar="TABLE")
@click.option("--backbone", metavar="DIR", help="Pretrained model directory; needed by the embedding.")
@click.option("-o", "--out", required=True, metavar="DIR", help="Model directory to be made.")
@click.option("--smiles-col", metavar="NAME", help="Column with the SMILES.  [default: smiles]")
@click.option("--sheet", metavar="NAME", help="Sheet of an Excel workbook.  [default: the first]")
@click.option(
    "--model",
    metavar="NAME",
    help="Train a model by name, such as cytomol or forest (the guide lists them), instead of a head.",
)
@click.option(
    "--targets", multiple=True, metavar="A,B", help="Task columns.  [default: every numeric column]"
)
@click.option("--split", "split_file", metavar="FILE", help="Table with columns index (row from 0) and fold.")
@click.option("--split-col", metavar="NAME", help="Column of the table with train, valid or test.")
@click.option(
    "--preset",
    metavar="NAME",
    default="default",
    show_default=True,
    help="Start from our settings (default), those of the backbone's paper (paper), or those of its authors' "
    "code (authors; authors:bace and the like with what they set by hand for a data set).",
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
    sheet: str | None,
    model: str | None,
    targets: tuple[str, ...],
    split_file: str | None,
    split_col: str | None,
    preset: str,
    workers: int | None,
    force: bool,
    quiet: bool,
    chosen: Chosen,
) -> None:
    """Fine-tune a backbone to the assays of TABLE (CSV, TSV, Parquet, Excel or SD file; one molecule a row).

    Labels may be missing. Tasks whose labels are all 0 and 1 are classified, others regressed. The
    split is that of --split FILE or --split-col, else made by --split-type. The model directory holds
    all that prediction needs, the scores on the valid and test folds and the folds themselves.

    With --model NAME a model by name is trained instead of a head. Of the options in this list it takes
    those of tasks and split, --seed and --threads.
    """
    from cytomol.files import check_output
    from cytomol.tables import read_molecules
    from cytomol.tables.molecules import find_column

    check_output(out, force=force)
    check_preset(preset)
    _check_options(chosen, model=model, preset=preset, split_given=bool(split_file or split_col))
    if split_file and split_col:
        raise ConfigError("--split and --split-col both give a split", hint="use one of them")
    config = chosen.build(FinetuneConfig)
    molecules = read_molecules(table, smiles_col=smiles_col, sheet=sheet)
    if split_col:
        find_column(molecules.frame, split_col, where=molecules.where, option="--split-col")

    from cytomol.artifact.backbone import Backbone

    labels = _labels(molecules, targets, config, split_col)
    folds = _given_folds(molecules, split_file, split_col)
    pretrained = None if backbone is None else Backbone.load(backbone)
    if preset != "default":
        head = pretrained.method.head if pretrained else None
        config = chosen.build(FinetuneConfig, FinetuneConfig.preset(preset, head))

    _say_tasks(labels, detected=config.task_type == "auto")
    with _Progress(quiet=quiet, metric=labels.metric) as progress:
        train = _train_head if model is None else partial(_train_model, model)
        given = {"backbone": pretrained, "folds": folds, "workers": workers}
        made, scores = train(molecules.smiles, labels, config, progress, **given)
    made.save(out, force=force)
    _print_scores(scores, list(made.tasks))
    click.echo(f"model: {out}", err=True)


def _check_options(chosen: Chosen, *, model: str | None, preset: str, split_given: bool) -> None:
    """Refuse options that do not go together."""
    if split_given and "split_type" in chosen.flags:
        raise ConfigError("--split-type makes a split, and one is given", hint="leave one of them out")
    if model is None:
        return
    from cytomol.learners import models
    from cytomol.predict.finetune_model import OPTIONS

    _ = models[model]  # an unknown name says so before anything is read
    flags = [name for name in chosen.flags if name not in OPTIONS]
    of_file = [name for name in chosen.file if name not in OPTIONS and name not in chosen.flags]
    if flags or preset != "default":
        given = ["--" + name.replace("_", "-") for name in flags] or ["--preset"]
        raise ConfigError(f"{', '.join(given)}: for a head, not for --model {model}", hint="leave it out")
    if of_file:
        raise ConfigError(
            f"{', '.join(of_file)}: for a head, not for --model {model}",
            where=chosen.where,
            hint=f"a model by name takes {', '.join(OPTIONS)}",
        )


def _labels(
    molecules: MoleculeTable, targets: tuple[str, ...], config: FinetuneConfig, split_col: str | None
) -> Labels:
    """Read the tasks of the table."""
    from cytomol.assays.labels import read_labels
    from cytomol.cli.rows import split_names

    return read_labels(
        molecules.frame,
        split_names(targets, molecules.frame.columns) if targets else None,
        ignore=[molecules.smiles_col, *([split_col] if split_col else [])],
        task_type=config.task_type,
        where=molecules.where,
    )


def _given_folds(
    molecules: MoleculeTable, split_file: str | None, split_col: str | None
) -> NDArray[np.str_] | None:
    """Read the folds that the user gives; None if none."""
    from cytomol.assays.splits import folds_from_column, read_split

    if split_file:
        return read_split(split_file, len(molecules))
    if split_col:
        return folds_from_column(molecules.frame[split_col], where=molecules.where, column=split_col)
    return None


def _train_head(
    smiles: list[str], labels: Labels, config: FinetuneConfig, progress: _Progress, **given: Any
) -> tuple[PropertyPredictor, dict[str, Any]]:
    from cytomol.predict.finetune import Listener, finetune

    listener = Listener(progress.say, progress.molecules, progress.epoch)
    result = finetune(smiles, labels, config, listener=listener, **given)
    return result.predictor, result.scores


def _train_model(
    name: str, smiles: list[str], labels: Labels, config: FinetuneConfig, progress: _Progress, **given: Any
) -> tuple[TrainedModel, dict[str, Any]]:
    from cytomol.predict.finetune_model import finetune_model

    result = finetune_model(
        name, smiles, labels, config, progress=progress.molecules, say=progress.say, **given
    )
    return result.trained, result.scores


class _Progress(ExitStack):
    """A bar for the molecules, then one for the epochs, on standard error."""

    def __init__(self, *, quiet: bool, metric: str) -> None:
        from cytomol.progress import Reporter

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


def _print_scores(scores: dict[str, Any], tasks: list[str]) -> None:
    """Print the scores of every task on the valid and test folds, and their means."""
    folds = [fold for fold in ("valid", "test") if fold in scores]
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
