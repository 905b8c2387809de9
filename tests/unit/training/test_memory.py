"""Memory of the C heap goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cytomol.training.memory import trim_memory

# Many small blocks, every second one freed: the heap holds free pages below its top that free() keeps.
_FRAGMENT = """
import ctypes
from pathlib import Path
from cytomol.training.memory import trim_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
blocks = [malloc(100_000) for _ in range(2000)]
for block in blocks:
    ctypes.memset(block, 1, 100_000)
for block in blocks[:-1]:
    free(block)
before = resident()
trimmed = trim_memory()
print(trimmed, before - resident())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_free_pages_go_back() -> None:
    done = subprocess.run([sys.executable, "-c", _FRAGMENT], capture_output=True, text=True, check=True)
    trimmed, returned = done.stdout.split()
    if trimmed == "False":
        pytest.skip("this C library has no malloc_trim")
    assert int(returned) > 100_000_000


def test_it_can_be_called_anywhere_and_often() -> None:
    assert trim_memory() in {True, False}
    assert trim_memory() in {True, False}
