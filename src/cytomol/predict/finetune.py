"""Fine-tuning: molecules and labels in, a predictor that says how good it is out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.assays.answer_names import alike
from cytomol.assays.folds import check_molecules, fold_texts, say_kept_whole
from cytomol.assays.labels import Labels
from cytomol.chem.encoders import MoleculeEncoder
from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError
from cytomol.predict.assay_table import AssayTable
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.crossfit import calibration_folds
from cytomol.predict.fitting import FittingJob, Listener
from cytomol.predict.named_encoders import open_encoders, remembered
from cytomol.predict.predictor import Predictor
from cytomol.predict.profile_block import CAUTION, ProfileBlock
from cytomol.predict.recipe import Recipe
from cytomol.predict.record import RECORD, RecordSource
from cytomol.predict.record.fit_record import make_record
from cytomol.predict.stages import Stages, digest_of
from cytomol.predict.validation import Validated, cross_validate, validate_by_split
from cytomol.predict.vector_table import VectorTable
from cytomol.predict.verdict.overall import Verdict
from cytomol.progress import duration

__all__ = ["FinetuneResult", "Listener", "finetune"]


@dataclass(frozen=True)
class FinetuneResult:
    """A fitted predictor, and how well it does.

    Attributes
    ----------
    predictor
        Ready to predict or to be saved.
    folds
        "train", "valid", "test" or "" (invalid molecule, or in no fold) of every row, shape (n,).
    scores
        What ``scores.json`` holds: learner, metric, seconds, and for valid and test the mean and each task.
    verdict
        What the model is worth beside what costs nothing; None if that was not asked for.
    evaluated
        The predictor that the scores are those of; it has not seen the test rows.
    """

    predictor: Predictor
    folds: NDArray[np.str_]
    scores: dict[str, Any]
    evaluated: Predictor
    verdict: Verdict | None = None


def finetune(
    smiles: Sequence[str],
    labels: Labels,
    config: FinetuneConfig | None = None,
    *,
    backbone: Backbone | str | Path | None = None,
    folds: NDArray[np.str_] | None = None,
    dates: NDArray[np.datetime64] | None = None,
    ids: Sequence[str] | None = None,
    profiles: Sequence[ProfileBlock] = (),
    encoders: Sequence[str | MoleculeEncoder] = (),
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
    listener: Listener | None = None,
    partial: Path | None = None,
    record: RecordSource | None = None,
    **options: Any,
) -> FinetuneResult:
    """Fit a learner to labelled molecules, say how good it is, and fit it again to all of them.

    Parameters
    ----------
    smiles
        Molecules; invalid ones are left out (and said).
    labels
        Their labels, row by row; those of test rows are scored before they are learnt from.
    config
        Options.
    backbone
        A backbone or its directory; None where the features need none. It is not changed.
    folds
        "train", "valid", "test" or "" of every row; None splits by ``config.split_type``.
    dates
        Date of every row, for ``split_type="time"``.
    ids
        What the molecules are called in evidence; None numbers the rows from 1.
    profiles
        Measured profiles of some of the molecules, which are learnt from beside the structures (see
        :func:`cytomol.predict.profile_source.read_profile_blocks`).
    encoders
        Other encoders whose vectors are learnt from too: names, ``file:TABLE``, or the encoders themselves. A
        molecule for which one has no vector is left out, as an invalid one is.
    workers, cache
        See :func:`cytomol.chem.featurize.featurize`.
    listener
        Is told what happens.
    partial
        Folder in which finished stages are kept, so that the same call goes on after an interruption.
    record
        Where the table came from; with it the predictor's directory holds what its report shows, which takes
        some more seconds.
    **options
        Options of :class:`FinetuneConfig` by name, instead of or beside ``config``; but for its ``folds``,
        the number of folds of a cross-validation, which ``config`` alone can set.

    Raises
    ------
    InputError
        If no molecule is valid, a fold that training needs is empty, or the labels teach nothing.
    ConfigError
        If an option is unknown, or the learner needs a backbone and there is none.

    Examples
    --------
    >>> from cytomol.assays.labels import Labels
    >>> smiles = ["CCO", "CCN", "CCC", "CCCl", "CCBr", "CCCC", "CCCCO", "CCCCN", "CO", "CN"]
    >>> labels = Labels.of_kind(["size"], np.array([[float(len(s))] for s in smiles]), "regression")
    >>> fitted = finetune(smiles, labels, learner="neighbours", split_type="random", cache=None)
    >>> sorted(fitted.scores)[:3]
    ['calibration', 'learner', 'metric']
    """
    started = time.perf_counter()
    config = FinetuneConfig.build({**({} if config is None else config.model_dump()), **options})
    listener = listener or Listener()
    if isinstance(backbone, str | Path):
        backbone = Backbone.load(backbone)
    as_given = AssayTable.of_columns(smiles, labels, folds=folds, dates=dates, ids=ids)
    smiles = as_given.smiles
    _check_answer(labels)
    table, places = as_given.gathered(config.replicates, listener.say)
    encoding = open_encoders(encoders)
    _say_encoders(encoding, labels, listener)
    recipe = Recipe.choose(config, backbone, profiles, encoding)
    if backbone is not None and recipe.features.backbone is None:
        listener.say(f"the learner {recipe.name!r} reads no embedding: it leaves the backbone out")
    store = recipe.features.store(table.smiles, workers=workers, cache=cache, progress=listener.molecules)
    valid = np.asarray(store.valid)
    check_molecules(store.errors, valid, labels.where, listener.say)
    say_kept_whole(recipe.features.options, store, listener.say)
    made_of = (as_given, config, "" if backbone is None else backbone.digest, profiles, encoding)
    stages = Stages(partial, _digest(*made_of) if partial else "")
    job = FittingJob(recipe, config, listener, stages, workers, cache)
    listener.plan(_planned(recipe, config, int(valid.sum()), table.labels, curve=record is not None))
    validate = cross_validate if config.folds else validate_by_split
    validated = validate(job, table, store)
    predictor = _final(validated, config)
    scores = {**validated.scores, **_of_run(validated, predictor, time.perf_counter() - started)}
    all_folds = np.full(len(smiles), "", dtype=validated.folds.dtype)
    all_folds[places] = validated.folds
    predictor.texts = {**fold_texts(scores, all_folds), "history.csv": validated.fitting.history()}
    if record is not None:
        made = make_record(
            validated,
            predictor,
            given=as_given,
            errors=_spread_out(store.errors, places, len(smiles)),
            folds=all_folds,
            source=record,
        )
        predictor.texts[RECORD] = made.model_dump_json() + "\n"
    stages.end()
    return FinetuneResult(predictor, all_folds, scores, validated.evaluated, validated.verdict)


def _check_answer(labels: Labels) -> None:
    """Refuse tasks for which an answer would have two columns of one name.

    Raises
    ------
    InputError
        With both and the name.
    """
    if clash := alike({task.name: task.classes for task in labels.tasks}):
        first, second, shared = clash
        raise InputError(
            f"tasks {first!r} and {second!r} cannot be learnt together: an answer would have two columns "
            f"{shared!r}",
            where=labels.where,
            hint="rename a column, or name the tasks with --targets",
        )


def _say_encoders(encoders: Sequence[MoleculeEncoder], labels: Labels, listener: Listener) -> None:
    """Say what each encoder has learnt from; refuse a table of vectors that holds the labels.

    Raises
    ------
    ConfigError
        If a column of the vectors is called as a task.
    """
    for encoder in encoders:
        told = sorted(set(labels.names) & set(encoder.columns)) if isinstance(encoder, VectorTable) else []
        if told:
            raise ConfigError(
                f"the column {told[0]!r} of the vectors is called as a task: they would tell its answers",
                where=encoder.name,
                hint="leave the column out of that table, or give it another name if it is something else",
            )
        listener.say(f"encoder {encoder.name}: {counted(encoder.width, 'number')} a molecule")
        for note in encoder.notes if isinstance(encoder, VectorTable) else ():
            listener.say(f"encoder {encoder.name}: {note}")
        listener.say(f"what it may have seen: {encoder.pretraining.said(encoder.name)}")


def _spread_out(errors: Sequence[str], places: NDArray[np.int64], rows: int) -> list[str]:
    """Return the errors of all rows of a table; repeats that became one row have none."""
    spread = [""] * rows
    for place, error in zip(places.tolist(), errors, strict=True):
        spread[place] = error
    return spread


def _final(validated: Validated, config: FinetuneConfig) -> Predictor:
    """Return the predictor that is kept: fitted again to all rows, unless fitting changes its backbone."""
    if (config.refit or config.folds) and not validated.fitting.live:
        return validated.fitting.refit(validated.evaluated)
    return validated.evaluated


def _of_run(validated: Validated, predictor: Predictor, seconds: float) -> dict[str, Any]:
    """Return what the scores say of the run as a whole."""
    verdict = {} if validated.verdict is None else {"verdict": validated.verdict.to_dict()}
    again = predictor is not validated.evaluated
    blocks, encoders = predictor.features.profiles, predictor.features.encoders
    given = {each.name: {"features": len(each.columns), "molecules": len(each)} for each in blocks}
    return {
        **verdict,
        **({"profiles": given, "caution": CAUTION} if given else {}),
        **({"encoders": [remembered(each) for each in encoders]} if encoders else {}),
        "seconds": round(seconds, 2),
        "predicts": "fitted again on all folds" if again else "fitted on train",
    }


def _planned(recipe: Recipe, config: FinetuneConfig, rows: int, labels: Labels, *, curve: bool) -> str:
    """Return how many fits are ahead, and about how long they take where the learner knows."""
    columns = sum(len(task.classes) if task.kind == "multiclass" else 1 for task in labels.tasks)
    again = 0 if recipe.name == "head" and config.changes_backbone else int(config.refit)
    if config.folds:
        fits = config.folds * config.repeats + 1
        parts = [f"{fits - 1} rounds of cross-validation", "one fit to all rows"]
    else:
        held = (
            calibration_folds(config.calibration_folds, rows) if again or not config.changes_backbone else 0
        )
        fits = 1 + held + again
        parts = ["one fit to be scored"]
        parts += [f"{held} for calibration"] if held else []
        parts += ["one to all rows"] if again else []
    parts += ["a learning curve"] if curve else []
    what = ", ".join(parts[:-1]) + ", and " * (len(parts) > 1) + parts[-1]
    one = recipe.make().seconds(rows, columns)
    about = "" if one is None else f"; about {duration(fits * one)} on two processors"
    return f"{recipe.name}: {what}{about}"


def _digest(
    table: AssayTable,
    config: FinetuneConfig,
    source: str,
    profiles: Sequence[ProfileBlock],
    encoders: Sequence[MoleculeEncoder],
) -> str:
    """Return what an interrupted run must have in common with the one that continues it."""
    folds = [] if table.folds is None else table.folds.tolist()
    dates = [] if table.dates is None else table.dates.astype(str).tolist()
    texts = "\n".join(
        [*table.smiles, *table.labels.names, *folds, *dates, source, *(each.key() for each in encoders)]
    )
    measured = [
        part
        for each in profiles
        for part in ("\n".join([each.name, *each.columns, *each.place]), each.values, each.corrected)
    ]
    return digest_of(texts, table.labels.matrix, table.labels.bounds, config.result_options(), *measured)
