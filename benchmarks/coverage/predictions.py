"""Predictions of a cheap learner: cross-fitted by scaffold, of the valid fold, and of the test fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.fingerprints import morgan_counts
from cytomol.chem.parse import parse_smiles
from cytomol.chem.similarity import tanimoto_top_k
from cytomol.evaluate.sets import load_set
from cytomol.predict.crossfit import scaffold_groups
from cytomol.predict.uncertainty import domain_fingerprints
from cytomol.predict.uncertainty.held_folds import folds_of

LEARNERS = ("forest", "extra-trees")
MEMBERS, TREES = 5, 20
FEWEST_OF_A_CLASS = 20

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """Held-out rows and what was predicted of them; the fields are arguments of ``Uncertainty.fit``.

    Attributes
    ----------
    members, labels
        Shapes (members, n, tasks), (n, tasks).
    fingerprints
        Of the molecules that the model was fitted on.
    similarity, groups
        To the nearest of them, and number of the scaffold, shape (n,).
    """

    members: Matrix
    labels: Matrix
    fingerprints: NDArray[np.uint8]
    similarity: NDArray[np.float64]
    groups: NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """Test rows as a model answered them.

    Attributes
    ----------
    members, labels
        Shapes (members, n, tasks), (n, tasks).
    fingerprints
        Of the test molecules, shape (n, 256).
    """

    members: Matrix
    labels: Matrix
    fingerprints: NDArray[np.uint8]


@dataclass(frozen=True)
class Predictions:
    """All that the ways to state uncertainty are compared on, of one set and learner.

    Attributes
    ----------
    kind
        "classification" or "regression".
    spread
        Standard deviation of each task's training labels, shape (tasks,).
    valid, valid_test
        The valid fold and the test fold by a model of the train fold.
    crossed, crossed_test
        Train and valid fold by models of four fifths of their scaffolds, the test fold by one of both folds.
    """

    kind: str
    spread: NDArray[np.float64]
    valid: Held
    valid_test: Answers
    crossed: Held
    crossed_test: Answers


@dataclass(frozen=True)
class _Rows:
    features: NDArray[np.float32]
    bits: NDArray[np.uint8]
    labels: Matrix

    def of(self, rows: NDArray[np.bool_]) -> _Rows:
        return _Rows(self.features[rows], np.ascontiguousarray(self.bits[rows]), self.labels[rows])


def predictions(name: str, learner: str, *, molecules: int, tests: int, tasks: int) -> Predictions:
    """Fit and predict, drawing so many molecules (train and valid), test molecules and tasks."""
    data = load_set(name)
    kind, rng = data.labels.kind, np.random.default_rng(0)
    parsed = np.array([parse_smiles(text).mol is not None for text in data.smiles])
    seen, test = (parsed & np.isin(data.folds, folds) for folds in (("train", "valid"), ("test",)))
    labels = data.labels.matrix[:, _tasks(data.labels.matrix[seen], kind, tasks, rng)]
    kept = [
        _draw(rows & ~np.isnan(labels).all(axis=1), size, rng)
        for rows, size in ((seen, molecules), (test, tests))
    ]
    smiles = [[data.smiles[row] for row in rows] for rows in kept]
    learnt, asked = (
        _Rows(_counts(texts), domain_fingerprints(texts, workers=1), labels[rows])
        for texts, rows in zip(smiles, kept, strict=True)
    )
    groups = scaffold_groups(smiles[0])
    valid = data.folds[kept[0]] == "valid"
    folds = folds_of(len(groups), groups)
    parts = [(folds != fold, folds == fold) for fold in np.unique(folds)]
    fit = _Fit(kind, learner)
    return Predictions(
        kind,
        np.nanstd(learnt.labels, axis=0),
        fit.held(learnt, groups, [(~valid, valid)], learnt.bits[~valid]),
        Answers(fit(learnt.of(~valid), asked.features), asked.labels, asked.bits),
        fit.held(learnt, groups, parts, learnt.bits),
        Answers(fit(learnt, asked.features), asked.labels, asked.bits),
    )


def _tasks(labels: Matrix, kind: str, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw tasks that have enough of either class."""
    rarer = np.minimum((labels == 0).sum(axis=0), (labels == 1).sum(axis=0))
    good = (
        np.flatnonzero(rarer >= FEWEST_OF_A_CLASS) if kind == "classification" else np.arange(labels.shape[1])
    )
    return np.sort(rng.permutation(good)[:most])


def _draw(rows: NDArray[np.bool_], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.permutation(np.flatnonzero(rows))[:most])


def _counts(smiles: list[str]) -> NDArray[np.float32]:
    return np.array([morgan_counts(parse_smiles(text).mol, 2, 2048) for text in smiles], dtype=np.float32)


@dataclass(frozen=True)
class _Fit:
    kind: str
    learner: str

    def __call__(self, learnt: _Rows, features: NDArray[np.float32]) -> Matrix:
        """Return what every member answers, shape (members, n, tasks)."""
        tasks = learnt.labels.shape[1]
        result = np.empty((MEMBERS, len(features), tasks))
        for task in range(tasks):
            known = ~np.isnan(learnt.labels[:, task])
            x, y = learnt.features[known], learnt.labels[known, task]
            for member in range(MEMBERS):
                result[member, :, task] = self._one(x, y, features, member)
        return result

    def held(
        self,
        learnt: _Rows,
        groups: NDArray[np.int64],
        parts: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
        known: NDArray[np.uint8],
    ) -> Held:
        """Predict the second rows of every part by a model of the first."""
        members = np.full((MEMBERS, *learnt.labels.shape), np.nan)
        similarity = np.full(len(groups), np.nan)
        for rest, out in parts:
            members[:, out] = self(learnt.of(rest), learnt.features[out])
            own = learnt.of(out).bits
            similarity[out] = tanimoto_top_k(learnt.of(rest).bits, 1, queries=own)[1][:, 0]
        rows = ~np.isnan(similarity)
        return Held(members[:, rows], learnt.labels[rows], known, similarity[rows], groups[rows])

    def _one(self, x: NDArray[np.float32], y: Matrix, asked: NDArray[np.float32], seed: int) -> Matrix:
        import sklearn.ensemble as trees

        if self.kind == "regression":
            make = trees.RandomForestRegressor if self.learner == "forest" else trees.ExtraTreesRegressor
            return make(TREES, max_features=0.1, random_state=seed).fit(x, y).predict(asked)
        if y.min() == y.max():
            return np.full(len(asked), y[0])
        make = trees.RandomForestClassifier if self.learner == "forest" else trees.ExtraTreesClassifier
        return make(TREES, random_state=seed).fit(x, y).predict_proba(asked)[:, 1]
