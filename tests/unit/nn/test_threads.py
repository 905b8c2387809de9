"""Rows are divided without gap or overlap, and threads survive what processes do."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytomol.nn import threads


@given(rows=st.integers(0, 5000), count=st.integers(1, 8))
def test_row_ranges_cover_all_rows(rows: int, count: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "threads_for", lambda _: count)
        covered = [row for first, last in threads.row_ranges(rows) for row in range(first, last)]
    assert covered == list(range(rows))


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=40), count=st.integers(1, 8))
def test_group_ranges_cover_all_groups(sizes: list[int], count: int) -> None:
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "threads_for", lambda _: count)
        covered = [g for first, last in threads.group_ranges(offsets) for g in range(first, last)]
    assert covered == list(range(len(sizes)))


def test_work_is_side_by_side_and_in_order() -> None:
    both = threading.Barrier(2, timeout=10)

    def work(first: int, last: int, thread: int) -> tuple[int, int, int]:
        both.wait()  # passes only if both run at once
        return first, last, thread

    assert threads.share([(0, 3), (3, 9)], work) == [(0, 3, 0), (3, 9, 1)]


def test_an_error_in_a_thread_is_raised() -> None:
    def work(first: int, last: int, thread: int) -> None:
        if thread:
            raise ValueError(f"rows {first} to {last}")

    with pytest.raises(ValueError, match="rows 3 to 9"):
        threads.share([(0, 3), (3, 9)], work)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_after_a_fork_threads_are_made_anew() -> None:
    ranges = [(0, 1), (1, 2)]
    threads.share(ranges, lambda first, last, thread: first)
    child = os.fork()
    if child == 0:
        done = threads.share(ranges, lambda first, last, thread: first)
        os._exit(0 if done == [0, 1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
