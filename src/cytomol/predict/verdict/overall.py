"""The verdict over all tasks of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.digits import shown
from cytomol.assays.metrics import Metric, metrics
from cytomol.predict.verdict.bootstrap import Estimate, estimate
from cytomol.predict.verdict.printout import lines_of
from cytomol.predict.verdict.sentence import called
from cytomol.predict.verdict.task import CLASS_SPREAD, CONSTANT, MODEL, TaskVerdict, Word

__all__ = ["Verdict", "gain_of", "summarise"]

_WORDS: tuple[Word, ...] = ("useful", "weak", "unusable", "unknown")
_NAMED = 5
Samples = Mapping[tuple[str, str], NDArray[np.float64]]


@dataclass(frozen=True)
class Verdict:
    """What a model's predictions are worth, task by task and over all.

    Attributes
    ----------
    tasks
        The verdict on each task.
    word
        Of one task its own. Of several "useful" or "unusable" where at least half of the tasks that can be
        judged are, "unknown" where none can be, else "weak".
    sentence
        The same for a reader.
    gain
        By model: the share of the constant's error that it removes, 0 for the constant and 1 for perfect
        predictions, averaged over the tasks that can be judged; comparable over tasks of any unit and kind.
    gain_over
        By baseline: how much larger the model's gain is.
    means
        By metric without a unit, and model: the mean of the score over the tasks that it counts in.
    """

    tasks: tuple[TaskVerdict, ...]
    word: Word
    sentence: str
    gain: Mapping[str, Estimate]
    gain_over: Mapping[str, Estimate]
    means: Mapping[str, Mapping[str, Estimate]]

    def __getitem__(self, name: str) -> TaskVerdict:
        """Return the verdict on a task."""
        return next(task for task in self.tasks if task.name == name)

    def counts(self) -> dict[Word, int]:
        """Return how many tasks have each word."""
        found = Counter(task.word for task in self.tasks)
        return {word: found[word] for word in _WORDS}

    def to_dict(self) -> dict[str, Any]:
        """Return everything, JSON-serialisable; None where undefined."""
        return {
            "word": self.word,
            "sentence": self.sentence,
            "counts": self.counts(),
            "gain": _plain(self.gain),
            "gain_over": _plain(self.gain_over),
            "means": {metric: _plain(scores) for metric, scores in self.means.items()},
            "tasks": {task.name: task.to_dict() for task in self.tasks},
        }

    def lines(self) -> list[str]:
        """Return the verdict for a terminal: a table of scores, and what they say."""
        return lines_of(self.tasks, self.sentence)


def gain_of(metric: Metric, score: Any, constant: Any, *, best: float | None = None) -> NDArray[np.float64]:
    """Return the share of the way from a constant's score (0) to the best (1); NaN where there is no way.

    Parameters
    ----------
    metric
        What was scored.
    score, constant
        Scores of a model and of the constant, any shape.
    best
        The best score that is possible; None for that of perfect predictions.
    """
    sign = 1.0 if metric.higher_is_better else -1.0
    way = np.asarray((1.0 if metric.higher_is_better else 0.0) if best is None else best) - constant
    done = np.asarray(score - constant, dtype=np.float64)
    share: NDArray[np.float64] = np.divide(done, way, out=np.full(done.shape, np.nan), where=sign * way > 0)
    return share


def summarise(tasks: Sequence[TaskVerdict], samples: Sequence[Samples]) -> Verdict:
    """Put the verdicts on single tasks together.

    Parameters
    ----------
    tasks
        Of each task its verdict.
    samples
        Of each task the scores of its resamples, by model and metric; the resamples are the same for all.
    """
    judged = [(task, own) for task, own in zip(tasks, samples, strict=True) if task.word != "unknown"]
    gain, gain_over = _gains(judged)
    verdict = Verdict(tuple(tasks), "unknown", "", gain, gain_over, _means(judged))
    word, sentence = _word_of(verdict)
    return Verdict(verdict.tasks, word, sentence, gain, gain_over, verdict.means)


def _gains(judged: Sequence[tuple[TaskVerdict, Samples]]) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Return the mean gain of every model that all tasks have, and what the model's is larger by."""
    points: dict[str, list[float]] = {}
    drawn: dict[str, list[NDArray[np.float64]]] = {}
    for task, own in judged:
        metric = metrics[task.metric]
        for name, scores in task.scores.items():
            constant = task.scores[CONSTANT][metric.name].value
            points.setdefault(name, []).append(float(gain_of(metric, scores[metric.name].value, constant)))
            drawn.setdefault(name, []).append(
                gain_of(metric, own[name, metric.name], own[CONSTANT, metric.name])
            )
    whole = [name for name, found in points.items() if len(found) == len(judged)]
    point = {name: _mean(np.array(points[name])) for name in whole}
    sampled = {name: _mean(np.array(drawn[name])) for name in whole}
    gain = {name: estimate(float(point[name]), sampled[name]) for name in whole}
    over = {
        name: estimate(float(point[MODEL] - point[name]), sampled[MODEL] - sampled[name])
        for name in whole
        if name != MODEL
    }
    return gain, over


