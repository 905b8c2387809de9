"""The verb finetune: a table of assays and a backbone in, a model that predicts them out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.encoder_options import encoder_option, plugin_option
from cytomol.cli.examples import examples
from cytomol.cli.options import GroupedCommand, options_from
from cytomol.cli.report_beside import report_beside, report_option
from cytomol.cli.tracking_option import mlflow_option
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.cli.workers_option import workers_option
from cytomol.counted import counted
from cytomol.errors import ConfigError
from cytomol.learners.head.options import HeadOptions
from cytomol.learners.head.presets import check_preset
from cytomol.predict.config import FinetuneConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cytomol.artifact.backbone import Backbone
    from cytomol.assays.labels import Labels
    from cytomol.cli.options import Chosen
    from cytomol.predict.record import RecordSource
    from cytomol.predict.verdict.overall import Verdict
    from cytomol.tables.molecules import MoleculeTable

__all__ = ["command"]

_SHOWN_TASKS = 40


@click.command(
    name="finetune",
    cls=GroupedCommand,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol finetune examples/assay.csv --targets LogSol,Kinase -o model",
        "cytomol finetune examples/assay.csv --learner forest -o forest-model",
    ),
)
@click.argument("table", metavar="TABLE")
@click.option(
    "--backbone",
    metavar="DIR",
    help="Pretrained model directory, or default, the backbone that comes with cytomol;"
    " needed by the embedding.",
)
@click.option("-o", "--out", required=True, metavar="DIR", help="Model directory to be made.")
@click.option("--smiles-col", metavar="NAME", help="Column with the SMILES.  [default: smiles]")
@click.option("--sheet", metavar="NAME", help="Sheet of an Excel workbook.  [default: the first]")
@click.option(
    "--targets",
    multiple=True,
    metavar="A,B",
    help="Task columns.  [default: every column of values or classes]",
)
@click.option("--split", "split_file", metavar="FILE", help="Table with columns index (row from 0) and fold.")
@click.option("--split-col", metavar="NAME", help="Column of the table with train, valid or test.")
@click.option(
    "--id-col",
    metavar="NAME",
    help="What the molecules are called in answers.  [default: the first column of ids, else row numbers]",
)
@click.option("--time-col", metavar="NAME", help="Column of dates, for --split-type time.")
@click.option(
    "--profiles",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Measured profiles of some of the molecules, learnt from beside their structures: a table of "
    "profiles, or CORPUS:MODALITY. Once for each modality.",
)
@encoder_option
@plugin_option
@click.option(
    "--preset",
    metavar="NAME",
    default="default",
    show_default=True,
    help="Start from our settings (default), those of the backbone's paper (paper), or those of its authors' "
    "code (authors; authors:bace and the like with what they set by hand for a data set).",
)
@report_option
@workers_option
@click.option("--resume", is_flag=True, help="Go on with an interrupted run of the same command.")
@click.option("--force", is_flag=True, help="Replace an existing output; forget an interrupted run.")
@mlflow_option
@click.option("-q", "--quiet", is_flag=True, help="No progress; only warnings and scores.")
@options_from(FinetuneConfig)
@verify_key_option
def command(
    *,
    table: str,
    backbone: str | None,
    out: str,
    smiles_col: str | None,
    sheet: str | None,
    targets: tuple[str, ...],
    split_file: str | None,
    split_col: str | None,
    id_col: str | None,
    time_col: str | None,
    profiles: tuple[str, ...],
    encoder: tuple[str, ...],
    plugin: tuple[str, ...],
    preset: str,
    report: bool,
    workers: int | None,
    resume: bool,
    force: bool,
    mlflow: str | None,
    quiet: bool,
    chosen: Chosen,
) -> None:
    """Make a model of the assays in TABLE (CSV, TSV, Parquet, Excel or SD file; one molecule a row).

    Labels may be missing. The split is that of --split FILE or --split-col, else made by --split-type. The
    model is fitted to the train fold and scored on the others, then fitted again to all rows; its directory
    holds all that prediction needs, the scores and the folds. OUT/report.html says what the model is worth;
    its learning curve takes some more fits.

    An interrupted run has saved what was finished in OUT.partial, and the same command with --resume goes on.
    """
    from cytomol.files import check_output
    from cytomol.tables import read_molecules
    from cytomol.tables.molecules import find_column

    check_output(out, force=force)
    config = _checked_config(chosen, preset, split_file=split_file, split_col=split_col, time_col=time_col)
    molecules = read_molecules(table, smiles_col=smiles_col, sheet=sheet)
    if split_col:
        find_column(molecules.frame, split_col, where=molecules.where, option="--split-col")

    from cytomol.artifact.backbone import Backbone
    from cytomol.predict.finetune import Listener, finetune
    from cytomol.predict.named_encoders import open_encoders
    from cytomol.predict.profile_source import read_profile_blocks
    from cytomol.registry import import_plugins
    from cytomol.tracking import tracked

    import_plugins(plugin)
    encoders = open_encoders(encoder)
    labels = _labels(molecules, targets, config, split_col or time_col)
    folds = _given_folds(molecules, split_file, split_col)
    pretrained = None if backbone is None else Backbone.load(backbone)
    if preset != "default":
        config = _preset_config(chosen, preset, pretrained)
    measured = read_profile_blocks(
        profiles, molecules, backbone=pretrained, say=lambda text: click.echo(text, err=True)
    )
    partial = _partial(out, resume=resume)
    _say_tasks(labels, detected=config.task_type == "auto")
    with tracked(mlflow, "finetune", out):
        with _Progress(quiet=quiet) as progress:
            result = finetune(
                molecules.smiles,
                labels,
                config,
                backbone=pretrained,
                folds=folds,
                dates=_dates(molecules, time_col),
                ids=_ids(molecules, id_col),
                profiles=measured,
                encoders=encoders,
                workers=workers,
                listener=Listener(progress.say, progress.molecules, progress.step, progress.plan),
                partial=partial,
                record=_record_source(molecules, labels, config) if report else None,
            )
            result.predictor.save(out, force=force)
        _print_scores(result.scores, labels.names)
        _print_verdict(result.verdict, cross_validated=bool(config.folds))
        click.echo(f"model: {out}", err=True)
        if report:
            report_beside(out)


def _partial(out: str, *, resume: bool) -> Path:
    """Return where finished stages are kept; without ``--resume`` those of an earlier run are forgotten.

    Raises
    ------
    ConfigError
        If there is nothing to go on with.
    """
    from cytomol.files import remove_output

    partial = Path(f"{out}.partial")
    if resume and not partial.is_dir():
        raise ConfigError(f"there is no interrupted run in {partial}", hint="leave --resume out")
    if not resume and partial.exists():
        remove_output(partial)
    return partial


def _checked_config(
    chosen: Chosen, preset: str, *, split_file: str | None, split_col: str | None, time_col: str | None
) -> FinetuneConfig:
    """Return the options, refusing those that do not go together."""
    check_preset(preset)
    _check_options(chosen, preset=preset, split_given=bool(split_file or split_col))
    if split_file and split_col:
        raise ConfigError("--split and --split-col both give a split", hint="use one of them")
    config = chosen.build(FinetuneConfig)
    if (time_col is not None) != (config.split_type == "time"):
        raise ConfigError("--time-col and --split-type time belong together", hint="give both or neither")
    return config


def _preset_config(chosen: Chosen, preset: str, backbone: Backbone | None) -> FinetuneConfig:
    """Return the options of a preset, with those that the user chose."""
    head = HeadOptions.preset(preset, backbone.method.head if backbone else None)
    return chosen.build(FinetuneConfig, FinetuneConfig.build({"learner": "head", **head.model_dump()}))


def _check_options(chosen: Chosen, *, preset: str, split_given: bool) -> None:
    """Refuse options that do not go together."""
    if split_given and "split_type" in chosen.flags:
        raise ConfigError("--split-type makes a split, and one is given", hint="leave one of them out")
    learner = {**chosen.file, **chosen.flags}.get("learner", "auto")
    if learner in {"auto", "head"}:
        return
    from cytomol.learners import learners

    _ = learners[learner]  # an unknown name says so before anything is read
    own = HeadOptions.model_fields
    flags = [name for name in chosen.flags if name in own]
    of_file = [name for name in chosen.file if name in own and name not in chosen.flags]
    if flags or preset != "default":
        given = ["--" + name.replace("_", "-") for name in flags] or ["--preset"]
        message = f"{', '.join(given)}: for a head, not for --learner {learner}"
        raise ConfigError(message, hint="leave it out")
    if of_file:
        message = f"{', '.join(of_file)}: for a head, not for --learner {learner}"
        raise ConfigError(message, where=chosen.where, hint="leave them out")


def _labels(
    molecules: MoleculeTable, targets: tuple[str, ...], config: FinetuneConfig, split_col: str | None
) -> Labels:
    """Read the tasks of the table."""
    from cytomol.assays.labels import read_labels
    from cytomol.cli.row_options import split_names

    return read_labels(
        molecules.frame,
        split_names(targets, molecules.frame.columns) if targets else None,
        ignore=[molecules.smiles_col, *([split_col] if split_col else [])],
        task_type=config.task_type,
        missing_codes=config.missing_codes,
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


def _dates(molecules: MoleculeTable, time_col: str | None) -> NDArray[np.datetime64] | None:
    """Read the dates that a split by time needs; None if it is no such split."""
    from cytomol.assays.dates import read_dates
    from cytomol.tables.molecules import find_column

    if time_col is None:
        return None
    name = find_column(molecules.frame, time_col, where=molecules.where, option="--time-col")
    return read_dates(molecules.frame[name], where=molecules.where)


def _ids(molecules: MoleculeTable, id_col: str | None) -> list[str] | None:
    """Return what the molecules are called; None if the table does not say."""
    from cytomol.assays.column_roles import roles_of_columns
    from cytomol.tables.molecules import find_column

    if id_col is not None:
        name = find_column(molecules.frame, id_col, where=molecules.where, option="--id-col")
    else:
        roles = roles_of_columns(molecules.frame, smiles_col=molecules.smiles_col)
        ids = [column.name for column in roles if column.role == "id"]
        if not ids:
            return None
        name = ids[0]
    return [str(cell) for cell in molecules.frame[name].fillna("")]


def _record_source(molecules: MoleculeTable, labels: Labels, config: FinetuneConfig) -> RecordSource:
    """Return what a report says of the table, and of the command that reads it."""
    from cytomol.assays.column_roles import roles_of_columns
    from cytomol.predict.record import RecordSource
    from cytomol.predict.record.table_facts import column_facts

    columns = roles_of_columns(
        molecules.frame,
        smiles_col=molecules.smiles_col,
        missing_codes=config.missing_codes,
        task_type=config.task_type,
    )
    command = tuple(click.get_current_context().obj or ())
    return RecordSource(molecules.where, command, column_facts(columns, labels.names))


class _Progress(ExitStack):
    """A bar for the molecules, then one for the steps of fitting, on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        from cytomol.progress import Reporter

        super().__init__()
        self._reporter = Reporter(quiet=quiet)
        self._featurizing: Callable[[int, int], None] | None = None
        self._fitting: Callable[[int, str], None] | None = None
        self._steps = 0

    def say(self, text: str) -> None:
        """Print a line that the user should read even when all else is quiet."""
        click.echo(text, err=True)

    def plan(self, text: str) -> None:
        """Say how much work is ahead, unless all is quiet."""
        self._reporter.say(text)

    def molecules(self, done: int, total: int) -> None:
        """Show how many molecules are featurized."""
        if self._featurizing is None:
            self._featurizing = self.enter_context(self._reporter.bar("featurize"))
        self._featurizing(done, total)

    def step(self, done: int, total: int, what: str) -> None:
        """Show how far fitting is."""
        if self._fitting is None or total != self._steps:
            self.close()
            self._steps = total
            self._fitting = self.enter_context(self._reporter.training(total, 0, lines=True))
        self._fitting(done, what)


