"""The record of a fit: all that its report shows, written into the model directory as report.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from cytomol.errors import ModelDirectoryError
from cytomol.predict.assay_table import AssayTable
from cytomol.predict.predictor import Predictor
from cytomol.predict.record.fingerprint_map import fingerprint_map
from cytomol.predict.record.held_bands import calibration_bands, distance_bands
from cytomol.predict.record.nested_fits import learning_curve
from cytomol.predict.record.record_parts import (
    Attributed,
    ColumnFacts,
    LearningCurve,
    MapFacts,
    ShownMolecule,
    TableFacts,
    TestedTask,
    numbers,
)
from cytomol.predict.record.shown_molecules import attributed_molecules, worst_and_surprising
from cytomol.predict.record.table_facts import table_facts
from cytomol.predict.record.tested_rows import TestedRows, divisions_of, tested_rows
from cytomol.predict.uncertainty import Uncertainty
from cytomol.predict.verdict.overall import Verdict
from cytomol.version import __version__

if TYPE_CHECKING:
    from cytomol.predict.fitting import Fitting
    from cytomol.predict.validation import Validated

__all__ = ["RECORD", "FitRecord", "RecordSource", "make_record"]

RECORD = "report.json"
"""Name of the record in a model directory."""

_FORM = 1
_FIGURES = 4  # tasks that have figures
_DRAWN = 2  # tasks whose molecules are drawn
_CARDS = 4  # molecules of each kind that are drawn, over all these tasks
_MOST_ROWS = 3_000  # tested molecules of a task that are kept


@dataclass(frozen=True)
class RecordSource:
    """What a fit cannot know of where its table came from.

    Attributes
    ----------
    table
        Name of the file.
    command
        The command that was run, word by word.
    columns
        What each column of the table is.
    """

    table: str = ""
    command: tuple[str, ...] = ()
    columns: tuple[ColumnFacts, ...] = field(default=())


class FitRecord(BaseModel):
    """All that a report shows beside scores and verdict.

    Without evidence it holds no molecule: no structure, no id, and no value of one; counts, scores and shares
    stay.

    Attributes
    ----------
    form, version
        Of the record, and of the cytomol that wrote it.
    table, command, columns
        See :class:`RecordSource`.
    facts
        What was in the table.
    tested_on
        "test", "valid", "folds", or "" where no row with a label was held out.
    curve, map, tasks, shown, attributed
        Learning curve, split on a plane, answers to tested molecules, and molecules to look at.
    evidence
        Whether molecules may be in it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    form: int = _FORM
    version: str = __version__
    table: str = ""
    command: tuple[str, ...] = ()
    columns: tuple[ColumnFacts, ...] = ()
    facts: TableFacts
    tested_on: str = ""
    curve: LearningCurve | None = None
    map: MapFacts | None = None
    tasks: tuple[TestedTask, ...] = ()
    shown: tuple[ShownMolecule, ...] = ()
    attributed: tuple[Attributed, ...] = ()
    evidence: bool = True

    @classmethod
    def read(cls, table: Any, *, where: str) -> Self:
        """Check what was read from a model directory.

        Raises
        ------
        ModelDirectoryError
            If it lacks something, or a newer cytomol wrote it.
        """
        form = table.get("form") if isinstance(table, dict) else None
        if isinstance(form, int) and form > _FORM:
            raise ModelDirectoryError(
                f"has form {form}; this cytomol reads up to {_FORM}",
                where=where,
                hint="install a newer cytomol",
            )
        try:
            return cls.model_validate(table)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ModelDirectoryError(f"{place or 'the whole'}: {first['msg']}", where=where) from None


