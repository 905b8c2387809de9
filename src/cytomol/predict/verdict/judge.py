"""Judge predictions: set them beside what costs nothing, and say in one sentence what they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Labels, Task
from cytomol.assays.metrics import MAIN_METRIC, Metric, metrics, metrics_of
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.predict.verdict.bootstrap import DRAWS, Estimate, estimate, sampled_scores
from cytomol.predict.verdict.overall import Verdict, gain_of, summarise
from cytomol.predict.verdict.scorable import Scorable, choose_rows
from cytomol.predict.verdict.sentence import Compared, called, notes_of, sentence_of, too_few
from cytomol.predict.verdict.task import CLASS_SPREAD, CONSTANT, MODEL, TaskVerdict, Word

__all__ = ["judge", "judge_task"]

_SHARED_DRAWS = 40_000  # by all tasks: 20 tasks have 2,000 each, a thousand tasks 200
_FEWEST_DRAWS = 200

Samples = Mapping[tuple[str, str], NDArray[np.float64]]


def judge(
    labels: Labels,
    predicted: Mapping[str, NDArray[np.float64] | Sequence[NDArray[np.float64]]],
    *,
    groups: NDArray[Any] | None = None,
    ceiling: Mapping[str, float] | None = None,
    draws: int | None = None,
    seed: int = 0,
) -> Verdict:
    """Say what predictions of held-out molecules are worth, task by task and over all.

    Parameters
    ----------
    labels
        What was measured of the molecules; bounds ("<0.5") are left out and counted.
    predicted
        Predictions of the same rows by the model, under "model", and by what costs nothing, under "constant",
        "neighbours", "forest" or another name: P(class 1) or values, shape (n, tasks); or one array for each
        task, which for a multi-class task has the shape (n, classes). Without "constant" the median, or the
        shares of the classes, of these very labels stand in.
    groups
        Which rows are the same molecule (equal entries), shape (n,); they are drawn together.
    ceiling
        By task: the score that the assay's own noise allows at best.
    draws
        Resamples for the intervals; None takes 2,000, fewer with more than 20 tasks.
    seed
        Seed of the resamples.

    Raises
    ------
    InputError
        If there is no model among the predictions, or shapes do not agree.
    """
    n = len(labels.matrix)
    if draws is None:
        draws = min(DRAWS, max(_FEWEST_DRAWS, _SHARED_DRAWS // max(len(labels.tasks), 1)))
    chosen = [
        choose_rows(
            task,
            labels.matrix[:, place],
            {name: _of_task(arrays, place, name, labels) for name, arrays in predicted.items()},
            bounds=None if labels.bounds is None else labels.bounds[:, place],
            groups=groups,
        )
        for place, task in enumerate(labels.tasks)
    ]
    measured = [each.to_sample for each in chosen]
    samples = sampled_scores(measured, n, groups=groups, draws=draws, seed=seed)
    tasks = tuple(
        _judged(scorable, samples_of_task, (ceiling or {}).get(scorable.task.name))
        for scorable, samples_of_task in zip(chosen, samples, strict=True)
    )
    return summarise(tasks, samples)


def judge_task(
    task: Task,
    observed: NDArray[np.float64],
    predicted: Mapping[str, NDArray[np.float64]],
    *,
    bounds: NDArray[np.int8] | None = None,
    groups: NDArray[Any] | None = None,
    ceiling: float | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> TaskVerdict:
    """Say what the predictions of one task are worth.

    Parameters
    ----------
    task
        What was measured.
    observed
        Labels, NaN where not measured, shape (n,).
    predicted
        As for :func:`judge`, by name, each of shape (n,), or (n, classes) for a multi-class task.
    bounds
        Not 0 where the label is a bound, shape (n,).
    groups, ceiling, draws, seed
        See :func:`judge`.
    """
    chosen = choose_rows(task, observed, predicted, bounds=bounds, groups=groups)
    samples = sampled_scores([chosen.to_sample], len(observed), groups=groups, draws=draws, seed=seed)[0]
    return _judged(chosen, samples, ceiling)


def _of_task(
    arrays: NDArray[np.float64] | Sequence[NDArray[np.float64]], place: int, name: str, labels: Labels
) -> NDArray[np.float64]:
    if isinstance(arrays, np.ndarray):
        if arrays.shape != labels.matrix.shape:
            raise InputError(
                f"predictions of {name!r} have shape {arrays.shape}, labels {labels.matrix.shape}",
                where=labels.where,
            )
        return np.asarray(arrays[:, place], dtype=np.float64)
    if len(arrays) != len(labels.tasks):
        raise InputError(
            f"predictions of {name!r} are of {counted(len(arrays), 'task', comma=False)}, labels of "
            f"{len(labels.tasks)}",
            where=labels.where,
        )
    return np.asarray(arrays[place], dtype=np.float64)


def _judged(chosen: Scorable, samples: Samples, ceiling: float | None) -> TaskVerdict:
    """Score the model and its baselines, and put the comparison into words."""
    task, main = chosen.task, metrics[MAIN_METRIC[chosen.task.kind]]
    scores = {name: _scores(chosen, name, samples) for name in chosen.predicted}
    points = {name: found[main.name] for name, found in scores.items()}
    better_by = (
        {name: _better_by(chosen, main, points, samples, name) for name in points if name != MODEL}
        if samples
        else {}
    )
    spread = float(np.std(chosen.observed)) if chosen.rows.size else float("nan")
    molecules = len(np.unique(chosen.molecules))
    notes = tuple(f"{called(name, task.kind)} has no prediction for it" for name in chosen.silent)
    reason = _no_predictions(chosen) or too_few(task, chosen.observed, chosen.molecules)
    word: Word = "unknown"
    sentence = reason
    if not reason:
        gain = gain_of(main, points[MODEL].value, points[CONSTANT].value, best=ceiling)
        unit = spread if main.in_unit else CLASS_SPREAD
        chance = _no_better(main, samples)
        compared = Compared(task, main.name, molecules, points, better_by, float(gain), unit, chance)
        word, sentence = sentence_of(compared)
        notes += notes_of(compared, word, brier=_brier(scores), ceiling=ceiling)
    return TaskVerdict(
        name=task.name,
        kind=task.kind,
        metric=main.name,
        word=word,
        sentence=sentence,
        labels=len(chosen.observed),
        molecules=molecules,
        censored=chosen.censored,
        unpredicted=chosen.unpredicted,
        spread=spread,
        scores=scores,
        better_by=better_by,
        ceiling=ceiling,
        notes=notes,
    )


def _scores(chosen: Scorable, name: str, samples: Samples) -> dict[str, Estimate]:
    """Return all scores of one model; the interval where it was sampled."""
    unknown = np.full(1, np.nan)
    return {
        metric.name: estimate(
            metric.function(chosen.observed, chosen.predicted[name]),
            samples.get((name, metric.name), unknown),
            evidence=chosen.evidence,
        )
        for metric in metrics_of(chosen.task.kind)
    }


def _better_by(
    chosen: Scorable, metric: Metric, points: Mapping[str, Estimate], samples: Samples, name: str
) -> Estimate:
    """Return by how much the model is better than a baseline."""
    sign = 1.0 if metric.higher_is_better else -1.0
    drawn = samples[MODEL, metric.name] - samples[name, metric.name]
    value = sign * (points[MODEL].value - points[name].value)
    return estimate(value, sign * drawn, evidence=chosen.evidence)


def _no_better(metric: Metric, samples: Samples) -> float:
    """Return the share of the resamples in which the model is no better than the constant."""
    sign = 1.0 if metric.higher_is_better else -1.0
    drawn = sign * (samples[MODEL, metric.name] - samples[CONSTANT, metric.name])
    known = drawn[np.isfinite(drawn)]
    return float((known <= 0).mean()) if known.size else 1.0


def _no_predictions(chosen: Scorable) -> str:
    lost = not chosen.rows.size and chosen.unpredicted
    return f"no predictions for any of {counted(chosen.unpredicted, 'label', comma=False)}" if lost else ""


def _brier(scores: Mapping[str, Mapping[str, Estimate]]) -> tuple[float, float]:
    """Return the Brier scores of the model and of the constant; NaN where the task has none."""
    ours, constant = (scores[name].get("brier") for name in (MODEL, CONSTANT))
    return (float("nan"),) * 2 if ours is None or constant is None else (ours.value, constant.value)
