"""Keep the memory of one step for the next.

Glibc returns large blocks to the system as soon as they are freed, so every step asks for all of its memory
again, page by page, zeroed, which is slow on virtual machines. Freed memory is kept instead: what a process
holds is the most that it ever needed, and what lies in pieces too small for the next table. Few pieces do, as
long as nothing new is kept from step to step and tables come in round sizes (``nn.fused``, ``nn.decoder``);
``benchmarks/memory`` measures both, epoch after epoch.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

__all__ = ["give_back_memory", "keep_few_kernels", "keep_memory"]

# of mallopt, in malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_NEVER = 2**31 - 1
_LARGEST = 2**30  # larger blocks still go back


@functools.cache
def keep_memory() -> bool:
    """Ask the C library to keep freed memory; False where it is not glibc, which has no such switch.

    Once for a process; what was kept returns when the process ends.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    kept = library.mallopt(_M_MMAP_THRESHOLD, _LARGEST) and library.mallopt(_M_TRIM_THRESHOLD, _NEVER)
    return bool(kept)


def give_back_memory() -> None:
    """Return freed memory to the system: between parts of a long table, so that pieces do not add up."""
    if keep_memory():
        ctypes.CDLL(None).malloc_trim(0)


def keep_few_kernels() -> None:
    """Ask oneDNN, and what PyTorch keeps of it, for few compiled kernels; too late once there is one.

    Each keeps 1,024, one for each shape of a table. Batches of molecules all have shapes of their own, so in
    a long table these are never used again and only add up, to some hundred megabytes.
    """
    for capacity in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(capacity, "32")
