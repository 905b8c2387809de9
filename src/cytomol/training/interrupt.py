"""Ctrl-C asks a training to stop after the step under way; a second Ctrl-C stops it at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["Interruption"]


class Interruption:
    """Context in which SIGINT sets a flag instead of raising.

    The signal is passed on to child processes, so that all processes of a training stop together.

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
        self._before: Any = None

    def __enter__(self) -> Self:
        # Signals can be handled in the main thread alone; elsewhere Ctrl-C does what it does.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def in_child(self) -> None:
        """Handle SIGINT in a process started for this training: note it, whoever sent it, and go on."""
        signal.signal(signal.SIGINT, self._note)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the former handler behind when a process is started: it may not be picklable."""
        return {"requested": self.requested, "_say": self._say, "_before": None}

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        children = multiprocessing.active_children()
        if self.requested:
            for child in children:
                child.terminate()
            raise KeyboardInterrupt
        self.requested = True
        self._say("stopping after this step, to save (Ctrl-C again stops at once)")
        for child in children:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGINT)
