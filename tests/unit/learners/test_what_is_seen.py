"""What holds for every learner: which rows it may see, which row it answers, what its seed decides."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytomol.learners import Learning, Matrix, learners
from cytomol.learners.boosting import Boosting
from cytomol.learners.forest import Forest
from cytomol.learners.kernel import Kernel
from cytomol.learners.neighbours import Neighbours
from cytomol.learners.perceptron import Perceptron
from cytomol.learners.stack import Ensemble

PLAIN = ("counts", "maccs", "descriptors")
# small ones of every class, so that nothing here depends on how the registered ones are set
LEARNERS: dict[str, Callable[[], Any]] = {
    "forest": partial(Forest, trees=5),
    "extra-trees": partial(Forest, kind="extra", trees=5),
    "boosting": partial(Boosting, rounds=5),
    "perceptron": partial(Perceptron, options={"epochs": 2, "hidden": 8, "ensemble": 2, "batch_size": 16}),
    "kernel": partial(Kernel, most_rows=40),
    "neighbours": Neighbours,
    "stack": partial(Ensemble, PLAIN, ("extra-trees", "boosting", "kernel")),
}
KINDS = ("classification", "regression")
EVERY = pytest.mark.parametrize("name", LEARNERS)
FEW = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a smaller example would tell no more, and cost many fits
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEEDS = st.integers(0, 2**16)


def test_every_kind_of_learner_is_asked_here() -> None:
    registered = {type(learners[name]()) for name in learners.names() if name != "head"}
    assert {type(make()) for make in LEARNERS.values()} >= {c for c in registered if _is_ours(c)}


def _is_ours(learner: type) -> bool:
    return learner.__module__.startswith("cytomol.")


def _learnt(name: str, blocks: Mapping[str, Matrix], learning: Learning) -> dict[str, NDArray[Any]]:
    """Return everything numeric that a learner keeps after fitting."""
    learner = LEARNERS[name]()
    learner.fit(blocks, learning)
    table, arrays = learner.state()
    return {**arrays, "table": np.frombuffer(repr(table).encode(), np.uint8)}


def _case(made: Any, kind: str, seed: int) -> tuple[dict[str, Matrix], Learning]:
    """Return blocks and labels whose folds are drawn: half of the rows train, the rest valid or unseen."""
    blocks, learning = made(kind, seed=seed)
    place = np.random.default_rng(seed).permutation(np.arange(len(learning.labels)) % 4)
    return blocks, replace(learning, train=place < 2, valid=place == 2)


def _altered(
    blocks: Mapping[str, Matrix], learning: Learning, rows: NDArray[np.bool_]
) -> tuple[dict[str, Matrix], Learning]:
    """Return the same with other features and other labels in some rows."""
    labels = learning.labels.copy()
    labels[rows] = 1 - labels[rows] if learning.kind == "classification" else 50 - 3 * labels[rows]
    other = {name: block.copy() for name, block in blocks.items()}
    for block in other.values():
        block[rows] = 2 * block[rows][::-1] + 1
    return other, replace(learning, labels=labels)


def _same(a: Mapping[str, NDArray[Any]], b: Mapping[str, NDArray[Any]], *, but: tuple[str, ...] = ()) -> None:
    assert a.keys() == b.keys()
    for key in a.keys() - set(but):
        np.testing.assert_array_equal(a[key], b[key], err_msg=key)


@EVERY
@given(st.sampled_from(KINDS), SEEDS)
@FEW
def test_rows_in_neither_fold_are_not_seen(made: Any, name: str, kind: str, seed: int) -> None:
    blocks, learning = _case(made, kind, seed)
    unseen = ~(learning.train | learning.valid)
    _same(_learnt(name, blocks, learning), _learnt(name, *_altered(blocks, learning, unseen)))


@EVERY
@given(st.sampled_from(KINDS), SEEDS)
@FEW
def test_validation_rows_are_neither_fitted_nor_scaled_on(made: Any, name: str, kind: str, seed: int) -> None:
    """They may weigh the members of a stack, and nothing else."""
    blocks, learning = _case(made, kind, seed)
    found = _learnt(name, blocks, learning)
    _same(found, _learnt(name, *_altered(blocks, learning, learning.valid)), but=("weights",))


@EVERY
def test_training_rows_are_seen(made: Any, name: str) -> None:
    """The two tests above could not fail for a learner that keeps nothing."""
    blocks, learning = _case(made, "regression", 0)
    found = _learnt(name, blocks, learning)
    other = _learnt(name, *_altered(blocks, learning, learning.train))
    assert any(found[key].shape != other[key].shape or (found[key] != other[key]).any() for key in found)


@EVERY
@given(st.sampled_from(KINDS), SEEDS)
@FEW
def test_an_answer_stands_beside_its_row_whatever_the_company(
    made: Any, name: str, kind: str, seed: int
) -> None:
    blocks, learning = _case(made, kind, seed)
    learner = LEARNERS[name]()
    learner.fit(blocks, learning)
    together = learner.predict(blocks)
    assert len(np.unique(together[:, 0])) > 2
    printed = np.array([[f"{value:.6g}" for value in row] for row in together])
    rng = np.random.default_rng(seed)
    for _ in range(6):
        rows = rng.integers(0, len(together), rng.integers(1, 40))  # one may be asked twice
        found = learner.predict({name: block[rows] for name, block in blocks.items()})
        np.testing.assert_allclose(found, together[rows], rtol=1e-10, atol=1e-12)
        assert [[f"{value:.6g}" for value in row] for row in found] == printed[rows].tolist()


@EVERY
def test_the_seed_decides_and_nothing_else_does(made: Any, name: str) -> None:
    blocks, learning = _case(made, "regression", 3)

    def learnt(seed: int, around: int) -> dict[str, NDArray[Any]]:
        random.seed(around)
        np.random.seed(around)  # noqa: NPY002 - what a library may draw from
        torch.manual_seed(around)
        return _learnt(name, blocks, replace(learning, seed=seed))

    found = learnt(0, 1)
    _same(found, learnt(0, 2))
    if name == "neighbours":  # all of few molecules are asked, so there is no chance in it
        _same(found, learnt(1, 1))
        return
    other = learnt(1, 1)
    assert any(found[key].shape != other[key].shape or (found[key] != other[key]).any() for key in found)
