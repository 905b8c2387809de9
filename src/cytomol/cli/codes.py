"""The verb codes: molecules or profiles in, their paths through a tree out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import pass_options, rows_options, split_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["command"]


@click.command(
    name="codes",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol codes backbone examples/molecules.csv -o paths.csv",
    ),
)
@click.argument("model", metavar="MODEL")
@click.argument("table", metavar="INPUT")
@click.option("-o", "--out", required=True, metavar="OUT", help="Output: .csv, .tsv, .parquet or .h5ad.")
@click.option(
    "--tree",
    "tree_name",
    default="trained",
    show_default=True,
    metavar="trained|DIR",
    help="The tree that the model was trained with, or the directory of one that hierarchy has fitted.",
)
@click.option(
    "--modality", metavar="NAME", help="INPUT is a table of profiles of this modality, not of molecules."
)
@click.option(
    "--molecules",
    metavar="TABLE",
    help="Molecules of the profiles, joined by a column of the same name (an id).  [default: SMILES beside"
    " the profiles, if any]",
)
@click.option("--layer", metavar="NAME", help="Matrix of an AnnData file of profiles.")
@rows_options
@pass_options
def command(
    *,
    model: str,
    table: str,
    out: str,
    tree_name: str,
    modality: str | None,
    molecules: str | None,
    layer: str | None,
    smiles_col: str | None,
    sheet: str | None,
    keep: tuple[str, ...],
    on_error: str | None,
    batch_size: int,
    workers: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Write the paths that molecules, or profiles, of INPUT take through the tree of a MODEL.

    Every row is answered in order: 'path', the turns from the root such as 0110, 'node_1', 'node_2' and so
    on, its node on each level, and 'distance', 1 - cosine to the code of the last one. With --modality, INPUT
    is a table of profiles; where their molecules are known, these have their path beside them, and
    'shared_levels' says on how many levels the two run together. An AnnData file holds the nodes in obsm too,
    as 'codes', -1 for rows without a path.
    """
    if modality is None and (molecules is not None or layer is not None):
        raise click.UsageError("--molecules and --layer go with a table of profiles: name its --modality")
    if modality is not None and (keep or on_error):
        raise click.UsageError("--keep and --on-error go with a table of molecules, not with --modality")
    from cytomol.tables import read_molecules
    from cytomol.tables.write_chunks import check_chunks_name

    check_chunks_name(out, force=force)
    read = read_molecules(table, smiles_col=smiles_col, sheet=sheet) if modality is None else None
    others = read_molecules(molecules, smiles_col=smiles_col, sheet=sheet) if molecules is not None else None

    from cytomol.artifact.backbone import load_backbone
    from cytomol.cells.modality import trained_modality
    from cytomol.cells.tree.code_tree import load_tree, trained_tree
    from cytomol.cells.tree.tree_paths import MoleculesOfProfiles, code_molecules, code_profiles
    from cytomol.nn.allocator import keep_few_kernels

    keep_few_kernels()

    backbone = load_backbone(model)
    tree = trained_tree(backbone) if tree_name == "trained" else load_tree(tree_name, backbone)
    if read is not None:
        kept = split_names(keep, read.frame.columns) if keep else None
        parts = code_molecules(backbone, tree, read, keep=kept, batch_size=batch_size, workers=workers)
    else:
        profiles, known = trained_modality(backbone, modality), MoleculesOfProfiles(others)
        parts = code_profiles(
            profiles, tree, table, known, layer=layer, batch_size=batch_size, workers=workers
        )
    where, what = (table, "profiles") if read is None else (read.where, "molecules")
    levels = len(tree.level_sizes)
    _write(parts, out, what, levels=levels, on_error=on_error, force=force, quiet=quiet, where=where)


def _write(
    parts: Iterator[pd.DataFrame],
    out: str,
    what: str,
    *,
    levels: int,
    on_error: str | None,
    force: bool,
    quiet: bool,
    where: str,
) -> None:
    """Write the parts, and say how many rows have a path."""
    from cytomol.errors import InputError
    from cytomol.tables.write_chunks import Layout, open_chunks

    rows = coded = shared = compared = 0
    with open_chunks(out, force=force, layout=Layout(omit=("codes",))) as writer:
        for part in parts:
            place = "path_of_tree" if "path_of_tree" in part else "path"
            found = part[place] != ""
            if on_error == "raise" and not found.all():
                row = int(found.argmin())
                reason = part.iloc[row].get("error_of_tree", part.iloc[row]["error"])
                raise InputError(
                    f"invalid molecule: {reason}",
                    where=f"{where}, row {rows + row + 1}",
                    hint="--on-error keep answers such rows without a path",
                )
            rows, coded = rows + len(part), coded + int(found.sum())
            if "shared_levels" in part:
                together = part["shared_levels"].dropna()
                shared, compared = shared + int(together.sum()), compared + len(together)
            written = part[found] if on_error == "drop" else part
            nodes = [f"node_{level}" for level in range(1, levels + 1)]
            nodes = [f"{name}_of_tree" if f"{name}_of_tree" in part else name for name in nodes]
            writer.write(written, {"codes": written[nodes].fillna(-1).to_numpy("int64")})
        if coded == 0 and on_error != "keep":
            hint = "is this the file, and its column of SMILES? --on-error keep answers such rows too"
            if what == "profiles":
                hint = "is anything measured in it?"
            raise InputError(f"none of its {rows:,} rows has a path", where=where, hint=hint)
    if not quiet:
        click.echo(f"coded {coded} of {rows} {what}: {out}", err=True)
        if compared:
            click.echo(
                f"profile and molecule share {shared / compared:.2f} levels on average ({compared} pairs)",
                err=True,
            )
