"""The verb report: the page about what a verb has made."""

from __future__ import annotations

import click

from cytomol.cli.examples import examples
from cytomol.cli.verify_key_option import verify_key_option

__all__ = ["command"]


@click.command(
    name="report",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("cytomol report model -o report.html"),
)
@click.argument("directory", metavar="RESULT")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    help="The page to be made.  [default: report.html in RESULT, NAME.report.html beside a table]",
)
@click.option("--force", is_flag=True, help="Replace an existing FILE.")
@verify_key_option
def command(*, directory: str, out: str | None, force: bool) -> None:
    """Write the report on RESULT: one self-contained page, the same that the verb wrote beside it.

    RESULT is a predictor, a backbone, the folder of a benchmark, a stress test or an ablation, or a table of
    matches. The page is made from RESULT alone, needs no network, and can be read in any browser, in print
    and by a screen reader.
    """
    from cytomol.report.write import write_report

    click.echo(f"report: {write_report(directory, out, force=force)}", err=True)