def _means(judged: Sequence[tuple[TaskVerdict, Samples]]) -> dict[str, dict[str, Estimate]]:
    """Return the mean scores over tasks of one metric, of the models that all these tasks have."""
    result: dict[str, dict[str, Estimate]] = {}
    for name in sorted({task.metric for task, _ in judged if not metrics[task.metric].in_unit}):
        own = [(task, drawn) for task, drawn in judged if task.metric == name]
        models = [model for model in own[0][0].scores if all(model in task.scores for task, _ in own)]
        result[name] = {
            model: estimate(
                float(_mean(np.array([task.scores[model][name].value for task, _ in own]))),
                _mean(np.array([drawn[model, name] for _, drawn in own])),
            )
            for model in models
        }
    return result


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over tasks of the known values, NaN where there is none."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
    return mean


def _word_of(verdict: Verdict) -> tuple[Word, str]:
    if len(verdict.tasks) == 1:
        return verdict.tasks[0].word, verdict.tasks[0].sentence
    counts = verdict.counts()
    judged = len(verdict.tasks) - counts["unknown"]
    word: Word = "weak"
    if not judged:
        word = "unknown"
    elif 2 * counts["useful"] >= judged:
        word = "useful"
    elif 2 * counts["unusable"] >= judged:
        word = "unusable"
    parts = [
        f"{name} on {counts[name]} of {len(verdict.tasks)} tasks{_named(verdict, name)}"
        for name in _WORDS
        if counts[name]
    ]
    return word, "; ".join([*parts, *_on_the_mean(verdict)])


def _named(verdict: Verdict, word: Word) -> str:
    """Name the tasks that are not useful, where they are few."""
    names = [task.name for task in verdict.tasks if task.word == word]
    return f" ({', '.join(names)})" if word != "useful" and len(names) <= _NAMED else ""


def _on_the_mean(verdict: Verdict) -> list[str]:
    """Set the model beside its best baseline over all tasks together."""
    others = [name for name in verdict.gain_over if name != CONSTANT]
    if not others:
        return []
    rival = max(others, key=lambda name: verdict.gain[name].value)
    ours, theirs = verdict.gain[MODEL], verdict.gain[rival]
    by = verdict.gain_over[rival]
    low, high = (shown(bound, CLASS_SPREAD) for bound in (by.low, by.high))
    shares = f"{shown(ours.value, CLASS_SPREAD)} of the constant's error removed"
    return [
        f"{shares}, by {called(rival, '')} {shown(theirs.value, CLASS_SPREAD)} (difference {low} to {high})"
    ]


def _plain(estimates: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: found.to_dict() for name, found in estimates.items()}
