"""The verb check: what a table of assays holds, before any training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.missing_codes_option import codes_of, missing_codes_option
from cytomol.counted import counted

if TYPE_CHECKING:
    from cytomol.assays.column_roles import Column
    from cytomol.assays.triage import Triage

__all__ = ["command"]

_SHOWN = 60  # columns
_LONGEST = 40  # letters of a name


@click.command(
    name="check",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol check examples/assay.csv",
    ),
)
@click.argument("table", metavar="TABLE")
@click.option("--smiles-col", metavar="NAME", help="Column with the SMILES.  [default: smiles]")
@click.option("--sheet", metavar="NAME", help="Sheet of an Excel workbook.  [default: the first]")
@missing_codes_option
@click.option(
    "--task-type",
    default="auto",
    show_default=True,
    metavar="KIND",
    help="classification, regression or auto; or of single columns, as a=regression,b=classification.",
)
def command(
    *, table: str, smiles_col: str | None, sheet: str | None, missing_codes: str | None, task_type: str
) -> None:
    """Say what TABLE holds, before any training, and propose the command that learns from it.

    Prints what each column is (molecules, id, date, number, class, censored, text), the molecules that are
    invalid or stand in several rows, the noise that repeated labels show, and what must be settled. The
    status is 1 where something must be settled first.
    """
    from cytomol.assays.triage import triage
    from cytomol.tables import read_molecules

    molecules = read_molecules(table, smiles_col=smiles_col, sheet=sheet)
    found = triage(
        molecules.frame,
        molecules.smiles,
        smiles_col=molecules.smiles_col,
        table=table,
        missing_codes=codes_of(missing_codes),
        task_type=task_type,
    )
    for line in _lines(found):
        click.echo(line)
    if not found.command:
        raise click.exceptions.Exit(1)


def _lines(found: Triage) -> list[str]:
    from cytomol.assays.triage_lines import molecule_lines, replicate_lines

    lines = _columns(found.columns, found.choice.tasks)
    lines += ["", *molecule_lines(found.molecules)]
    lines += [
        line for task in found.replicates if task.molecules for line in replicate_lines(task, found.columns)
    ]
    if found.warnings:
        lines += ["", *(f"note: {line}" for line in found.warnings)]
    if found.problems:
        lines.append("")
        lines += [f"to settle: column {c.name!r}: {c.problem} ({c.remedy})" for c in found.problems]
    if found.command:
        lines += ["", "to learn from it:", f"  {found.command}"]
    elif not found.choice.tasks:
        lines += ["", "there is no column to learn from; --targets of finetune can name one all the same"]
    return lines


def _columns(columns: Sequence[Column], tasks: Sequence[str]) -> list[str]:
    """Return a table of the columns."""
    from cytomol.assays.triage_lines import column_values

    rows = [("column", "is", "measured", "values", "learnt")]
    rows += [
        (
            column.name[:_LONGEST] or "(no name)",
            column.role,
            f"{column.measured:,}",
            column_values(column),
            "yes" if column.name in tasks else "",
        )
        for column in columns[:_SHOWN]
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for name, role, measured, values, learnt in rows:
        left = f"{name:<{widths[0]}}  {role:<{widths[1]}}  {measured:>{widths[2]}}"
        lines.append(f"{left}  {values:<{widths[3]}}  {learnt}".rstrip())
    if len(columns) > _SHOWN:
        lines.append(f"... and {counted(len(columns) - _SHOWN, 'more column', comma=False)}")
    return lines
