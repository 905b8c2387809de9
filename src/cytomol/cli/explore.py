"""The verb explore: a local page on which molecules are drawn and answered."""

from __future__ import annotations

import click

from cytomol.cli.examples import examples
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.options.machine import MOST_THREADS

__all__ = ["command"]


@click.command(
    name="explore",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("cytomol explore model --library examples/molecules.csv"),
)
@click.argument("model", metavar="MODEL")
@click.option("--library", metavar="FILE", help="Molecules among which new ones are shown: a map of them.")
@click.option("--smiles-col", metavar="NAME", help="Column with the SMILES of FILE.  [default: smiles]")
@click.option("--hierarchy", metavar="DIR", help="Tree to walk, made by cytomol hierarchy.")
@click.option("--corpus", metavar="DIR", help="Measured profiles to put beside imputed ones.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of this machine.  [default: 8421 or a free one]"
)
@click.option("--no-open", is_flag=True, help="Do not open the page in a browser.")
@click.option(
    "--workers", type=click.IntRange(1, MOST_THREADS), help="Processes that read FILE.  [default: all cores]"
)
@verify_key_option
def command(
    *,
    model: str,
    library: str | None,
    smiles_col: str | None,
    hierarchy: str | None,
    corpus: str | None,
    port: int | None,
    no_open: bool,
    workers: int | None,
) -> None:
    """Explore a MODEL on a page of your own browser, served by this machine to itself alone.

    Draw a molecule or paste a SMILES; the page answers with the predictions and how certain they are, the
    nearest training molecules with what was measured of them, the atoms that an answer rests on, the imputed
    profile, and the molecule's place on a map of the library. MODEL is the directory of a predictor or of a
    backbone. A table of molecules can be checked and predicted there too. Nothing leaves the machine.
    """
    if smiles_col is not None and library is None:
        raise click.UsageError("--smiles-col is a column of --library FILE: give that too")
    from cytomol.serve.explorer.run_explorer import free_socket, run_explorer

    listening = free_socket(port)
    click.echo("reading the model ...", err=True)

    from cytomol.nn.allocator import keep_few_kernels
    from cytomol.serve.explorer.explored_session import ExploredSession

    keep_few_kernels()
    session = ExploredSession.open(
        model, library=library, smiles_col=smiles_col, hierarchy=hierarchy, corpus=corpus, workers=workers
    )
    run_explorer(session, listening, browser=not no_open, say=lambda line: click.echo(line, err=True))
