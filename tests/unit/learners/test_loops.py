"""A loop answers the same as it stands and compiled, and is compiled when there is work for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import lightgbm
import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn import ensemble

from cytomol.learners import boosted_trees, loops, neighbours, trees
from cytomol.learners.boosted_trees import BoostedTrees
from cytomol.learners.head import trained_heads
from cytomol.learners.loops import Loop, expect_more, prange
from cytomol.learners.neighbours import Neighbours
from cytomol.learners.trees import FlatTrees

EDGES = [0.0, -0.0, 1e-35, 9e-36, 1e-40, np.nan, np.inf, -np.inf, 3e38, 1.0]
rng = np.random.default_rng(0)
X = np.where(rng.random((300, 5)) < 0.3, 0, rng.normal(size=(300, 5))).astype(np.float32)
Y = X[:, 0] + np.abs(X[:, 1]) > 0.5
ROWS = npst.arrays(
    np.float32,
    st.tuples(st.integers(0, 12), st.just(5)),
    elements=st.one_of(st.sampled_from(EDGES).map(np.float32), st.floats(-4, 4, width=32)),
)


@contextmanager
def as_it_stands(loop: Loop[Any]) -> Iterator[None]:
    with patch.object(loop, "_compiled", loop.function):
        yield


@contextmanager
def compiled(loop: Loop[Any]) -> Iterator[None]:
    with patch.object(loop, "_compiled", loop.compiled()):
        yield


def both(loop: Loop[Any], answer: Callable[[], Any]) -> None:
    with as_it_stands(loop):
        slow = answer()
    with compiled(loop):
        fast = answer()
    assert slow.dtype == fast.dtype
    np.testing.assert_array_equal(slow, fast)


FOREST = FlatTrees.of_forests([ensemble.ExtraTreesClassifier(15, random_state=0).fit(X, Y), None])


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_forests(rows: np.ndarray) -> None:
    both(trees._walk, lambda: FOREST.predict(rows))


def boosted(objective: str) -> BoostedTrees:
    options = {"objective": objective, "verbose": -1, "min_data_in_leaf": 3, "num_threads": 1}
    booster = lightgbm.train(options, lightgbm.Dataset(X, Y.astype(float)), 20)
    return BoostedTrees.of_texts([booster.model_to_string()], probability=objective == "binary")


BOOSTED = {objective: boosted(objective) for objective in ("binary", "l1")}


@pytest.mark.parametrize("objective", BOOSTED)
@settings(max_examples=40, deadline=None)
@given(rows=ROWS, leaf=st.sampled_from([1.0, 709.7, -709.7, -709.79, 1e300, -1e300]))
def test_boosted_trees(objective: str, rows: np.ndarray, leaf: float) -> None:
    """Also where a leaf is so far from zero that its exponential has no number."""
    made = BOOSTED[objective]
    with patch.dict(made.__dict__, value=np.where(np.arange(len(made.value)) % 7 == 1, leaf, made.value)):
        both(boosted_trees._walk, lambda: made.predict(rows))


@settings(max_examples=40, deadline=None)
@given(
    labels=npst.arrays(np.float64, (9, 3), elements=st.floats(-9, 9) | st.just(np.nan)),
    similarity=npst.arrays(np.float32, (4, 9), elements=st.floats(-1, 1, width=32)),
    k=st.integers(1, 9),
)
def test_neighbours(labels: np.ndarray, similarity: np.ndarray, k: int) -> None:
    made = Neighbours()
    made.labels = labels
    both(neighbours._sums, lambda: made._answer(similarity, np.array([1, k + 1])))


@settings(max_examples=40, deadline=None)
@given(x=npst.arrays(np.float64, (6, 4), elements=st.floats(-30, 30)), by_row=st.booleans())
def test_activations(x: np.ndarray, by_row: bool) -> None:
    def answer() -> np.ndarray:
        found = x.copy()
        trained_heads._activate(found, by_row, np.eye(2, 4) - 2, np.arange(8.0).reshape(2, 4), work=1)
        return found

    both(trained_heads._activate, answer)


@pytest.mark.parametrize(("little", "calls"), [(10, 100), (100, 2)])
def test_a_loop_is_compiled_when_there_is_work(
    monkeypatch: pytest.MonkeyPatch, little: int, calls: int
) -> None:
    monkeypatch.setattr(loops, "_LITTLE", little)
    monkeypatch.setattr(loops, "_CALLS", calls)

    @Loop
    def count(n: int) -> int:
        found = 0
        for _ in prange(n):
            found += 1
        return found

    times: list[object] = []
    monkeypatch.setattr(Loop, "compiled", lambda loop: times.append(loop) or loop.function)
    assert [count(4, work=4) for _ in range(4)] == [4] * 4
    assert times == [count]  # in the third call, and then kept


def test_little_work_wakes_no_other_thread() -> None:
    before = numba.get_num_threads()

    @Loop
    def threads(fail: bool) -> int:
        if fail:
            raise ArithmeticError
        return int(numba.get_num_threads())

    with as_it_stands(threads):  # as its compiled form is called
        assert threads(False, work=loops._ALONE) == 1
        assert threads(False, work=loops._ALONE + 1) == before
        with pytest.raises(ArithmeticError):
            threads(True, work=1)
    assert numba.get_num_threads() == before


@pytest.mark.parametrize("work", [1, 10**6])
def test_torch_has_as_many_threads_afterwards(work: int) -> None:
    """They share a runtime: heads that are trained afterwards would be added up in another order."""

    @Loop
    def total(values: np.ndarray) -> np.ndarray:
        found = np.zeros(len(values))
        for row in prange(len(values)):
            found[row] = 2 * values[row]
        return found

    before = torch.get_num_threads()
    try:
        with compiled(total):
            for threads in (1, 3):
                torch.set_num_threads(threads)
                total(np.arange(8.0), work=work)
                assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("asked", "given"), [("1", 1), ("2,1", None), (None, None)])
def test_loops_take_the_threads_that_openmp_is_given(asked: str | None, given: int | None) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    environment |= {} if asked is None else {"OMP_NUM_THREADS": asked}
    code = "import cytomol, os; print(os.environ.get('NUMBA_NUM_THREADS'))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    assert done.stdout.decode().strip() == str(given)


def test_a_process_that_stays_compiles_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops._Process, "stays", False)

    @Loop
    def one() -> int:
        return 1

    times: list[object] = []
    monkeypatch.setattr(Loop, "compiled", lambda loop: times.append(loop) or loop.function)
    assert one(work=1) == 1
    assert times == []
    expect_more()
    assert one(work=1) == 1
    assert times == [one]
