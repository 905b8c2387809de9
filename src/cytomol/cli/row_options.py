"""What predict and embed share: names of columns in options, the output and its summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.workers_option import workers_option
from cytomol.errors import OutputError

if TYPE_CHECKING:
    from cytomol.tables.row_answer import Answer
    from cytomol.tables.row_errors import RowErrors

__all__ = [
    "finish",
    "output_options",
    "pass_options",
    "rows_options",
    "say_rows",
    "split_names",
    "standard_output",
]


def rows_options(function: Callable[..., Any], *, kept: str = "all") -> Callable[..., Any]:
    """Add the options that say which molecules are read and what of their table stays (default: ``kept``)."""
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
            help=f"Columns of the input to hold in the output, beside the SMILES.  [default: {kept}]",
        ),
        click.option(
            "--on-error",
            type=click.Choice(["keep", "raise", "drop"]),
            help="Invalid molecules: keep their rows with the reason in 'error', stop, or drop them. An input"
            " without any valid molecule is an error unless keep is given.  [default: keep]",
        ),
    ]
    return _with(options, function)


def pass_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a pass over many molecules: how many at once, where the answer goes."""
    options = [
        click.option(
            "--batch-size",
            type=click.IntRange(1),
            default=256,
            show_default=True,
            help="Molecules in a pass.",
        ),
        workers_option,
        *_OUTPUT,
    ]
    return _with(options, function)


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every output: whether it may be replaced, and what is printed."""
    return _with(_OUTPUT, function)


def _with(options: Sequence[Callable[..., Any]], function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        function = option(function)
    return function


_OUTPUT = (
    click.option("--force", is_flag=True, help="Replace an existing output."),
    click.option("-q", "--quiet", is_flag=True, help="No progress and no summary."),
)


def split_names(given: Sequence[str], known: Collection[str]) -> list[str]:
    """Split comma-separated names, unless the whole text is a known name (which may hold a comma)."""
    names: list[str] = []
    for text in given:
        names += [text] if text in known else [part.strip() for part in text.split(",") if part.strip()]
    return names


@contextmanager
def standard_output() -> Iterator[None]:
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


def finish(answer: Answer, out: str, *, verb: str, force: bool, quiet: bool) -> None:
    """Write the output and say how many rows were answered and how many are invalid."""
    from cytomol.tables import write_table

    errors = answer.errors
    errors.require_some()
    if out == "-":
        with standard_output():
            write_table(answer.frame, out, arrays=answer.arrays)
    else:
        write_table(answer.frame, out, force=force, arrays=answer.arrays)
    if not quiet:
        say_rows(errors, answer.renamed, verb, out)


def say_rows(errors: RowErrors, renamed: Mapping[str, str], verb: str, out: str) -> None:
    """Say which answers have another name, and how many rows were answered."""
    for old, new in renamed.items():
        click.echo(f"the input has a column {old!r}, which stays: the answer is called {new!r}", err=True)
    told = f"{verb} {errors.rows - errors.invalid:,} of {errors.rows:,} molecules"
    target = "" if out == "-" else f": {out}"
    click.echo(f"{told}, {errors.said(renamed.get('error', 'error'))}{target}", err=True)
