"""What predict and embed share: names of columns in options, the output and its summary."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cytomol.predict.rows import Answer

__all__ = ["finish", "split_names"]


def split_names(given: Sequence[str], known: Collection[str]) -> list[str]:
    """Split comma-separated names, unless the whole text is a known name (which may hold a comma)."""
    names: list[str] = []
    for text in given:
        names += [text] if text in known else [part.strip() for part in text.split(",") if part.strip()]
    return names


def finish(answer: Answer, out: str, *, verb: str, on_error: str, force: bool, quiet: bool) -> None:
    """Write the output and say how many rows were answered and how many are invalid."""
    from cytomol.tables import write_table

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
