"""What every fuzz driver has in common: inputs of Hypothesis, a guard on each case, and the count.

A driver gives inputs to a public entry of the package. Nothing but a `CytomolError` may come out (and, of
the command line, click's errors of use), within ten seconds, and as many rows as an independent count says.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import click
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from cytomol.errors import CytomolError

SECONDS = 10.0
"""No case may take longer, of the processor's time; of the clock's, six times as long, as other work may
slow a case down."""

SHORT = 60
"""Cases of a driver in the suite."""


class TooLongError(AssertionError):
    """A case took longer than `SECONDS`."""


@dataclass
class Count:
    """What a run of a driver came to; its seconds are the processor's."""

    driver: str
    cases: int = 0
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Driver:
    """Inputs of one kind and what is done with each.

    Attributes
    ----------
    name
        Of the kind.
    inputs
        Strategy of the inputs.
    case
        Called with an input and an empty folder; raises when the contract is broken.
    share
        Part of the cases of a long run, of those of a driver with share 1.
    """

    all: ClassVar[dict[str, Driver]] = {}

    name: str
    inputs: st.SearchStrategy[Any]
    case: Callable[[Any, Path], None]
    share: float = 1.0

    def __post_init__(self) -> None:
        Driver.all[self.name] = self

    def check(self, examples: int | None = None) -> None:
        """Run some cases, the same ones every time, and raise at the first that breaks the contract."""
        count = Count(self.name)
        with _folder() as folder:
            self._test(examples or short_cases(), folder, count, derandomize=True)()
        assert count.cases

    def count(self, examples: int, first: int) -> Count:
        """Run the cases of one seed; a failure is shrunk, noted, and ends them."""
        count, began = Count(self.name), time.process_time()
        with _folder() as folder:
            try:
                seed(first)(self._test(examples, folder, count, derandomize=False))()
            except BaseExceptionGroup as group:
                for error in group.exceptions:
                    count.failures.setdefault(*_described(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                count.failures.setdefault(*_described(error))
        count.seconds = round(time.process_time() - began, 1)
        return count

    def _test(self, examples: int, folder: Path, count: Count, *, derandomize: bool) -> Callable[[], None]:
        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=derandomize,
            database=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(self.inputs)
        def test(value: Any) -> None:
            count.cases += 1
            with guarded():
                self.case(value, folder)

        return test


def short_cases() -> int:
    """Return the cases of a driver: `CYTOMOL_FUZZ_EXAMPLES`, or what a suite has time for."""
    return int(os.environ.get("CYTOMOL_FUZZ_EXAMPLES", SHORT))


def _described(error: BaseException) -> tuple[str, str]:
    """Return the kind of a failure and where it came from, and its whole story."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "hypothesis" not in f.filename]
    ours = [f for f in frames if f"{os.sep}cytomol{os.sep}" in f.filename and "fuzz" not in f.filename]
    place = (ours or frames)[-1]
    kind = f"{type(error).__name__} at {Path(place.filename).name}:{place.name}"
    return kind, "".join(traceback.format_exception(error))[-3000:]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cytomol-fuzz-") as folder:
        yield Path(folder)


@contextmanager
def guarded() -> Iterator[None]:
    """Let errors of ours pass as answers; stop a case that hangs."""

    def stop(signum: int, frame: object) -> None:
        raise TooLongError(f"took longer than {SECONDS:g} s")

    if not hasattr(signal, "setitimer"):
        pytest.skip("no timers on this system")
    faulthandler.dump_traceback_later(12 * SECONDS, exit=True, file=sys.__stderr__)
    alarms = [
        (signal.SIGPROF, signal.ITIMER_PROF, SECONDS),
        (signal.SIGALRM, signal.ITIMER_REAL, 6 * SECONDS),
    ]
    before = {number: signal.signal(number, stop) for number, _, _ in alarms}
    began = time.process_time()
    try:
        for _, timer, seconds in alarms:
            signal.setitimer(timer, seconds, 1.0)  # again, where a callback swallows it
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (CytomolError, click.ClickException):
        pass
    finally:
        for number, timer, _ in alarms:
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])
        faulthandler.cancel_dump_traceback_later()
    # a call of another language cannot be interrupted
    if time.process_time() - began > SECONDS:
        raise TooLongError(f"took {time.process_time() - began:.0f} s")
