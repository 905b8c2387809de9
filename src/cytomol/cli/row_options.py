"""What predict and embed share: names of columns in options, the output and its summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cytomol.errors import InputError, OutputError

if TYPE_CHECKING:
    from cytomol.predict.answered_rows import Answer

__all__ = ["finish", "rows_options", "split_names"]


def rows_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which molecules are read and what of their table stays."""
    options = [
        click.option(
            "--smiles-col",
            metavar="NAME",
            help="Column with the SMILES; in an SD file a data item, in a .smi file name or a field's number."
            "  [default: smiles]",
        ),
        click.option("--sheet", metavar="NAME", help="Sheet of an Excel workbook.  [default: the first]"),
        click.option(
            "--keep",
            multiple=True,
            metavar="A,B",
            help="Columns of the input to hold in the output, beside the SMILES.  [default: all]",
        ),
        click.option(
            "--on-error",
            type=click.Choice(["keep", "raise", "drop"]),
            help="Invalid molecules: keep their rows with the reason in 'error', stop, or drop them. An input"
            " without any valid molecule is an error unless keep is given.  [default: keep]",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


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


def finish(
    answer: Answer, out: str, *, where: str, verb: str, on_error: str | None, force: bool, quiet: bool
) -> None:
    """Write the output and say how many rows were answered and how many are invalid."""
    from cytomol.tables import write_table

    if answer.invalid == answer.rows and on_error != "keep":
        raise InputError(
            f"none of its {answer.rows:,} rows holds a molecule that can be read; {answer.reason}",
            where=where,
            hint="is this the file, and its column of SMILES? --on-error keep answers such rows all the same",
        )
    if out == "-":
        with _standard_output():
            write_table(answer.frame, out, arrays=answer.arrays)
    else:
        write_table(answer.frame, out, force=force, arrays=answer.arrays)
    if quiet:
        return
    for old, new in answer.renamed.items():
        click.echo(f"the input has a column {old!r}, which stays: the answer is called {new!r}", err=True)
    invalid = f"{answer.invalid} invalid"
    if answer.invalid:
        invalid += (
            " (left out)"
            if on_error == "drop"
            else f" (reason in column {answer.renamed.get('error', 'error')!r})"
        )
    target = "" if out == "-" else f": {out}"
    click.echo(
        f"{verb} {answer.rows - answer.invalid} of {answer.rows} molecules, {invalid}{target}", err=True
    )
