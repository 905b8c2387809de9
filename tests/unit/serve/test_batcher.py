"""Requests that are answered together are answered as alone, in their places, and none spoils another."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.serve.batcher import BatchDone, Batcher, ClosedError, QueueFullError


class Model:
    """Doubles numbers, slowly if asked to, and keeps what it was given."""

    def __init__(self) -> None:
        self.batches: list[tuple[Hashable, list[Any]]] = []
        self.go = threading.Event()
        self.begun = threading.Event()
        self.go.set()

    def __call__(self, key: Hashable, rows: list[Any]) -> list[Any]:
        self.batches.append((key, rows))
        self.begun.set()
        assert self.go.wait(10)
        if "bad" in rows:
            raise ValueError("bad")
        return [(key, row) for row in rows]

    def hold(self) -> None:
        """Let the next batch wait."""
        self.go.clear()
        self.begun.clear()


@pytest.fixture
def model() -> Iterator[Model]:
    model = Model()
    yield model
    model.go.set()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.lists(st.integers(), max_size=12)), max_size=15),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.001]),
)
def test_every_request_gets_its_own_rows_in_order(
    requests: list[tuple[str, list[int]]], rows: int, wait: float
) -> None:
    batches: list[BatchDone] = []

    def answer(key: Hashable, some: list[Any]) -> list[Any]:
        return [(key, row) for row in some]

    with Batcher(answer, rows=rows, wait=wait, done=batches.append) as batcher:
        futures = [batcher.submit(key, some) for key, some in requests]
        for future, (key, some) in zip(futures, requests, strict=True):
            assert future.result(10) == [(key, row) for row in some]
        # who has an answer finds it counted
        assert sum(batch.rows for batch in batches) == sum(len(some) for _, some in requests)
    assert all(batch.rows <= rows for batch in batches)


def test_those_that_wait_are_answered_together(model: Model) -> None:
    with Batcher(model, rows=100) as batcher:
        model.hold()
        first = batcher.submit("a", [0])
        assert model.begun.wait(10)
        futures = [batcher.submit("a", [row]) for row in range(1, 9)] + [batcher.submit("b", [9])]
        model.go.set()
        assert [future.result(10)[0][1] for future in [first, *futures]] == list(range(10))
    assert model.batches == [("a", [0]), ("a", list(range(1, 9))), ("b", [9])]


def test_a_short_request_passes_a_long_one(model: Model) -> None:
    with Batcher(model, rows=4, wait=0) as batcher:
        model.hold()
        long = batcher.submit("a", list(range(12)))
        assert model.begun.wait(10)
        short = batcher.submit("b", [1])
        model.go.set()
        assert len(long.result(10)) == 12
        assert short.result(10) == [("b", 1)]
    assert [key for key, _ in model.batches] == ["a", "a", "b", "a"]


def test_what_fails_does_not_spoil_what_was_asked_at_the_same_time(model: Model) -> None:
    with Batcher(model, rows=100) as batcher:
        model.hold()
        first = batcher.submit("a", [0])
        assert model.begun.wait(10)
        good, bad, other = (batcher.submit("a", rows) for rows in ([1, 2], ["bad"], [3]))
        model.go.set()
        assert good.result(10) == [("a", 1), ("a", 2)]
        with pytest.raises(ValueError, match="bad"):
            bad.result(10)
        assert (first.result(10), other.result(10)) == ([("a", 0)], [("a", 3)])
        assert batcher.submit("a", [4]).result(10) == [("a", 4)]


def test_a_long_request_that_fails_leaves_nothing_behind(model: Model) -> None:
    with Batcher(model, rows=2, wait=0) as batcher:
        with pytest.raises(ValueError, match="bad"):
            batcher.submit("a", ["bad", 1, 2, 3, 4]).result(10)
        assert batcher.waiting == 0
        assert batcher.submit("a", [5]).result(10) == [("a", 5)]
    assert [rows for _, rows in model.batches] == [["bad", 1], [5]]


def test_a_cancelled_request_is_not_answered(model: Model) -> None:
    with Batcher(model, rows=2, wait=0) as batcher:
        model.hold()
        begun = batcher.submit("a", [0, 1, 2, 3])
        assert model.begun.wait(10)
        waits = batcher.submit("a", [4])
        assert waits.cancel()
        assert begun.cancel()
        assert batcher.waiting == 0
        model.go.set()
        with pytest.raises(CancelledError):
            begun.result(10)
        assert batcher.submit("a", [5]).result(10) == [("a", 5)]
    assert [rows for _, rows in model.batches] == [[0, 1], [5]]


def test_a_full_queue_refuses_with_a_time_to_come_back(model: Model) -> None:
    with Batcher(model, rows=4, wait=0, waiting=10) as batcher:
        model.hold()
        first = batcher.submit("a", [0])
        assert model.begun.wait(10)
        second = batcher.submit("a", list(range(20)))  # nobody waits: it may be longer than the queue
        with pytest.raises(QueueFullError) as refused:
            batcher.submit("a", [1])
        assert 1 <= refused.value.retry_after <= 60
        model.go.set()
        assert len(first.result(10)) + len(second.result(10)) == 21
        assert batcher.submit("a", [1]).result(10) == [("a", 1)]


def test_closing_answers_what_waits_and_takes_no_more(model: Model) -> None:
    batcher = Batcher(model, rows=2, wait=0)
    model.hold()
    futures = [batcher.submit("a", list(range(5))), batcher.submit("b", [1])]
    closer = threading.Thread(target=batcher.close)
    closer.start()
    model.go.set()
    closer.join(10)
    assert [len(future.result(0)) for future in futures] == [5, 1]
    assert not batcher.alive
    with pytest.raises(ClosedError):
        batcher.submit("a", [1])
    batcher.open()
    assert batcher.submit("a", [1]).result(10) == [("a", 1)]
    assert batcher.close()
    assert Batcher(model).close()  # one that never began


def test_many_threads_ask_at_once(model: Model) -> None:
    with Batcher(model, rows=16, wait=0.001) as batcher, ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda row: batcher.submit(row % 2, [row]).result(10), range(400)))
    assert found == [[(row % 2, row)] for row in range(400)]
    assert len(model.batches) < 400


def test_an_answer_of_other_length_is_an_error() -> None:
    with Batcher(lambda key, rows: rows[1:]) as batcher, pytest.raises(AssertionError, match="2 rows asked"):
        batcher.submit("a", [1, 2]).result(10)
