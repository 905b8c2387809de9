"""What predict and embed share: names of columns in options, the output and its summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cytomol.errors import OutputError

if TYPE_CHECKING:
    from cytomol.predict.rows import Answer

__all__ = ["finish", "split_names"]


def split_names(given: Sequence[str], known: Collection[str]) -> list[str]:
    """Split comma-separated names, unless the whole text is a known name (which may hold a comma)."""
    names: list[str] = []
    for text in given:
        names += [text] if text in known else [part.strip() for part in text.split(",") if part.strip()]
    return names


@contextmanager
def _standard_output() -> Iterator[None]:
    """Raise a full device behind standard output as an error of ours."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # what is left in the buffer would fail once more when the interpreter closes it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        reason = error.strerror or str(error)
        raise OutputError(f"cannot be written: {reason}", where="standard output") from error


def finish(answer: Answer, out: str, *, verb: str, on_error: str, force: bool, quiet: bool) -> None:
    """Write the output and say how many rows were answered and how many are invalid."""
    from cytomol.tables import write_table

    if out == "-":
        with _standard_output():
            write_table(answer.frame, out, arrays=answer.arrays)
    else:
        write_table(answer.frame, out, force=force, arrays=answer.arrays)
    if quiet:
        return
    invalid = f"{answer.invalid} invalid"
    if answer.invalid:
        invalid += " (left out)" if on_error == "drop" else " (reason in column 'error')"
    target = "" if out == "-" else f": {out}"
    click.echo(
        f"{verb} {answer.rows - answer.invalid} of {answer.rows} molecules, {invalid}{target}", err=True
    )
