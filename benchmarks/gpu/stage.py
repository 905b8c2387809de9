"""Runs a stage in a process of its own, ends it in time, and keeps what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import cytomol

__all__ = ["Log", "Outcome", "run_process"]

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 5.0  # seconds between asking a process to end and ending it
_LARGEST = 2**21  # bytes of a log; it comes home beside the weights

Outcome = str
"""How a process ended: "done", "out of time" or "failed"."""


class Log:
    """Prints lines and keeps them in a file.

    Parameters
    ----------
    path
        The file; lines are appended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.began = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)

    def say(self, text: str) -> None:
        """Add a line, with the seconds since the beginning."""
        line = f"{time.monotonic() - self.began:7.1f}  {text.rstrip()}"
        print(line, flush=True)
        if not self.path.exists() or self.path.stat().st_size < _LARGEST:
            with self.path.open("a", encoding="utf-8") as handle:
                handle.write(line + "\n")


def run_process(module: str, words: list[str], *, seconds: float, work: Path, log: Log) -> Outcome:
    """Run a module of ours, with all that it starts, for so many seconds at most.

    Parameters
    ----------
    module, words
        The module and its arguments.
    seconds
        Its time; then it is asked to end, and a little later ended.
    work
        Folder of caches.
    log
        Hears what it says.
    """
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", module, *words],
        cwd=_ROOT,
        env=_environment(work),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # so that it ends with all that it started
    )
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process.stdout, log), daemon=True)
    reader.start()
    outcome = "out of time"
    try:
        code = process.wait(max(0.0, seconds))
        outcome = "done" if code == 0 else "failed"
        if code:
            log.say(f"exit status {code}")
    except subprocess.TimeoutExpired:
        log.say("its time is over")
    finally:
        _end(process, reader)
    return outcome


def _end(process: subprocess.Popen[str], reader: threading.Thread) -> None:
    """End what is left of a process and of what it started; it is gone when nobody can be read from."""
    ended = process.poll() is not None
    if ended:
        reader.join(1.0)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if reader.is_alive() or process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            reader.join(1.0 if ended else _PATIENCE)
    process.wait()


def _read(stream: IO[str], log: Log) -> None:
    for line in stream:
        if line.strip():
            log.say(line)


def _environment(work: Path) -> dict[str, str]:
    """Return the environment of a stage: caches below ``work``, this very package."""
    paths = [str(Path(cytomol.__file__).resolve().parents[1]), str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "CYTOMOL_CACHE": str(work / "cache"),
        "TORCHINDUCTOR_CACHE_DIR": str(work / "inductor"),
    }
