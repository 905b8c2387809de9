"""Cross-validation: every molecule is tested by a fit that has not seen it, once or several times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Labels
from cytomol.assays.molecules import molecule_groups
from cytomol.assays.splits import kfold, rotation
from cytomol.chem.store import MoleculeStore
from cytomol.predict.baselines import of_tasks
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.crossfit import HeldOutAnswers
from cytomol.predict.fitting import Fitting, Listener
from cytomol.predict.predictor import Predictor
from cytomol.predict.recipe import Recipe
from cytomol.predict.stages import Stages
from cytomol.predict.verdict.judge import judge
from cytomol.predict.verdict.overall import Verdict

__all__ = ["Validated", "cross_validate"]


@dataclass(frozen=True)
class Validated:
    """What cross-validation found.

    Attributes
    ----------
    first
        The fitting of the first round; its held-out answers are those of the whole first division.
    evaluated
        The predictor of the first round.
    scores
        Mean and standard deviation over the rounds, and each round.
    verdict
        On the answers of the first division, in which every molecule is tested once.
    tested
        Fold in which each row was tested in the first division, shape (n,).
    """

    first: Fitting
    evaluated: Predictor
    scores: dict[str, Any]
    verdict: Verdict | None
    tested: NDArray[np.int64]


def cross_validate(  # noqa: PLR0917 - what a fitting is made of
    recipe: Recipe,
    store: MoleculeStore,
    labels: Labels,
    config: FinetuneConfig,
    listener: Listener,
    stages: Stages,
    *,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = None,
    dates: NDArray[np.datetime64] | None = None,
) -> Validated:
    """Fit to all folds but one or two, and test on the one that is left, until each was tested.

    Parameters
    ----------
    recipe, config, listener, stages, workers, cache
        See :class:`Fitting`; ``config.folds`` and ``config.repeats`` say how often.
    store, labels
        Valid molecules and their labels.
    dates
        Date of each row, for a split by time.
    """
    molecules = molecule_groups(store.smiles)
    divisions = kfold(
        store.smiles,
        config.split_type,
        folds=config.folds,
        repeats=config.repeats,
        seed=config.split_seed,
        groups=molecules,
        dates=dates,
    )
    plain = config.updated(calibration_folds=0)
    blocks = recipe.features.raw(store)
    rounds: list[tuple[Fitting, Predictor]] = []
    found, beside = [], []
    total = config.folds * config.repeats
    for repeat, tested in enumerate(divisions):
        for fold in range(config.folds):
            done = repeat * config.folds + fold
            listener.step(done, total, f"round {done + 1} of {total}")
            quiet = replace(listener, step=lambda *_: None)
            own = stages.within(f"round-{done}")
            folds = rotation(tested, fold)
            fitting = Fitting(recipe, store, labels, folds, plain, quiet, own, workers, cache, blocks)
            evaluated = fitting.evaluate()
            found.append(fitting.scores(evaluated)["test"])
            if repeat == 0:
                rounds.append((fitting, evaluated))
                beside.append(fitting.beside(np.flatnonzero(folds == "test")) if config.baselines else {})
    listener.step(total, total, "all rounds")
    first, evaluated = rounds[0]
    first.held = _pooled([fitting for fitting, _ in rounds], divisions[0])
    first.config, first.calibrated = config, f"on the {config.folds} folds of the first division"
    scores = {
        **{
            key: value
            for key, value in first.scores(evaluated).items()
            if key not in {"valid", "test", "train"}
        },
        "validation": f"{config.folds} folds by {config.split_type}, {config.repeats} time(s)",
        "test": _mean_of(found),
        "rounds": found,
    }
    verdict = None
    if config.baselines:
        verdict = _verdict(first, labels, divisions[0], beside, molecules)
    return Validated(first, evaluated, scores, verdict, divisions[0])


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
    labels: Labels,
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
    return judge(labels.take(order), predicted, groups=molecules[order], seed=first.config.seed)


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
