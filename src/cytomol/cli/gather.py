"""The verb gather: the shards of a long answer in, one output out."""

from __future__ import annotations

from pathlib import Path

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import output_options, say_rows, standard_output
from cytomol.cli.stream_options import check_answers_name

__all__ = ["command"]


@click.command(
    name="gather",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol gather part-1/ part-2/ -o gathered.npz",
    ),
)
@click.argument("shards", metavar="SHARD...", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="Output: .csv, .tsv, .parquet, .npz, a FOLDER/ of Parquet files, or -.",
)
@output_options
def command(*, shards: tuple[str, ...], out: str, force: bool, quiet: bool) -> None:
    """Make one output of the folders SHARD... that were written with --shard.

    It is checked first that all shards are there, each once and unaltered, and that they answer one input
    with one model and the same options. Rows come in the order of the input; the output is to the byte that
    of a run without --shard and with the same --chunk-rows. A shard that is missing or does not belong to
    the others is named, with the command that makes it.
    """
    from cytomol.tables.streaming.gather import gather_shards

    check_answers_name(out, force=force)
    with standard_output():
        answered, verb = gather_shards([Path(one) for one in shards], out, force=force)
    if not quiet:
        say_rows(answered.errors, answered.renamed, verb, out)
