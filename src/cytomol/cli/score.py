"""The verb score: what a model's predictions were worth, once the molecules are measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.encoder_options import encoder_option, plugin_option
from cytomol.cli.examples import examples
from cytomol.cli.missing_codes_option import codes_of, missing_codes_option
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.cli.workers_option import workers_option
from cytomol.counted import agreeing
from cytomol.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cytomol.assays.labels import Labels, Task
    from cytomol.predict.predictions import Predictions
    from cytomol.predict.verdict.measured import Certainty
    from cytomol.tables import MoleculeTable

__all__ = ["command"]


@click.command(
    name="score",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol score model examples/assay.csv -o score.json",
    ),
)
@click.argument("model", metavar="DIR")
@click.argument("measured", metavar="MEASURED")
@click.option("-o", "--out", metavar="OUT", help="Also write everything as JSON.")
@click.option(
    "--smiles-col",
    metavar="NAME",
    help="Column with the SMILES; in an SD file a data item, in a .smi file name or a field's number."
    "  [default: smiles]",
)
@click.option("--sheet", metavar="NAME", help="Sheet of an Excel workbook.  [default: the first]")
@click.option(
    "--coverage",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    metavar="SHARE",
    help="Share of molecules whose value the intervals or sets should hold.",
)
@missing_codes_option
@encoder_option
@plugin_option
@workers_option
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@verify_key_option
def command(
    *,
    model: str,
    measured: str,
    out: str | None,
    smiles_col: str | None,
    sheet: str | None,
    coverage: float,
    missing_codes: str | None,
    encoder: tuple[str, ...],
    plugin: tuple[str, ...],
    workers: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Hold the predictions of a model DIR that finetune made against the molecules of MEASURED.

    MEASURED is a table of molecules with a column for each task that was measured, called as in training.
    Prints the scores with their intervals, whether the stated certainty held, and one sentence of verdict
    for each task. The model has to beat the median (classes: chance) of the measured values.
    """
    from cytomol.files.outputs import atomic_file, check_output
    from cytomol.tables import read_molecules

    if out is not None:
        check_output(Path(out), force=force)
    table = read_molecules(measured, smiles_col=smiles_col, sheet=sheet)

    from cytomol.assays.same_molecule import molecule_groups
    from cytomol.predict.predictor import Predictor
    from cytomol.predict.verdict.measured import score_predictions
    from cytomol.progress import Reporter
    from cytomol.registry import import_plugins

    import_plugins(plugin)
    predictor = Predictor.load(model).with_encoders(encoder)
    labels, places = _labels(table, predictor.tasks, codes_of(missing_codes))
    stated = predictor.uncertainty is not None
    with Reporter(quiet=quiet).bar("predict") as advance:
        answer = predictor.predict(
            table.smiles, workers=workers, progress=advance, uncertainty=stated, coverage=coverage
        )
    scored = score_predictions(
        labels,
        [_of_task(answer, place) for place in places],
        certainty=_certainty(answer, places),
        groups=molecule_groups(table.smiles),
    )
    for line in [*_warnings(answer, labels), *scored.lines()]:
        click.echo(line)
    if out is not None:
        with atomic_file(Path(out), force=force) as temporary:
            temporary.write_text(json.dumps(scored.to_dict(), indent=2) + "\n", encoding="utf-8")


def _labels(table: MoleculeTable, tasks: Sequence[Task], codes: Sequence[str]) -> tuple[Labels, list[int]]:
    """Return the labels of the tasks that were measured, and which tasks of the model these are."""
    from cytomol.predict.verdict.reading import read_measured

    names = [str(column) for column in table.frame.columns]
    places = [place for place, task in enumerate(tasks) if task.name in names]
    if not places:
        raise InputError(
            f"has none of the model's tasks as a column: {', '.join(task.name for task in tasks)}",
            where=table.where,
            hint=f"its columns are {', '.join(names)}; rename what was measured as the task is called",
        )
    for task in tasks:
        if task.name not in names:
            click.echo(f"no column {task.name!r}, so this task is not scored", err=True)
    labels = read_measured(
        table.frame, [tasks[place] for place in places], missing_codes=codes, where=table.where
    )
    measured = [place for place in places if tasks[place].name in labels.names]
    for place in sorted(set(places) - set(measured)):
        click.echo(f"column {tasks[place].name!r} has no label, so this task is not scored", err=True)
    return labels, measured


def _of_task(answer: Predictions, place: int) -> NDArray[np.float64]:
    """Return what was predicted of a task, shape (n,), or (n, classes) for three classes and more."""
    columns = answer.columns[:, answer.encoding.places()[place]]
    return columns if answer.tasks[place].kind == "multiclass" else columns[:, 0]


def _certainty(answer: Predictions, places: list[int]) -> Certainty | None:
    """Return what the model stated of its certainty; None if it states none.

    Nothing is stated here of three classes and more, which have a column each.
    """
    import numpy as np

    from cytomol.predict.verdict.measured import Certainty

    stated = answer.uncertainty
    if stated is None:
        return None
    columns = [answer.encoding.places()[place].start for place in places]
    several = np.array([answer.tasks[place].kind == "multiclass" for place in places])

    def of_tasks(array: NDArray[Any]) -> NDArray[Any]:
        chosen = array[:, columns].copy()
        chosen[:, several] = False if chosen.dtype == bool else np.nan
        return chosen

    return Certainty(
        stated.coverage,
        low=of_tasks(stated.low),
        high=of_tasks(stated.high),
        contains=of_tasks(stated.contains),
        calibrated=of_tasks(stated.calibrated),
    )


def _warnings(answer: Predictions, labels: Labels) -> list[str]:
    """Say which molecules cannot be predicted, and which the model was probably trained on."""
    invalid = [row for row, error in enumerate(answer.errors) if error]
    lines = []
    if invalid:
        first = f"row {invalid[0] + 1}: {answer.errors[invalid[0]]}"
        are = agreeing(len(invalid), "molecule", "is", "are", of=len(answer.errors), comma=False)
        lines.append(f"{are} invalid and left out; {first}")
    if answer.uncertainty is not None:
        seen = int((answer.uncertainty.similarity >= 1).sum())
        if seen:
            look = agreeing(seen, "molecule", "looks", "look", of=len(labels.matrix), comma=False)
            them = "it" if seen == 1 else "them"
            lines.append(
                f"{look} exactly like a training molecule: scores on {them} say little about new ones"
            )
    return lines
