"""What the user sees while long work goes on: bars in a terminal, a line now and then in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["Reporter", "duration"]

_SECONDS_BETWEEN_LINES = 30.0


class Reporter:
    """Prints to standard error; bars on a terminal, plain lines in a pipe or file.

    Parameters
    ----------
    quiet
        Print nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._bar: Progress | None = None

    def say(self, text: str) -> None:
        """Print a line (above a bar that is shown)."""
        if self.quiet:
            return
        if self._bar is None:
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the place that prints
        else:
            self._bar.console.print(Text(text))

    @contextmanager
    def step(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show that a step is under way; yield a function that names its part; say how long it took."""
        began = time.perf_counter()
        with self._progress(SpinnerColumn(), TextColumn("{task.description}")) as progress:
            task = None if progress is None else progress.add_task(text)

            def part(name: str) -> None:
                if progress is not None and task is not None:
                    progress.update(task, description=f"{text}: {name}")

            yield part
        self.say(f"{text}: {duration(time.perf_counter() - began)}")

    @contextmanager
    def bar(self, text: str, *, rate: bool = False) -> Iterator[Callable[[int, int], None]]:
        """Show a bar; yield a function of (done, total); say how long it took, and with ``rate`` how fast.

        What is done at the first call was done before.
        """
        began = time.perf_counter()
        with self._progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        ) as progress:
            task = None if progress is None else progress.add_task(text, total=None)

            log = self._log(text)
            before: int | None = None

            def update(done: int, total: int) -> None:
                nonlocal before
                seconds = time.perf_counter() - began
                before = done if before is None else before
                speed = f"{(done - before) / max(seconds, 1e-9):,.0f} a second" if rate else ""
                if progress is not None and task is not None:
                    told = f"{text} ({speed})" if speed else text
                    progress.update(task, completed=done, total=total, description=told)
                else:
                    log(done, total, speed)

            yield update
        self.say(f"{text}: {duration(time.perf_counter() - began)}")

    @contextmanager
    def training(self, steps: int, done: int, *, lines: bool = False) -> Iterator[Callable[[int, str], None]]:
        """Show the bar of a training of ``steps`` steps; yield a function of (steps done, text).

        Where there is no terminal, ``lines`` asks for a line now and then (for a training that prints none
        of its own).
        """
        with self._progress(
            TextColumn("train"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        ) as progress:
            task = None if progress is None else progress.add_task("", total=steps, completed=done)

            log = self._log("train")

            def update(taken: int, text: str) -> None:
                if progress is not None and task is not None:
                    progress.update(task, completed=taken, description=text)
                elif lines:
                    log(taken, steps, text)

            yield update

    def _log(self, text: str) -> Callable[[int, int, str], None]:
        """Return a function of (done, total, what) that prints a line every half minute at most."""
        began = last = time.perf_counter()

        def log(done: int, total: int, what: str) -> None:
            nonlocal last
            now = time.perf_counter()
            if now - last < _SECONDS_BETWEEN_LINES or done >= total:
                return
            last = now
            left = (now - began) / done * (total - done) if done else 0.0
            rest = f", about {duration(left)} left" if done else ""
            self.say(f"{text}: {done:,} of {total:,}{rest}{f' ({what})' if what else ''}")

        return log

    @contextmanager
    def _progress(self, *columns: object) -> Iterator[Progress | None]:
        """Show a bar on a terminal; nothing elsewhere."""
        console = Console(stderr=True)
        # notebooks set FORCE_COLOR, by which rich takes their pipe for a terminal and draws every frame
        if self.quiet or not (console.is_terminal and sys.stderr.isatty()):
            yield None
            return
        with Progress(*columns, console=console, transient=True) as progress:  # type: ignore[arg-type]
            self._bar = progress
            try:
                yield progress
            finally:
                self._bar = None


def duration(seconds: float) -> str:
    """Return a time as people write it: "0.4 s", "12 s", "3:05 min", "2:07:10 h"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"
