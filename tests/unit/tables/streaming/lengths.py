"""A job that answers chunks without a model, and can be slow, watched or killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.errors import OutputError
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_errors import OnError, RowErrors


@dataclass
class Answer:
    """What a job of the tests answers."""

    frame: pd.DataFrame
    arrays: dict[str, NDArray[Any]]
    errors: RowErrors
    renamed: dict[str, str]


@dataclass
class Lengths:
    """Answers the length of each SMILES; one that holds an X is invalid.

    Attributes
    ----------
    matrix
        Answer a matrix too.
    on_error, seconds
        What an invalid molecule does; how long a chunk takes at least.
    pids
        Folder that gets a file FIRST-PID for each chunk that was begun.
    deadly, full
        Row whose chunk ends the process; whose chunk finds the disk full.
    """

    matrix: bool = False
    on_error: OnError | None = None
    seconds: float = 0.0
    pids: Path | None = None
    deadly: int | None = None
    full: int | None = None

    def open(self) -> Callable[[MoleculeTable, int], Answer]:
        def answer(table: MoleculeTable, first: int) -> Answer:
            if self.pids is not None:
                (self.pids / f"{first}-{os.getpid()}").touch()
            time.sleep(self.seconds)
            rows = range(first, first + len(table))
            if self.deadly in rows:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.full in rows:
                raise OutputError("is full", where="disk")
            errors = RowErrors(table, self.on_error, first)
            reasons = errors.add(["no molecule" if "X" in text else "" for text in table.smiles])
            lengths = [
                np.nan if why else len(text) / 3 for text, why in zip(table.smiles, reasons, strict=True)
            ]
            frame = table.frame.assign(length=lengths, row=rows, error=reasons)
            arrays = {"square": np.array(lengths, np.float32)[:, None] ** [2, 3]} if self.matrix else {}
            return Answer(frame, arrays, errors, {})

        return answer
