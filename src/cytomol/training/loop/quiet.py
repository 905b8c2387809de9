"""Keep Lightning's advice and torch's internal warnings off the user's screen; what matters is raised."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet_lightning", "silence"]

_LOGGERS = ("lightning.pytorch", "lightning.fabric", "torch.multiprocessing.spawn")
_TORCH_LEVEL = "TORCH_CPP_LOG_LEVEL"  # read when torch is loaded: it reaches the processes started here


def silence() -> None:
    """Silence Lightning in a process that exists for a training alone."""
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence Lightning for a while, here and in processes that are started."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    before = os.environ.get(_TORCH_LEVEL)
    os.environ.setdefault(_TORCH_LEVEL, "ERROR")
    try:
        with warnings.catch_warnings():
            silence()
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        if before is None:
            del os.environ[_TORCH_LEVEL]