def _say_tasks(labels: Labels, *, detected: bool) -> None:
    """Say what is learned, and which columns are not."""
    how = "detected from the labels; override with --task-type" if detected else "as asked"
    names = ", ".join(labels.names[:6]) + (", ..." if len(labels.names) > 6 else "")
    count = counted(len(labels.names), "task", comma=False)
    click.echo(f"{labels.kind} ({how}), {count}: {names}", err=True)
    if labels.left_out:
        shown = ", ".join(labels.left_out[:6]) + (", ..." if len(labels.left_out) > 6 else "")
        click.echo(f"columns that are no tasks: {shown}", err=True)


def _print_scores(scores: dict[str, Any], tasks: Sequence[str]) -> None:
    """Print the scores of every task on the valid and test folds, and their means."""
    folds = [fold for fold in ("valid", "test") if fold in scores]
    width = max(len("mean over tasks"), *(len(name) for name in tasks[:_SHOWN_TASKS]))
    metric = "score" if scores["task_type"] == "mixed" else scores["metric"]
    click.echo(f"{metric:<{width}}" + "".join(f"{fold:>10}" for fold in folds))
    for name in tasks[:_SHOWN_TASKS]:
        cells = (_cell(scores[fold]["tasks"][name]) for fold in folds)
        click.echo(f"{name:<{width}}" + "".join(f"{cell:>10}" for cell in cells))
    if len(tasks) > _SHOWN_TASKS:
        more = counted(len(tasks) - _SHOWN_TASKS, "more task", comma=False)
        click.echo(f"... and {more} in scores.json")
    means = (_cell(scores[fold]["mean"]) for fold in folds)
    click.echo(f"{'mean over tasks':<{width}}" + "".join(f"{cell:>10}" for cell in means))
    for label, key in (("tasks scored", "scored_tasks"), ("molecules", "rows")):
        click.echo(f"{label:<{width}}" + "".join(f"{scores[fold][key]:>10}" for fold in folds))


def _print_verdict(verdict: Verdict | None, *, cross_validated: bool) -> None:
    """Print what the model is worth beside what costs nothing; nothing where nobody asked."""
    if verdict is None:
        return
    click.echo()
    for line in verdict.lines():
        click.echo(line)
    if verdict.word == "unknown" and not cross_validated:
        click.echo("with --folds 5 every molecule is tested once, so that there is more to tell by")


def _cell(score: float | None) -> str:
    if score is None:
        return "-"
    usual = score == 0 or 1e-3 <= abs(score) < 1e5  # a permeability of 1e-6 is no 0.0000
    return f"{score:.4f}" if usual else f"{score:.3g}"
