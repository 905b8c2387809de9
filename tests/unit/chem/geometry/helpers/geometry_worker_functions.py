"""Functions that worker processes of the tests call: each SMILES is an order to behave or misbehave."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np


def behave(order: str) -> np.ndarray:  # noqa: PLR0911, PLR0912
    verb, _, argument = order.partition(":")
    match verb:
        case "value":
            return np.full(3, float(argument), dtype=np.float32)
        case "sleep":
            time.sleep(float(argument))
            return np.zeros(3, dtype=np.float32)
        case "work":
            while time.process_time() < float(argument):
                pass
            return np.zeros(3, dtype=np.float32)
        case "hog":  # holds the interpreter lock in C: no signal handler, no thread would get a turn
            return np.full(3, float(3 ** (10**9) % 7), dtype=np.float32)
        case "exit":
            os._exit(int(argument))
        case "segfault":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "once":  # kills its process, but only the first
            if not Path(argument).exists():
                Path(argument).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return np.zeros(3, dtype=np.float32)
        case "print":
            print("noise " * 10_000, flush=True)  # noqa: T201
            os.write(1, b"\x01\x00\x00\x00\x00noise")
            return np.ones(3, dtype=np.float32)
        case "reason":
            raise ValueError(argument)
        case "memory":
            raise MemoryError
        case "raise":
            raise RuntimeError(argument)
        case "environment":
            return np.array([float(os.environ["OMP_NUM_THREADS"]), 0.0, 0.0], dtype=np.float32)
        case "pid":
            return np.array([float(os.getpid() % 2**20), 0.0, 0.0], dtype=np.float32)
    raise AssertionError(order)
