"""Worker processes: a hanging or crashing molecule is masked, the others go on, nothing stays behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from cytomol.chem.geometry.pool import Outcome, run_workers
from cytomol.errors import CytomolError

ENTRY = "geometry_worker_functions:behave"
pytestmark = pytest.mark.usefixtures("orders")


def run(orders: list[str], *, timeout: float = 20.0, workers: int = 1) -> list[Outcome]:
    outcomes = sorted(
        run_workers(orders, ENTRY, timeout=timeout, workers=workers), key=lambda outcome: outcome.index
    )
    assert [outcome.index for outcome in outcomes] == list(range(len(orders)))
    return outcomes


def children() -> list[psutil.Process]:
    """Return the workers below this process; other tests may have started processes of their own."""

    def is_worker(process: psutil.Process) -> bool:
        try:
            return any("cytomol.chem.geometry.worker" in word for word in process.cmdline())
        except psutil.NoSuchProcess:  # it ended since it was listed
            return False

    return [process for process in psutil.Process().children(recursive=True) if is_worker(process)]


@pytest.mark.parametrize("hang", ["work:600", "hog"])
def test_hanging_molecule_is_killed_and_others_go_on(hang: str) -> None:
    started = time.monotonic()
    outcomes = run(["value:1", hang, "value:2"], timeout=1.0)
    assert time.monotonic() - started < 20
    assert [outcome.kind for outcome in outcomes] == ["values", "timeout", "values"]
    assert outcomes[1].reason == "not finished after 1 s"
    assert outcomes[2].values is not None
    np.testing.assert_array_equal(outcomes[2].values, [2, 2, 2])
    assert not children()


def test_several_hanging_molecules_on_two_workers() -> None:
    started = time.monotonic()
    outcomes = run(["work:600"] * 4 + ["value:5"] * 8, timeout=1.0, workers=2)
    assert time.monotonic() - started < 30
    assert [outcome.kind for outcome in outcomes] == ["timeout"] * 4 + ["values"] * 8


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the processor time of another process")
def test_time_by_the_clock_alone_says_nothing_about_a_molecule() -> None:
    short, endless, after = run(["sleep:1", "sleep:600", "value:1"], timeout=0.3)
    assert short.kind == "values", "it waited for the processor, so to say, and used none"
    assert endless.kind == "lost"
    assert re.fullmatch(r"not finished after (3|3\.\d+) s by the clock", endless.reason)
    assert after.kind == "values"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_crashes_mask_their_molecule_only() -> None:
    outcomes = run(["value:0", "exit:3", "value:1", "segfault", "value:2", "kill", "value:3", "exit:0"])
    kinds = [outcome.kind for outcome in outcomes]
    assert kinds == ["values", "failed", "values", "failed", "values", "lost", "values", "failed"]
    assert outcomes[1].reason == "the process ended with exit status 3, twice"
    assert outcomes[3].reason == "the process was ended by SIGSEGV, twice"
    assert outcomes[5].reason == "the process was ended by SIGKILL, twice"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_molecule_whose_process_died_once_is_tried_in_another(tmp_path: Path) -> None:
    outcomes = run([f"once:{tmp_path / str(number)}" for number in range(3)])
    assert [outcome.kind for outcome in outcomes] == ["values"] * 3
    assert len(list(tmp_path.iterdir())) == 3, "each has killed a process before"


def test_errors_of_the_function_become_reasons() -> None:
    outcomes = run(["reason:no conformer", "raise:odd", "memory", "value:1"])
    assert [(outcome.kind, outcome.reason) for outcome in outcomes] == [
        ("failed", "no conformer"),
        ("failed", "RuntimeError: odd"),
        ("lost", "out of memory"),
        ("values", ""),
    ]


def test_output_of_libraries_does_not_disturb_the_answers() -> None:
    outcomes = run(["print", "value:4"])
    assert [outcome.kind for outcome in outcomes] == ["values", "values"]


def test_a_worker_uses_one_thread_and_is_another_process() -> None:
    threads, one, two = run(["environment", "pid", "pid"])
    assert threads.values is not None
    assert one.values is not None
    assert two.values is not None
    assert threads.values[0] == 1
    assert one.values[0] == two.values[0] != os.getpid() % 2**20


def test_time_the_caller_spends_is_not_the_molecules() -> None:
    answers = run_workers(["value:1", "value:2", "value:3"], ENTRY, timeout=0.5, workers=1)
    kinds = []
    for outcome in answers:
        kinds.append(outcome.kind)
        time.sleep(0.8)
    assert kinds == ["values"] * 3


def test_closing_early_ends_the_processes() -> None:
    answers = run_workers(["value:1", "sleep:600", "sleep:600"], ENTRY, timeout=600, workers=2)
    assert next(answers).kind == "values"
    assert children()
    answers.close()
    assert not children()


def test_no_molecules_start_no_process() -> None:
    assert run([]) == []


@pytest.mark.parametrize("entry", ["no_such_module:function", "geometry_worker_functions:absent"])
def test_unusable_function_is_said(entry: str) -> None:
    with pytest.raises(CytomolError, match="cannot be used"):
        list(run_workers(["value:1"], entry, timeout=1, workers=1))
    assert not children()


def test_processes_that_cannot_start_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(CytomolError, match="cannot be started"):
        list(run_workers(["value:1"], ENTRY, timeout=1, workers=1))


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
sys.path.insert(0, {helpers!r})
from cytomol.chem.geometry.pool import run_workers
orders = ["value:1", "value:2", "sleep:{seconds}", "sleep:{seconds}"]
for outcome in run_workers(orders, "geometry_worker_functions:behave", timeout=600, workers=2):
    print("answer", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("name", "seconds"), [("SIGINT", 600), ("SIGKILL", 1)])
def test_interrupt_leaves_no_process(name: str, seconds: int) -> None:
    sent = signal.Signals[name]
    script = SCRIPT.format(helpers=str(Path(__file__).parent / "helpers"), seconds=seconds)
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"answer\n"
    assert parent.stdout.readline() == b"answer\n"
    workers = psutil.Process(parent.pid).children()
    assert workers
    # As the terminal does it: Ctrl-C goes to the whole group. SIGKILL hits the parent alone.
    (os.killpg if sent == signal.SIGINT else os.kill)(parent.pid, sent)
    _, errors = parent.communicate(timeout=60)
    assert parent.returncode == -sent
    assert sent != signal.SIGINT or b"KeyboardInterrupt" in errors
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
