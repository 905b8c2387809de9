"""Fit and score: by one split, or across folds until every molecule was tested by a fit that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.folds import check_folds, valid_folds
from cytomol.assays.labels import check_training_labels
from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits import FOLDS, kfold, rotation
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ConfigError
from cytomol.predict.assay_table import AssayTable
from cytomol.predict.baselines import of_tasks
from cytomol.predict.crossfit import HeldOutAnswers
from cytomol.predict.fitting import Fitting, FittingJob
from cytomol.predict.predictor import Predictor
from cytomol.predict.verdict.judge import judge
from cytomol.predict.verdict.overall import Verdict

__all__ = ["Validated", "cross_validate", "validate_by_split"]


@dataclass(frozen=True)
class Validated:
    """A predictor that was scored on molecules which it has not seen.

    Attributes
    ----------
    fitting
        What it was fitted by; its held-out answers calibrate. Of the first round of a cross-validation, with
        the held-out answers of the whole first division.
    evaluated
        The predictor; of a cross-validation, that of the first round.
    scores
        Of the valid and test rows; of a cross-validation, mean and standard deviation over the rounds, and
        each round.
    verdict
        On the test rows; of a cross-validation, on the answers of the first division, in which every molecule
        is tested once. None if not asked for.
    folds
        "train", "valid" or "test" of each row; of a cross-validation "fold 0" and so on, where each row is
        tested in the first division. "" is in no fold, shape (n,).
    fitted
        Which rows are those of ``fitting``, bool, shape (n,).
    """

    fitting: Fitting
    evaluated: Predictor
    scores: dict[str, Any]
    verdict: Verdict | None
    folds: NDArray[np.str_]
    fitted: NDArray[np.bool_]


def validate_by_split(job: FittingJob, table: AssayTable, store: MoleculeStore) -> Validated:
    """Fit to the train fold, choose by the valid fold and score on the test fold.

    Parameters
    ----------
    job
        What is fitted.
    table, store
        Rows and their molecules, of which invalid ones come into no fold.

    Raises
    ------
    InputError
        If a fold that training needs is empty, or the labels teach nothing.
    """
    folds = valid_folds(table.smiles, np.asarray(store.valid), table.folds, job.config, dates=table.dates)
    check_folds(folds, table.labels, why="the valid fold stops training, weighs learners and calibrates")
    for warning in check_training_labels(table.labels, folds == FOLDS[0]):
        job.listener.say(f"warning: {warning}")
    used = folds != ""
    fitting = Fitting(job, table.take(used), store.take(np.flatnonzero(used)), folds[used])
    evaluated = fitting.evaluate()
    scores = fitting.scores(evaluated)
    verdict = fitting.verdict(evaluated) if job.config.baselines else None
    return Validated(fitting, evaluated, scores, verdict, folds, used)


def cross_validate(job: FittingJob, table: AssayTable, store: MoleculeStore) -> Validated:
    """Fit to all folds but two, choose by one and test on the other, until each was tested.

    Parameters
    ----------
    job
        What is fitted; ``folds`` and ``repeats`` of its options say how often.
    table, store
        Rows and their molecules, of which invalid ones come into no fold.

    Raises
    ------
    ConfigError
        If the table says in which fold a row is.
    """
    if table.folds is not None:
        raise ConfigError(
            "the folds are given, so there is nothing to divide",
            where="folds",
            hint="leave out --folds, or the split of the table",
        )
    valid = np.asarray(store.valid)
    table, store = table.take(valid), store.take(np.flatnonzero(valid))
    config, molecules = job.config, molecule_groups(store.smiles)
    divisions = kfold(
        store.smiles,
        config.split_type,
        folds=config.folds,
        repeats=config.repeats,
        seed=config.split_seed,
        groups=molecules,
        dates=table.dates,
    )
    blocks = job.recipe.features.raw(store)
    rounds: list[tuple[Fitting, Predictor]] = []
    scores_of_rounds, beside = [], []
    total = config.folds * config.repeats
    for done in range(total):
        repeat, fold = divmod(done, config.folds)
        job.listener.step(done, total, f"round {done + 1} of {total}")
        folds = rotation(divisions[repeat], fold)
        fitting = Fitting(_round_of(job, done), table, store, folds, blocks)
        evaluated = fitting.evaluate()
        scores_of_rounds.append(fitting.scores(evaluated)["test"])
        if repeat == 0:
            rounds.append((fitting, evaluated))
            beside.append(fitting.beside(np.flatnonzero(folds == "test")) if config.baselines else {})
    job.listener.step(total, total, "all rounds")
    first, evaluated = rounds[0]
    first.held = _pooled([fitting for fitting, _ in rounds], divisions[0])
    first.job, first.calibrated = job, f"on the {config.folds} folds of the first division"
    common = first.scores(evaluated)
    scores = {
        **{key: value for key, value in common.items() if key not in {"valid", "test", "train"}},
        "validation": f"{config.folds} folds by {config.split_type}, {config.repeats} time(s)",
        "test": _mean_of(scores_of_rounds),
        "rounds": scores_of_rounds,
    }
    verdict = _verdict(first, divisions[0], beside, molecules) if config.baselines else None
    folds_of_rows = np.full(len(valid), "", dtype="<U8")
    folds_of_rows[valid] = np.where(divisions[0] < 0, "", np.char.add("fold ", divisions[0].astype(str)))
    return Validated(first, evaluated, scores, verdict, folds_of_rows, valid)


def _round_of(job: FittingJob, number: int) -> FittingJob:
    """Return what one round fits: calibrated on its valid fold, silent, its stages kept apart."""
    return replace(
        job,
        config=job.config.updated(calibration_folds=0),
        listener=replace(job.listener, step=lambda *_: None),
        stages=job.stages.within(f"round-{number}"),
    )


def _pooled(fittings: Sequence[Fitting], tested: NDArray[np.int64]) -> HeldOutAnswers:
    """Return the answers of each round to its test rows."""
    parts = [fitting.held for fitting in fittings]
    assert all(part is not None for part in parts)
    last = parts[-1]
    assert last is not None
    pooled = HeldOutAnswers(
        np.full_like(last.predicted, np.nan), np.full_like(last.members, np.nan), last.similarity.copy()
    )
    for fold, part in enumerate(parts):
        rows = tested == fold
        assert part is not None
        answers = HeldOutAnswers(part.predicted[rows], part.members[:, rows], part.similarity[rows])
        pooled.put(rows, answers)
    return pooled


def _verdict(
    first: Fitting,
    tested: NDArray[np.int64],
    beside: Sequence[dict[str, list[NDArray[np.float64]]]],
    molecules: NDArray[np.int64],
) -> Verdict:
    """Judge the pooled answers of the first division."""
    assert first.held is not None
    order = np.concatenate([np.flatnonzero(tested == fold) for fold in range(len(beside))])
    predicted = {"model": of_tasks(first.held.predicted[order], first.encoding)}
    for name in beside[0]:
        of_rounds = [part[name] for part in beside]
        predicted[name] = [np.concatenate(each) for each in zip(*of_rounds, strict=True)]
    return judge(
        first.table.labels.take(order),
        predicted,
        groups=molecules[order],
        ceiling=first.table.ceiling,
        seed=first.job.config.seed,
    )


def _mean_of(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return mean and standard deviation of the scores of rounds; None where none could be computed."""

    def over(values: Sequence[float | None]) -> tuple[float | None, float | None]:
        known = [value for value in values if value is not None]
        if not known:
            return None, None
        spread = float(f"{np.std(known, ddof=1):.6g}") if len(known) > 1 else None
        return float(f"{np.mean(known):.6g}"), spread

    mean, spread = over([each["mean"] for each in rounds])
    tasks = {name: over([each["tasks"][name] for each in rounds]) for name in rounds[0]["tasks"]}
    others = {n: over([each["other_metrics"][n] for each in rounds]) for n in rounds[0]["other_metrics"]}
    return {
        "rows": int(np.mean([each["rows"] for each in rounds])),
        "scored_tasks": sum(value is not None for value, _ in tasks.values()),
        "mean": mean,
        "spread": spread,
        "tasks": {name: value for name, (value, _) in tasks.items()},
        "spread_of_tasks": {name: value for name, (_, value) in tasks.items()},
        "other_metrics": {name: value for name, (value, _) in others.items()},
    }
