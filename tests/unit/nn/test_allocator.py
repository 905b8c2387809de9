"""Freed memory is kept for the next step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cytomol.nn.allocator import keep_memory

_FAULTS = """
import resource, sys
import numpy as np
from cytomol.nn.allocator import keep_memory

kept = keep_memory() if sys.argv[1] == "keep" else False
def step():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(64 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
step()
print(kept, step())
"""


def faults(mode: str) -> tuple[bool, int]:
    done = subprocess.run([sys.executable, "-c", _FAULTS, mode], capture_output=True, text=True, check=True)
    kept, count = done.stdout.split()
    return kept == "True", int(count)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts page faults")
def test_a_second_step_asks_for_no_pages() -> None:
    kept, count = faults("keep")
    if not kept:
        pytest.skip("this C library has no such switch")
    assert count < 100
    assert faults("default")[1] > 10 * max(count, 1)


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_have_no_such_switch(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert keep_memory.__wrapped__() is False
