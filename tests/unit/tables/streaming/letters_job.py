"""A job of a few lines, for tests of what lies around jobs; other processes import it from here."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_errors import RowErrors
from cytomol.tables.streaming import open_source
from cytomol.tables.streaming.stream_answers import StreamOptions, stream_answers


@dataclass
class Letters:
    """The rows of a chunk, each with the length of its SMILES, and text that fills a disk."""

    frame: pd.DataFrame
    errors: RowErrors
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass
class LettersJob:
    """Answers chunks; stops once at the row ``stop_at``, or dies there once, as ``fatal`` says.

    What it has done stands in the folder ``work``: a file for each chunk that it has begun.
    """

    work: Path
    stop_at: int = -1
    fatal: bool = False
    width: int = 0

    def open(self) -> Callable[[MoleculeTable, int], Letters]:
        """Return what answers."""

        def answer(table: MoleculeTable, first: int) -> Letters:
            again = len(list(self.work.glob(f"{first}.*")))
            (self.work / f"{first}.{again}").touch()
            if first == self.stop_at and not again:
                if self.fatal:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise KeyboardInterrupt
            errors = RowErrors(table, "keep", first)
            reasons = errors.add(["" if text else "empty" for text in table.smiles])
            letters = [len(text) for text in table.smiles]
            filled = [f"{text}{first + row}" * self.width for row, text in enumerate(table.smiles)]
            return Letters(table.frame.assign(letters=letters, filled=filled, error=reasons), errors)

        return answer


def answer_file(job: LettersJob, path: Path, out: Path, size: int, **options: Any) -> int:
    """Answer a file; return how many finished chunks were taken up."""
    asked = {"width": job.width}
    chosen = StreamOptions(size, **options)
    return stream_answers(open_source(path), job, str(out), chosen, asked=asked, on_error="keep").taken_up


if __name__ == "__main__":  # INPUT OUTPUT BYTES [--resume]: with no more than so many bytes in a file
    import resource

    from cytomol.errors import CytomolError

    given, made, limit = sys.argv[1:4]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    try:
        answer_file(
            LettersJob(Path(made).parent, width=200),
            Path(given),
            Path(made),
            16,
            resume="--resume" in sys.argv,
        )
    except CytomolError as error:
        sys.exit(f"error: {error}")
