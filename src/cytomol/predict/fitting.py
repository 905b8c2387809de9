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
from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits import FOLDS
from cytomol.chem.store import MoleculeStore
from cytomol.learners import Learning, Matrix
from cytomol.learners.mixed import ByKind
from cytomol.predict.assay_table import AssayTable
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
from cytomol.predict.cutoffs import cutoffs_of
from cytomol.predict.evidence import Evidence
from cytomol.predict.molecule_features import LiveBackbone
from cytomol.predict.predictor import Predictor
from cytomol.predict.recipe import Recipe
from cytomol.predict.sources_alone import sources_alone
from cytomol.predict.stages import Stages
from cytomol.predict.uncertainty import Uncertainty, domain_fingerprints
from cytomol.predict.verdict.judge import judge
from cytomol.predict.verdict.overall import Verdict

__all__ = ["Fitting", "Listener"]


@dataclass(frozen=True)
class Listener:
    """Hears what happens while fine-tuning runs; every part may be left out.

    Attributes
    ----------
    say
        Called with a sentence that the user should read.
    molecules
        Called with (molecules done, molecules in all) while they are featurized.
    step
        Called with (steps done, steps in all, what was done) while learners are fitted.
    plan
        Called with a sentence that says how much work is ahead.
    """

    say: Callable[[str], None] = lambda _: None
    molecules: Callable[[int, int], None] | None = None
    step: Callable[[int, int, str], None] = lambda _done, _total, _what: None
    plan: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class FittingJob:
    """What is fitted, how, who is told, and where finished stages are kept.

    Attributes
    ----------
    recipe, config, listener, stages
        Learner and features, options, who hears of it, and finished stages.
    workers, cache
        See :func:`cytomol.chem.featurize.featurize`.
    """

    recipe: Recipe
    config: FinetuneConfig
    listener: Listener
    stages: Stages
    workers: int | None = None
    cache: Path | Literal["default"] | None = None


