"""Freed memory is kept for the next step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cytomol.nn.allocator import keep_few_kernels, keep_memory

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


_FREED = """
import numpy as np
from cytomol.nn.allocator import give_back_memory, keep_memory

def held():
    return int(open("/proc/self/statm").read().split()[1])

kept, before = keep_memory(), held()
pieces = [np.ones(1 << 16, np.uint8) for _ in range(2000)]
fence = [np.ones(1 << 16, np.uint8) for _ in range(2)]
del pieces
between = held()
give_back_memory()
print(kept, between - before, held() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts pages")
def test_what_is_freed_goes_back_when_asked() -> None:
    done = subprocess.run([sys.executable, "-c", _FREED], capture_output=True, text=True, check=True)
    kept, between, after = done.stdout.split()
    if kept != "True":
        pytest.skip("this C library has no such switch")
    assert int(between) > 30_000  # pages of 4 kB
    assert int(after) < int(between) / 10


def test_a_wish_of_the_user_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "1024")
    keep_few_kernels()
    assert os.environ["LRU_CACHE_CAPACITY"] == "1024"
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "32"
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "7")
    keep_few_kernels()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "7"


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
