"""The process that computes one molecule at a time and may be killed at any moment.

Protocol. In, one JSON line per molecule: ``[smiles, limit]``. Out, frames of a status byte, a
little-endian uint32 length and as many bytes: float32 values, or a reason in UTF-8.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import struct
import sys
from typing import BinaryIO

import numpy as np

__all__ = ["FAILED", "HEADER", "LOST", "PATIENCE", "READY", "UNUSABLE", "VALUES", "main"]

HEADER = struct.Struct("<BI")
READY, VALUES, FAILED, LOST, UNUSABLE = range(5)
# Seconds beyond the limit after which a worker ends itself, should nobody have killed it.
_GRACE = 10.0
PATIENCE = 10.0  # how many times its limit a molecule may take by the clock on the wall, on a busy machine


def main(entry: str) -> None:
    """Answer requests on standard input until it ends.

    Parameters
    ----------
    entry
        ``"module:function"``; see `GeometryProvider.worker`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints must not end up between the frames
    try:
        module, _, function = entry.partition(":")
        compute = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        _write(out, UNUSABLE, f"{type(error).__name__}: {error}".encode())
        return
    _write(out, READY, b"")
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a file descriptor is what is needed
        for line in sys.stdin.buffer:
            smiles, limit = json.loads(line)
            # A watchdog in C, which needs no interpreter lock: no orphan outlives a killed parent.
            faulthandler.dump_traceback_later(PATIENCE * limit + _GRACE, exit=True, file=nowhere)
            status, body = _answer(compute, smiles)
            faulthandler.cancel_dump_traceback_later()
            _write(out, status, body)


def _answer(compute: object, smiles: str) -> tuple[int, bytes]:
    assert callable(compute)
    try:
        return VALUES, np.ascontiguousarray(compute(smiles), dtype="<f4").tobytes()
    except ValueError as error:
        return FAILED, str(error).encode()
    except MemoryError:
        return LOST, b"out of memory"
    except Exception as error:  # noqa: BLE001 - the boundary of a process: the reason travels on
        return FAILED, f"{type(error).__name__}: {error}".encode()


def _write(out: BinaryIO, status: int, body: bytes) -> None:
    view = memoryview(HEADER.pack(status, len(body)) + body)
    while view:
        view = view[out.write(view) :]
