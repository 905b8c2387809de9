"""One fine-tuning: fitted to be scored, held out to be calibrated, fitted again to predict."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.encoding import Encoding
from cytomol.assays.folds import score_folds
from cytomol.assays.labels import Labels
from cytomol.assays.molecules import molecule_groups
from cytomol.assays.splits import FOLDS
from cytomol.chem.store import MoleculeStore
from cytomol.learners import Learning, Matrix
from cytomol.learners.mixed import ByKind
from cytomol.predict.baselines import baseline_predictions, of_tasks
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.crossfit import (
    HeldOutAnswers,
    calibration_folds,
    cross_fit,
    grouped_folds,
    nearest_similarity,
    scaffold_groups,
)
from cytomol.predict.features import LiveBackbone
from cytomol.predict.predictor import Predictor
from cytomol.predict.recipe import Recipe
from cytomol.predict.stages import Stages
from cytomol.predict.uncertainty import Uncertainty, domain_fingerprints
from cytomol.predict.verdict.judge import judge
from cytomol.predict.verdict.overall import Verdict

__all__ = ["Fitting", "Listener"]


@dataclass(frozen=True)
class Listener:
    """What is told while fine-tuning runs; every part may be left out.

    Attributes
    ----------
    say
        Called with a sentence that the user should read.
    molecules
        Called with (molecules done, molecules in all) while they are featurized.
    step
        Called with (steps done, steps in all, what was done) while learners are fitted.
    """

    say: Callable[[str], None] = lambda _: None
    molecules: Callable[[int, int], None] | None = None
    step: Callable[[int, int, str], None] = lambda _done, _total, _what: None


@dataclass
class Fitting:
    """The molecules, labels and folds of one fine-tuning, and what is made of them.

    Attributes
    ----------
    recipe, config, listener, stages
        What is fitted, how, who is told, and where finished stages are kept.
    store, labels, folds
        Molecules that are in a fold, row by row.
    blocks
        Their features.
    encoding
        Columns of the tasks, in units of the training rows.
    workers, cache
        See :func:`cytomol.chem.featurize.featurize`.
    """

    recipe: Recipe
    store: MoleculeStore
    labels: Labels
    folds: NDArray[np.str_]
    config: FinetuneConfig
    listener: Listener
    stages: Stages
    workers: int | None = None
    cache: Path | Literal["default"] | None = None
    blocks: dict[str, Matrix] = field(init=False)
    encoding: Encoding = field(init=False)
    feature_seconds: float = field(init=False)
    fitted: ByKind | None = field(default=None, init=False)
    held: HeldOutAnswers | None = field(default=None, init=False)
    calibrated: str = field(default="", init=False)
    notes: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        began = time.perf_counter()
        self.blocks = self.recipe.features.raw(self.store)
        self.encoding = Encoding.fit(self.labels, self.folds == FOLDS[0])
        self.feature_seconds = time.perf_counter() - began

    @property
    def live(self) -> bool:
        """Whether fitting changes the backbone; then it is fitted once, and calibrated on the valid fold."""
        return self.recipe.name == "head" and self.config.changes_backbone

    def learning(self, train: NDArray[np.bool_], valid: NDArray[np.bool_]) -> Learning:
        """Return what a learner is told: the labels of these rows and of no others."""
        columns, bounds = self.encoding.encode(self.labels)
        measured = ~np.isnan(columns).all(axis=1)
        columns[~(train | valid)] = np.nan
        live = None
        if self.live and self.recipe.features.backbone is not None:
            live = LiveBackbone(self.recipe.features.backbone, self.store)
        return Learning(
            labels=columns,
            train=train & measured,
            valid=valid & measured,
            kind=self.labels.kind,
            metric=self.labels.metric,
            seed=self.config.seed,
            threads=self.config.threads,
            say=self.listener.say,
            step=self.listener.step,
            bounds=bounds,
            center=self.encoding.center,
            scale=self.encoding.scale,
            accelerator=self.config.accelerator,
            live=live,
        )

    def evaluate(self) -> Predictor:
        """Fit on the train fold, choose by the valid fold, and calibrate without the test fold."""
        train, valid = (self.folds == fold for fold in FOLDS[:2])
        learning = self.learning(train, valid)
        fitted: list[ByKind] = []

        def fit() -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
            learner = ByKind(self.recipe.make, self.encoding.kinds)
            learner.fit(self.blocks, learning)
            fitted.append(learner)
            tables, arrays = learner.state()
            return {"learner": tables, "notes": _notes(learner)}, arrays

        if self.live:
            table, arrays = fit()
            self.blocks = self.recipe.features.raw(self.store)  # the embedding is another now
        else:
            table, arrays = self.stages.state("evaluation", fit)
        learner = type(self.recipe.make())
        self.fitted = (
            fitted[0] if fitted else ByKind.restore(learner, self.encoding.kinds, table["learner"], arrays)
        )
        self.notes = table["notes"]
        predictor = self._predictor(self.fitted)
        self.held = self._held_out(predictor, learning)
        predictor.uncertainty = self._uncertainty(train, train | valid)
        return predictor

    def refit(self, evaluated: Predictor) -> Predictor:
        """Fit to every row with the choices of the one that was scored; all held-out answers calibrate it."""
        everything = np.ones(len(self.folds), dtype=bool)
        learning = self.learning(everything, np.zeros_like(everything))
        again: list[ByKind] = []

        def fit() -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
            again.append(evaluated.learner.refit(self.blocks, learning))
            return again[0].state()

        tables, arrays = self.stages.state("all-rows", fit)
        learner = type(self.recipe.make())
        fitted = again[0] if again else ByKind.restore(learner, self.encoding.kinds, tables, arrays)
        predictor = self._predictor(fitted)
        predictor.uncertainty = self._uncertainty(everything, everything)
        return predictor

    def _predictor(self, fitted: ByKind) -> Predictor:
        return Predictor(
            self.recipe.name,
            fitted,
            self.recipe.features,
            self.encoding,
            source=self.recipe.source,
            unfrozen=self.live,
            options=self.config.model_dump(mode="json"),
            details={"feature_seconds": round(self.feature_seconds, 3), **self.notes},
        )

    def _held_out(self, evaluated: Predictor, learning: Learning) -> HeldOutAnswers:
        """Return answers of learners that had not seen the rows which they answer, NaN where there is none.

        Train and valid rows are answered across scaffolds, or the valid rows alone by the one that is
        scored; test rows by the one that is scored.
        """
        bits = self.fingerprints
        answers = HeldOutAnswers(
            *evaluated.answer(self.blocks), nearest_similarity(bits[learning.train], bits)
        )
        measured = learning.train | learning.valid
        number = 0 if self.live else calibration_folds(self.config.calibration_folds, int(measured.sum()))
        if number:
            folds = np.full(len(measured), -1)
            folds[measured] = grouped_folds(self.scaffolds[measured], number)
            found = cross_fit(evaluated, self.blocks, learning, folds, bits, stages=self.stages)
            answers.put(measured, found)
            self.calibrated = f"across {number} folds of scaffolds"
        else:
            answers.predicted[learning.train] = np.nan
            own, each = (self.encoding.decode(a) for a in evaluated.learner.held_out(self.blocks, learning))
            answers.put(learning.valid, HeldOutAnswers(own, each, answers.similarity[learning.valid]))
            self.calibrated = "on the valid fold"
        return answers

    @cached_property
    def fingerprints(self) -> NDArray[np.uint8]:
        """Packed bits of each row by which likeness is told, uint8, shape (n, 256)."""
        options = self.recipe.features.options
        return domain_fingerprints(self.store.smiles, options, workers=self.workers, cache=self.cache)

    @cached_property
    def scaffolds(self) -> NDArray[np.int64]:
        """Number of the scaffold of each row, shape (n,)."""
        return scaffold_groups(self.store.smiles)

    def _uncertainty(self, learnt_from: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> Uncertainty | None:
        """Fit the uncertainty of a predictor that has learnt from these rows, by answers to held-out rows."""
        assert self.held is not None
        columns, bounds = self.encoding.encode(self.labels)
        known = ~np.isnan(self.held.predicted) & ~np.isnan(columns)
        rows = np.flatnonzero(held_out & known.any(axis=1))
        if not rows.size:
            return None
        return Uncertainty.fit(
            self.held.predicted[rows],
            self.held.members[:, rows],
            self.encoding.decode(columns[rows]),
            self.encoding.kinds.tolist(),
            train_fingerprints=self.fingerprints[learnt_from],
            similarity=self.held.similarity[rows],
            groups=self.scaffolds[rows],
            censored=None if bounds is None else bounds[rows] != 0,
            seed=self.config.seed,
        )

    def scores(self, evaluated: Predictor) -> dict[str, Any]:
        """Score the valid and test rows."""
        rows = np.flatnonzero(np.isin(self.folds, FOLDS[1:]))
        columns, _ = evaluated.answer(
            {name: block[rows] for name, block in self.blocks.items()}, members=False
        )
        return {
            "learner": self.recipe.name,
            "metric": self.labels.metric,
            "task_type": self.labels.kind,
            "calibration": self.calibrated,
            "train": {"rows": int((self.folds == FOLDS[0]).sum())},
            **score_folds(self.labels.take(rows), columns, self.encoding, self.folds[rows]),
        }

    def verdict(self, evaluated: Predictor) -> Verdict | None:
        """Say what the predictor is worth on the test rows (or valid rows, where no test row has a label)."""
        measured = ~np.isnan(self.labels.matrix).all(axis=1)
        rows = next(
            (r for fold in FOLDS[:0:-1] if (r := np.flatnonzero((self.folds == fold) & measured)).size), None
        )
        if rows is None:
            return None
        learning = replace(
            self.learning(*(self.folds == fold for fold in FOLDS[:2])), step=lambda *_: None, live=None
        )
        columns, _ = evaluated.answer(
            {name: block[rows] for name, block in self.blocks.items()}, members=False
        )
        beside = baseline_predictions(
            self.store.smiles,
            self.labels,
            self.encoding,
            learning,
            rows,
            reading=self.config.reading,
            workers=self.workers,
            cache=self.cache,
        )
        molecules = molecule_groups([self.store.smiles[row] for row in rows])
        predicted = {"model": of_tasks(columns, self.encoding), **beside}
        return judge(self.labels.take(rows), predicted, groups=molecules, seed=self.config.seed)

    def history(self) -> str:
        """Return the course of the training of heads as CSV; its header alone for other learners."""
        lines = [
            f"{kind},{number},{epoch},{loss:.6g},{score:.6g}\n"
            for kind, part in ([] if self.fitted is None else self.fitted.parts.items())
            for number, fit in enumerate(getattr(part, "fits", []))
            for epoch, (loss, score) in enumerate(fit.history, start=1)
        ]
        return "kind,head,epoch,loss,valid\n" + "".join(lines)


def _notes(learner: ByKind) -> dict[str, Any]:
    """Return what the learners say of themselves; what JSON has no word for is None."""
    notes = {kind: getattr(part, "details", {}) for kind, part in learner.parts.items()}
    return {kind: _plain(table) for kind, table in notes.items() if table}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