def make_record(
    validated: Validated,
    kept: Predictor,
    *,
    given: AssayTable,
    errors: Sequence[str],
    folds: NDArray[np.str_],
    source: RecordSource,
) -> FitRecord:
    """Gather what the report of a fit shows.

    Parameters
    ----------
    validated, kept
        The fit that was scored, and the predictor that is kept.
    given, errors, folds
        The table as given, why a molecule of it is invalid, and in which fold each row is, row by row.
    source
        Where the table came from.
    """
    fitting, evaluated = validated.fitting, validated.evaluated
    own_folds = validated.folds[validated.fitted]
    one_split = divisions_of(validated.folds) is None
    # of one split that which has not seen the tested rows; of folds there is none but that of all answers
    uncertainty = evaluated.uncertainty if one_split else kept.uncertainty
    tested = tested_rows(fitting, evaluated, own_folds, uncertainty)
    evidence = bool(fitting.job.config.evidence)
    record = FitRecord(
        table=source.table,
        command=source.command,
        columns=source.columns,
        facts=table_facts(given.smiles, given.labels, folds, errors if evidence else _untold(errors)),
        evidence=evidence,
    )
    if tested is None:
        return record
    tasks = figured_tasks(validated.verdict, fitting.table.labels.matrix[tested.rows])
    drawn = tasks[:_DRAWN] if evidence else []
    most = _CARDS // max(len(drawn), 1)
    return record.model_copy(
        update={
            "tested_on": tested.where,
            "curve": learning_curve(fitting, tested, tasks),
            "map": fingerprint_map(
                fitting.fingerprints, own_folds, tested.similarity, seed=fitting.job.config.seed
            ),
            "tasks": tuple(_tested_task(fitting, tested, uncertainty, task) for task in tasks),
            "shown": tuple(
                one for task in drawn for one in worst_and_surprising(fitting, tested, task, most=most)
            ),
            "attributed": tuple(
                one for task in drawn for one in attributed_molecules(fitting, tested, evaluated, task)
            ),
        }
    )


def _untold(errors: Sequence[str]) -> list[str]:
    """Return which rows are invalid without the reason, which may quote the molecule."""
    return ["invalid" if error else "" for error in errors]


def figured_tasks(verdict: Verdict | None, labels: NDArray[np.float64]) -> list[int]:
    """Return the places of the tasks that have figures: all of a few, else some from the best to the worst.

    Parameters
    ----------
    verdict
        By which they are ranked: how much better the model is than the constant, in widths of the interval.
    labels
        Of the tested rows, NaN where not measured, shape (n, tasks).
    """
    measured = (~np.isnan(labels)).sum(axis=0)
    known = np.flatnonzero(measured)
    if len(known) <= _FIGURES or verdict is None:
        return [int(place) for place in known[:_FIGURES]]
    judged = [place for place in known.tolist() if verdict.tasks[place].word != "unknown"]
    if len(judged) < _FIGURES:
        return sorted(known[np.argsort(-measured[known], kind="stable")][:_FIGURES].tolist())

    def better(place: int) -> float:
        task = verdict.tasks[place]
        by = task.better_by["constant"]
        return by.value / max(task.unit, 1e-300)

    ranked = sorted(judged, key=lambda place: (-better(place), place))
    return [ranked[round(at * (len(ranked) - 1) / (_FIGURES - 1))] for at in range(_FIGURES)]


def _tested_task(
    fitting: Fitting, tested: TestedRows, uncertainty: Uncertainty | None, place: int
) -> TestedTask:
    """Return what was said of the tested molecules of one task, and how far its certainty holds."""
    labels = fitting.table.labels
    task, column = labels.tasks[place], fitting.encoding.places()[place].start
    values = labels.matrix[tested.rows, place]
    said = fitting.encoding.task_values(tested.columns)[:, place]
    exact = np.ones(len(values), dtype=bool)
    if labels.bounds is not None:
        exact = labels.bounds[tested.rows, place] == 0
    observed = np.where(exact, values, np.nan)
    rows = np.flatnonzero(~np.isnan(observed) & ~np.isnan(said))
    kept = rows if fitting.job.config.evidence else rows[:0]
    if len(kept) > _MOST_ROWS:
        kept = np.sort(np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False))
    certainty = tested.certainty
    nothing = np.full(len(kept), np.nan)
    places = (
        np.full(len(kept), -1)
        if certainty is None
        else np.where(np.isnan(tested.similarity[kept]), -1, certainty.limits.places(tested.similarity[kept]))
    )
    several = task.kind == "multiclass"
    return TestedTask(
        name=task.name,
        kind=task.kind,
        classes=list(task.classes),
        total=len(rows),
        measured=numbers(observed[kept]),
        predicted=numbers(said[kept]),
        low=numbers(nothing if certainty is None else certainty.low[kept, column]),
        high=numbers(nothing if certainty is None else certainty.high[kept, column]),
        place=places.astype(int).tolist(),
        calibration=[] if several else calibration_bands(tested, column, observed, uncertainty),
        distance=[] if several else distance_bands(tested, column, observed),
    )
