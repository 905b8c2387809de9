"""Classes and values side by side: each column is answered as by a learner of its kind alone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from cytomol.learners import Learning
from cytomol.learners.forest import Forest
from cytomol.learners.mixed import ByKind
from cytomol.learners.neighbours import Neighbours
from cytomol.learners.stack import Ensemble

RNG = np.random.default_rng(3)
N = 60
BLOCKS = {
    "counts": np.log1p(RNG.integers(0, 3, (N, 32))).astype(np.float32),
    "maccs": RNG.integers(0, 2, (N, 16)).astype(np.float32),
    "descriptors": RNG.normal(size=(N, 5)).astype(np.float32),
}
LABELS = np.column_stack(
    [BLOCKS["maccs"][:, 0], BLOCKS["descriptors"][:, 0], BLOCKS["maccs"][:, 1], BLOCKS["descriptors"][:, 1]]
).astype(float)
LABELS[::5, 1] = np.nan
LABELS[1::4, 2] = np.nan
LABELS[3] = [np.nan, 1.0, np.nan, np.nan]  # measured by one kind alone
KINDS = ["classification", "regression", "classification", "regression"]
FOLDS = np.arange(N) % 5
LEARNING = Learning(LABELS, FOLDS < 3, FOLDS == 3, "mixed", "")
MAKERS = {
    "forest": partial(Forest, trees=5),
    "neighbours": Neighbours,
    "stack": partial(Ensemble, ("counts", "maccs", "descriptors"), ("extra-trees", "kernel")),
}
EVERY = pytest.mark.parametrize("name", MAKERS)


def alone(name: str, kind: str) -> np.ndarray:
    columns = np.flatnonzero(np.array(KINDS) == kind)
    metric = "mae" if kind == "regression" else "roc_auc"
    measured = ~np.isnan(LABELS[:, columns]).all(axis=1)
    learning = replace(
        LEARNING, labels=LABELS[:, columns], kind=kind, metric=metric, train=(FOLDS < 3) & measured,
        valid=(FOLDS == 3) & measured,
    )  # fmt: skip
    learner = MAKERS[name]()
    learner.fit(BLOCKS, learning)
    return learner.predict(BLOCKS)


@EVERY
def test_answers_are_those_of_a_learner_of_each_kind(name: str) -> None:
    learner = ByKind(MAKERS[name], KINDS)
    learner.fit(BLOCKS, LEARNING)
    answers, members = learner.answer(BLOCKS)
    for kind in set(KINDS):
        np.testing.assert_array_equal(answers[:, np.array(KINDS) == kind], alone(name, kind))
    np.testing.assert_array_equal(learner.predict(BLOCKS), answers)
    assert members.shape[1:] == answers.shape
    restored = ByKind.restore(type(learner.first), KINDS, *learner.state())
    np.testing.assert_array_equal(restored.predict(BLOCKS), answers)


@EVERY
def test_held_out_answers_stand_beside_their_rows(name: str) -> None:
    learner = ByKind(MAKERS[name], KINDS)
    learner.fit(BLOCKS, LEARNING)
    held, members = learner.held_out(BLOCKS, LEARNING)
    rows = FOLDS == 3
    expected = learner.predict(BLOCKS)[rows]
    assert held.shape == expected.shape
    assert members.shape[1:] == expected.shape
    known = ~np.isnan(held)
    # a row at which no column of a kind is measured is not asked of that kind
    wanted = np.column_stack([~np.isnan(LABELS[rows][:, np.array(KINDS) == k]).all(axis=1) for k in KINDS])
    np.testing.assert_array_equal(known, wanted)
    np.testing.assert_array_equal(held[known], expected[known])


@EVERY
def test_a_refit_sees_the_rows_that_it_is_told(name: str) -> None:
    learner = ByKind(MAKERS[name], KINDS)
    learner.fit(BLOCKS, LEARNING)
    before = learner.predict(BLOCKS)
    everything = replace(LEARNING, train=np.ones(N, dtype=bool), valid=np.zeros(N, dtype=bool))
    again = learner.refit(BLOCKS, everything)
    assert not np.array_equal(np.nan_to_num(again.predict(BLOCKS)), np.nan_to_num(before))
    np.testing.assert_array_equal(learner.predict(BLOCKS), before)  # and the old one is as it was
