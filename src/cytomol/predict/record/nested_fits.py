"""What more data would buy: the scores of fits to an eighth, a quarter, half and all of the molecules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Task
from cytomol.assays.metrics import MAIN_METRIC
from cytomol.assays.same_molecule import molecule_groups
from cytomol.learners import Learning, Matrix
from cytomol.learners.forest import Forest
from cytomol.learners.mixed import ByKind
from cytomol.predict.baselines import of_tasks
from cytomol.predict.molecule_features import MoleculeFeatures
from cytomol.predict.record.record_parts import Curve, LearningCurve, Point
from cytomol.predict.record.tested_rows import TestedRows
from cytomol.predict.verdict.bootstrap import Estimate, bootstrap_difference, bootstrap_score

if TYPE_CHECKING:
    from cytomol.predict.fitting import Fitting

__all__ = ["SHARES", "learning_curve", "same_learner_seconds"]

SHARES = (0.125, 0.25, 0.5)
"""Of the training molecules; each share holds the smaller ones."""

_FEWEST = 10  # molecules of the smallest share
_FEW = 20  # labels below which a score is chance
_QUICK = 30.0  # seconds of all shares together, up to which the learner itself is fitted
_MOST_ROWS = 5_000  # of a learner that does not know how long it takes
_FOREST_ROWS = 8_000
_TREES = 100
_DRAWS = 300


def same_learner_seconds(fitting: Fitting, rows: int, columns: int) -> float | None:
    """Return about how long the learner itself takes for all shares; None where a forest takes its place."""
    if fitting.live:
        return None
    each = [fitting.job.recipe.make().seconds(max(int(rows * share), 1), columns) for share in SHARES]
    known = [one for one in each if one is not None]
    if len(known) < len(each):
        return 0.0 if rows <= _MOST_ROWS else None
    return sum(known) if sum(known) <= _QUICK else None


def learning_curve(fitting: Fitting, tested: TestedRows, tasks: Sequence[int]) -> LearningCurve | None:
    """Fit nested shares of the training molecules, and score each on the same tested molecules.

    The learner itself is fitted where that takes seconds, else a forest on structures.

    Parameters
    ----------
    fitting
        The fit that was scored; of a cross-validation its first round.
    tested
        The rows that it was tested on.
    tasks
        Places of the tasks to be scored.

    Returns
    -------
    LearningCurve or None
        None where there are too few molecules to take a part of.
    """
    train, valid = fitting.folds == "train", fitting.folds == "valid"
    here = np.flatnonzero(tested.part == 0)
    chosen = _nested(fitting, train)
    if len(chosen) < 2 or not len(here):
        return None
    labels = fitting.table.labels
    columns = len(fitting.encoding.columns)
    same = same_learner_seconds(fitting, int(train.sum()), columns) is not None
    learning = replace(fitting.learning(train, valid), step=lambda *_: None, say=lambda _: None, live=None)
    rows = tested.rows[here]
    if same:
        blocks, encoding, places = fitting.blocks, fitting.encoding, list(tasks)
    else:
        blocks = _structure_blocks(fitting)
        learning, encoding = _of_some(learning, fitting.encoding, tasks)
        places = list(range(len(tasks)))
    answers = []
    for share in chosen[:-1] if same else chosen:
        learner = ByKind(fitting.job.recipe.make if same else _forest, encoding.kinds)
        learner.fit(blocks, replace(learning, train=share & learning.train))
        asked = {name: block[rows] for name, block in blocks.items()}
        answers.append(of_tasks(encoding.decode(learner.predict(asked)), encoding))
    if same:
        answers.append(of_tasks(tested.columns[here], fitting.encoding))
    groups = molecule_groups([fitting.store.smiles[row] for row in rows])
    curves = []
    for task, place in zip(tasks, places, strict=True):
        observed = labels.matrix[:, task].copy()
        if labels.bounds is not None:
            observed[labels.bounds[:, task] != 0] = np.nan
        counts = [int((share & ~np.isnan(labels.matrix[:, task])).sum()) for share in chosen]
        of_task = [np.asarray(each[place]) for each in answers]
        curves.append(_curve(labels.tasks[task], observed[rows], counts, of_task, groups=groups))
    kept = [curve for curve in curves if sum(point.score is not None for point in curve.points) > 1]
    name = fitting.job.recipe.name if same else "forest"
    return LearningCurve(learner=name, same=same, curves=kept) if kept else None


def _forest() -> Forest:
    return Forest(trees=_TREES)


def _nested(fitting: Fitting, train: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return which rows each share holds, the smallest first and all of them last; repeats stay together."""
    rows = np.flatnonzero(train)
    groups = molecule_groups([fitting.store.smiles[row] for row in rows])
    names = np.unique(groups)
    order = np.random.default_rng(fitting.job.config.seed).permutation(names)
    most = min(len(order), _FOREST_ROWS)
    sizes = [int(most * share) for share in SHARES]
    shares = []
    for size in [size for size in sizes if size >= _FEWEST] + [most]:
        share = np.zeros(len(train), dtype=bool)
        share[rows[np.isin(groups, order[:size])]] = True
        shares.append(share)
    return shares


def _structure_blocks(fitting: Fitting) -> dict[str, Matrix]:
    """Return the features that a forest reads."""
    wanted = Forest().blocks
    if all(name in fitting.blocks for name in wanted):
        return fitting.blocks
    job = fitting.job
    features = MoleculeFeatures.build(wanted, None, reading=job.config.reading)
    return features.raw(features.store(fitting.store.smiles, workers=job.workers, cache=job.cache))


def _of_some(learning: Learning, encoding: Encoding, tasks: Sequence[int]) -> tuple[Learning, Encoding]:
    """Return what is learnt of some of the tasks."""
    places = encoding.places()
    columns = np.concatenate([np.arange(places[task].start, places[task].stop) for task in tasks])
    some = Encoding(
        tuple(encoding.tasks[task] for task in tasks), encoding.center[columns], encoding.scale[columns]
    )
    return learning.of_columns(columns, learning.kind, learning.metric), some


def _curve(
    task: Task,
    labels: NDArray[np.float64],
    counts: Sequence[int],
    answers: Sequence[NDArray[np.float64]],
    *,
    groups: NDArray[np.int64],
) -> Curve:
    """Score the answers of every share on the same molecules, whose labels these are."""
    metric = MAIN_METRIC[task.kind]
    known = ~np.isnan(labels)
    for answer in answers:
        known &= ~np.isnan(answer if answer.ndim == 1 else answer.sum(axis=1))
    observed, who = labels[known], groups[known]
    points, gain = [], Estimate(float("nan"), float("nan"), float("nan"))
    enough = len(observed) >= _FEW and len(np.unique(observed)) > 1
    for count, answer in zip(counts, answers, strict=True):
        score = gain
        if enough:
            score = bootstrap_score(observed, answer[known], metric, groups=who, draws=_DRAWS)
        points.append(Point(molecules=count, score=score.value, low=score.low, high=score.high))
    if enough:
        last, before = answers[-1][known], answers[-2][known]
        gain = bootstrap_difference(observed, last, before, metric, groups=who, draws=_DRAWS)
    return Curve(
        task=task.name,
        metric=metric,
        points=points,
        gain=gain.value,
        gain_low=gain.low,
        gain_high=gain.high,
    )
