"""Loops over rows: as they stand for a little work, compiled for more."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

R = TypeVar("R")

__all__ = ["Loop", "expect_more", "prange"]

prange = range
"""What a loop counts rows with; several threads share them once it is compiled."""

_LITTLE = 20_000
_CALLS = 8  # a process that asks more often is there to stay, and should not wait long for each answer
_ALONE = 1_000  # up to here another thread takes as long to be woken as the work, and often much longer


class _Process:
    """What is known of this process."""

    stays = False


def expect_more() -> None:
    """Have every loop compiled when it is next run, in a process that will be asked again and again."""
    _Process.stays = True


@contextmanager
def _torchs_threads_kept() -> Iterator[None]:
    """Let torch have as many threads afterwards as before.

    numba shares OpenMP's runtime with it, and tells that how many threads the next one takes: what is
    trained afterwards would be added up in another order.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


class Loop(Generic[R]):
    """A function that numba can compile, and does once a process has enough work for it.

    To load numba and a compiled loop takes longer than to answer a molecule without: what is asked for once
    is answered by the same lines in Python, to the same bit. Those lines must not lean on what differs
    between the two: sums begin with numbers of 64 bits, and :data:`prange` counts the rows.

    Parameters
    ----------
    function
        The loop.

    Examples
    --------
    >>> import numpy as np
    >>> @Loop
    ... def total(values: np.ndarray) -> float:
    ...     found = 0.0
    ...     for row in prange(len(values)):
    ...         found += values[row]
    ...     return found
    >>> float(total(np.arange(4.0), work=4))
    6.0
    """

    def __init__(self, function: Callable[..., R]) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self._compiled: Callable[..., R] | None = None
        self._done = 0
        self._calls = 0

    def __call__(self, *arguments: Any, work: int) -> R:
        """Run the loop; ``work`` is about how often its innermost lines will run."""
        if self._compiled is None:
            self._done += work
            self._calls += 1
            if self._done <= _LITTLE and self._calls <= _CALLS and not _Process.stays:
                return self.function(*arguments)
            self._compiled = self.compiled()
        with _torchs_threads_kept():
            return self._compiled(*arguments) if work > _ALONE else self._by_one_thread(*arguments)

    def _by_one_thread(self, *arguments: Any) -> R:
        import numba

        assert self._compiled is not None
        threads = numba.get_num_threads()  # of this thread alone, as is what is set
        numba.set_num_threads(1)
        try:
            return self._compiled(*arguments)
        finally:
            numba.set_num_threads(threads)

    def compiled(self) -> Callable[..., R]:
        """Return the compiled loop, which is kept for the next process and run by several threads."""
        import numba

        self.function.__globals__["prange"] = numba.prange
        compiled: Callable[..., R]
        try:
            compiled = numba.njit(nogil=True, cache=True, parallel=True)(self.function)
        except RuntimeError:  # no folder that Numba could keep compiled code in: compile in every process
            compiled = numba.njit(nogil=True, parallel=True)(self.function)
        return compiled