@dataclass
class Fitting:
    """The molecules, labels and folds of one fine-tuning, and what is made of them.

    Attributes
    ----------
    job
        What is fitted, and how.
    table, store, folds
        Rows that are in a fold, their molecules, and the fold of each.
    blocks
        Features of the molecules; made if not given.
    encoding
        Columns of the tasks, in units of the training rows.
    """

    job: FittingJob
    table: AssayTable
    store: MoleculeStore
    folds: NDArray[np.str_]
    blocks: dict[str, Matrix] = field(default_factory=dict)
    encoding: Encoding = field(init=False)
    feature_seconds: float = field(init=False)
    fitted: ByKind | None = field(default=None, init=False)
    held: HeldOutAnswers | None = field(default=None, init=False)
    calibrated: str = field(default="", init=False)
    notes: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        began = time.perf_counter()
        self.blocks = self.blocks or self.job.recipe.features.raw(self.store)
        self.encoding = Encoding.fit(self.table.labels, self.folds == FOLDS[0])
        self.feature_seconds = time.perf_counter() - began

    @property
    def live(self) -> bool:
        """Whether fitting changes the backbone; then it is fitted once, and calibrated on the valid fold."""
        return self.job.recipe.name == "head" and self.job.config.changes_backbone

    def learning(self, train: NDArray[np.bool_], valid: NDArray[np.bool_]) -> Learning:
        """Return what a learner is told: the labels of these rows and of no others."""
        columns, bounds = self.encoding.encode(self.table.labels)
        measured = ~np.isnan(columns).all(axis=1)
        columns[~(train | valid)] = np.nan
        live = None
        if self.live and self.job.recipe.features.backbone is not None:
            live = LiveBackbone(self.job.recipe.features.backbone, self.store)
        return Learning(
            labels=columns,
            train=train & measured,
            valid=valid & measured,
            kind=self.table.labels.kind,
            metric=self.table.labels.metric,
            seed=self.job.config.seed,
            threads=self.job.config.threads,
            say=self.job.listener.say,
            step=self.job.listener.step,
            bounds=bounds,
            center=self.encoding.center,
            scale=self.encoding.scale,
            accelerator=self.job.config.accelerator,
            live=live,
        )

    def evaluate(self) -> Predictor:
        """Fit on the train fold, choose by the valid fold, and calibrate without the test fold."""
        train, valid = (self.folds == fold for fold in FOLDS[:2])
        learning = self.learning(train, valid)
        fitted: list[ByKind] = []

        def fit() -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
            learner = ByKind(self.job.recipe.make, self.encoding.kinds)
            learner.fit(self.blocks, learning)
            fitted.append(learner)
            tables, arrays = learner.state()
            return {"learner": tables, "notes": _notes(learner)}, arrays

        if self.live:
            table, arrays = fit()
            self.blocks = self.job.recipe.features.raw(self.store)  # the embedding is another now
        else:
            table, arrays = self.job.stages.state("evaluation", fit)
        learner = type(self.job.recipe.make())
        self.fitted = (
            fitted[0] if fitted else ByKind.restore(learner, self.encoding.kinds, table["learner"], arrays)
        )
        self.notes = table["notes"]
        predictor = self._predictor(self.fitted)
        self.held = self._held_out(predictor, learning)
        predictor.uncertainty = self._uncertainty(train, train | valid)
        predictor.evidence = self._evidence(train)
        predictor.cutoffs = self._cutoffs(train | valid)
        return predictor

    def refit(self, evaluated: Predictor) -> Predictor:
        """Fit to every row with the choices of the one that was scored; all held-out answers calibrate it."""
        everything = np.ones(len(self.folds), dtype=bool)
        learning = self.learning(everything, np.zeros_like(everything))
        again: list[ByKind] = []

        def fit() -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
            again.append(evaluated.learner.refit(self.blocks, learning))
            return again[0].state()

        tables, arrays = self.job.stages.state("all-rows", fit)
        learner = type(self.job.recipe.make())
        fitted = again[0] if again else ByKind.restore(learner, self.encoding.kinds, tables, arrays)
        predictor = self._predictor(fitted)
        predictor.uncertainty = self._uncertainty(everything, everything)
        predictor.evidence = self._evidence(everything)
        predictor.cutoffs = self._cutoffs(everything)
        return predictor

    def _predictor(self, fitted: ByKind) -> Predictor:
        return Predictor(
            self.job.recipe.name,
            fitted,
            self.job.recipe.features,
            self.encoding,
            source=self.job.recipe.source,
            unfrozen=self.live,
            options=self.job.config.model_dump(mode="json"),
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
        number = 0 if self.live else calibration_folds(self.job.config.calibration_folds, int(measured.sum()))
        if number:
            folds = np.full(len(measured), -1)
            folds[measured] = grouped_folds(self.scaffolds[measured], number)
            found = cross_fit(evaluated, self.blocks, learning, folds, bits, stages=self.job.stages)
            answers.put(measured, found)
            self.calibrated = f"across {number} folds of scaffolds"
        else:
            answers.predicted[learning.train] = np.nan
            predicted, members = (
                self.encoding.decode(a) for a in evaluated.learner.held_out(self.blocks, learning)
            )
            answers.put(
                learning.valid, HeldOutAnswers(predicted, members, answers.similarity[learning.valid])
            )
            self.calibrated = "on the valid fold"
        return answers

    @cached_property
    def fingerprints(self) -> NDArray[np.uint8]:
        """Packed bits of each row by which likeness is told, uint8, shape (n, 256)."""
        options = self.job.recipe.features.options
        return domain_fingerprints(self.store.smiles, options, workers=self.job.workers, cache=self.job.cache)

    @cached_property
    def scaffolds(self) -> NDArray[np.int64]:
        """Number of the scaffold of each row, shape (n,)."""
        return scaffold_groups(self.store.smiles)

    def _uncertainty(self, learnt_from: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> Uncertainty | None:
        """Fit the uncertainty of a predictor that has learnt from these rows, by answers to held-out rows."""
        assert self.held is not None
        columns, bounds = self.encoding.encode(self.table.labels)
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
            seed=self.job.config.seed,
        )

    def _cutoffs(self, held_out: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Choose, by held-out answers, the probability from which a class is said, shape (columns,)."""
        assert self.held is not None
        labels = self.encoding.encode(self.table.labels)[0]
        labels[~held_out] = np.nan
        return cutoffs_of(self.held.predicted, labels, self.encoding.kinds)

    def _evidence(self, learnt_from: NDArray[np.bool_]) -> Evidence | None:
        """Return the molecules that a predictor has learnt from, with their measured values."""
        bits = self.fingerprints[learnt_from]
        if not self.job.config.evidence or not bits.any():
            return None
        rows = np.flatnonzero(learnt_from)
        labels = self.table.labels.take(rows)
        return Evidence.fit(
            [self.store.smiles[row] for row in rows],
            labels.matrix,
            bits,
            ids=[self.table.names[row] for row in rows],
            bounds=labels.bounds,
        )

    def scores(self, evaluated: Predictor) -> dict[str, Any]:
        """Score the valid and test rows."""
        rows = np.flatnonzero(np.isin(self.folds, FOLDS[1:]))
        columns, _ = evaluated.answer(
            {name: block[rows] for name, block in self.blocks.items()}, members=False
        )
        return {
            "learner": self.job.recipe.name,
            "metric": self.table.labels.metric,
            "task_type": self.table.labels.kind,
            "calibration": self.calibrated,
            "train": {"rows": int((self.folds == FOLDS[0]).sum())},
            **score_folds(self.table.labels.take(rows), columns, self.encoding, self.folds[rows]),
        }

    def judged_rows(self) -> tuple[str, NDArray[np.int64]]:
        """Return the fold that a verdict rests on, test or else valid, and its rows with a label."""
        measured = ~np.isnan(self.table.labels.matrix).all(axis=1)
        for fold in FOLDS[:0:-1]:
            rows = np.flatnonzero((self.folds == fold) & measured)
            if rows.size:
                return fold, rows
        return "", np.zeros(0, dtype=np.int64)

    def verdict(self, evaluated: Predictor) -> Verdict | None:
        """Say what the predictor is worth on the test rows (or valid rows, where no test row has a label)."""
        _, rows = self.judged_rows()
        if not rows.size:
            return None
        blocks = {name: block[rows] for name, block in self.blocks.items()}
        columns, _ = evaluated.answer(blocks, members=False)
        molecules = molecule_groups([self.store.smiles[row] for row in rows])
        predicted = {"model": of_tasks(columns, self.encoding), **self.beside(rows)}
        return judge(
            self.table.labels.take(rows),
            predicted,
            groups=molecules,
            ceiling=self.table.ceiling,
            seed=self.job.config.seed,
        )

    def beside(self, rows: NDArray[np.int64]) -> dict[str, list[NDArray[np.float64]]]:
        """Predict rows by a constant, the nearest neighbours and a forest, fitted to the train fold.

        With measured profiles, by structure, profiles and their norm alone too.
        """
        train, valid = (self.folds == fold for fold in FOLDS[:2])
        assert self.fitted is not None, "nothing is fitted"
        return sources_alone(self.fitted, self.blocks, rows, self.encoding) | baseline_predictions(
            self.store.smiles,
            self.table.labels,
            self.encoding,
            replace(self.learning(train, valid), step=lambda *_: None, live=None),
            rows,
            reading=self.job.config.reading,
            workers=self.job.workers,
            cache=self.job.cache,
        )

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
