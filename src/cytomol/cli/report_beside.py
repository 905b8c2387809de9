"""The report that a verb writes beside its result, and the option that leaves it out."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["report_beside", "report_option"]

report_option = click.option(
    "--report/--no-report", default=True, show_default=True, help="Write the report beside the result."
)


def report_beside(result: str | Path, *, quiet: bool = False) -> None:
    """Write the report on what a verb has just written, in place of an earlier one, and say where it is."""
    from cytomol.artifact.signature import made_here
    from cytomol.report.write import write_report

    with made_here():
        place = write_report(result)
    if not quiet:
        click.echo(f"report: {place}", err=True)
