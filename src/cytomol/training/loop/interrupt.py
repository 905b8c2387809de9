"""Ctrl-C (or SIGTERM) asks a training to stop after the step under way; a second one stops it at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Interruption"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Context in which SIGINT and SIGTERM set a flag instead of ending the process.

    A signal is passed on to child processes, so that all processes of a training stop together.

    Parameters
    ----------
    say
        Called with a message when the first signal arrives.

    Attributes
    ----------
    requested
        Whether the user asked to stop.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.requested = False
        self._say = say
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        # Signals can be handled in the main thread alone; elsewhere they do what they do.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in _SIGNALS}
            self.arm()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def arm(self) -> None:
        """Take the signals (again, after Lightning has put its own handler of SIGTERM in place)."""
        if self._before:
            for number in _SIGNALS:
                signal.signal(number, self._handle)

    def arm_child(self) -> None:
        """Take the signals in a process started for a training: note them, whoever sent them, and go on."""
        for number in _SIGNALS:
            signal.signal(number, self._note)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the former handlers behind when a process is started."""
        return {"requested": self.requested, "_say": self._say, "_before": {}}

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        children = multiprocessing.active_children()
        if self.requested:
            for child in children:
                child.kill()
            raise KeyboardInterrupt
        self.requested = True
        self._say("stopping after this step, to save (once more stops at once)")
        if sys.platform == "win32":  # there os.kill ends a process, and Ctrl-C reaches all of a console's
            return
        for child in children:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGINT)
