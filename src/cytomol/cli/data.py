"""The verb data: which benchmark sets there are, and fetching them."""

from __future__ import annotations

import click

from cytomol.cli.examples import examples

__all__ = ["command"]


@click.group(
    "data",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("cytomol data list"),
)
def command() -> None:
    """List and fetch the published benchmark sets."""


@command.command("list", epilog=examples("cytomol data list"))
@click.option("--to", metavar="DIR", help="Folder of the sets.  [default: $CYTOMOL_DATA/benchmarks]")
def list_sets(to: str | None) -> None:
    """Print the sets, and which of them are here whole (by their checksums)."""
    import os

    from cytomol.evaluate.download import is_whole
    from cytomol.evaluate.published import PUBLISHED
    from cytomol.evaluate.sets import data_folder

    folder = data_folder(to) if to is not None or os.environ.get("CYTOMOL_DATA") else None
    click.echo(f"{'name':<12}{'molecules':>10}{'tasks':>7}  {'metric':<9}{'bytes':>9}  here")
    for name, entry in PUBLISHED.items():
        size = sum(file.size for file in entry.files)
        here = "-"
        if folder is not None:
            found = [is_whole(folder / name / file.name, file) for file in entry.files]
            here = "yes" if all(found) else "in part" if any(found) else "no"
        click.echo(f"{name:<12}{entry.molecules:>10,}{entry.tasks:>7}  {entry.metric:<9}{size:>9,}  {here}")
    where = "unknown: set CYTOMOL_DATA or give --to DIR" if folder is None else str(folder)
    click.echo(f"folder: {where}", err=True)


@command.command("get", epilog=examples("cytomol data get bace bbbp --mirror mirror --to benchmarks"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--mirror", metavar="URL_OR_FOLDER", help="Place that holds NAME/assays.csv.gz and the others.")
@click.option("--to", metavar="DIR", help="Folder of the sets.  [default: $CYTOMOL_DATA/benchmarks]")
@click.option("--force", is_flag=True, help="Replace files that have another content.")
def get(names: tuple[str, ...], mirror: str | None, to: str | None, force: bool) -> None:
    """Fetch the sets NAME (or: all) from a mirror, and check them.

    A fetch that broke off goes on where it stopped. A file has its name only when its SHA-256 is the one
    stated in this package; until then it ends in .part.
    """
    from cytomol.evaluate.download import fetch_set
    from cytomol.evaluate.sets import SETS

    for name in SETS if names == ("all",) else names:
        folder = fetch_set(name, to, mirror=mirror, force=force, say=lambda text: click.echo(text, err=True))
        click.echo(f"{name}: {folder}")
