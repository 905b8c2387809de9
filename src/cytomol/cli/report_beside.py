"""The report that a verb writes beside its result, and the flag that leaves it out."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["no_report", "report_beside"]

no_report = click.option("--no-report", is_flag=True, help="Write no report beside the result.")


def report_beside(result: str | Path, *, quiet: bool = False) -> None:
    """Write the report on what a verb has just written, in place of an earlier one, and say where it is."""
    from cytomol.report.write import write_report

    place = write_report(result)
    if not quiet:
        click.echo(f"report: {place}", err=True)
