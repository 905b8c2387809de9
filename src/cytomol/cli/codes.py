"""The verb codes: molecules or profiles in, their paths through a tree out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import pass_options, rows_options, say_rows, split_names
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.counted import counted
from cytomol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from cytomol.tables.row_errors import OnError

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
@verify_key_option
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
    on_error: OnError | None,
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
    import pandas as pd

    from cytomol.tables import read_molecules
    from cytomol.tables.row_errors import RowErrors
    from cytomol.tables.write_chunks import check_chunks_name

    check_chunks_name(out, force=force)
    read = read_molecules(table, smiles_col=smiles_col, sheet=sheet) if modality is None else None
    others = read_molecules(molecules, smiles_col=smiles_col, sheet=sheet) if molecules is not None else None

    from cytomol.artifact.backbone import load_backbone
    from cytomol.cells.modality import trained_modality
    from cytomol.cells.tree.code_tree import load_tree, trained_tree
    from cytomol.cells.tree.tree_paths import MoleculesOfProfiles, code_molecules, code_profiles, names_beside
    from cytomol.nn.allocator import keep_few_kernels

    keep_few_kernels()

    backbone = load_backbone(model)
    tree = trained_tree(backbone) if tree_name == "trained" else load_tree(tree_name, backbone)
    nodes = [f"node_{level}" for level in range(1, len(tree.level_sizes) + 1)]
    if read is not None:
        errors = RowErrors(read, on_error)
        kept = split_names(keep, read.frame.columns) if keep else None
        answers = pd.DataFrame(columns=["path", *nodes, "distance", "error"])
        renamed = names_beside(read.kept(kept), answers)
        parts = code_molecules(backbone, tree, errors, keep=kept, batch_size=batch_size, workers=workers)
        _write(parts, out, nodes, force=force, check=errors.require_some)
        if not quiet:
            say_rows(errors, renamed, "coded", out)
    else:
        profiles, known = trained_modality(backbone, modality), MoleculesOfProfiles(others)
        parts = code_profiles(
            profiles, tree, table, known, layer=layer, batch_size=batch_size, workers=workers
        )
        tally = _Tally(table)
        _write(tally.counted(parts), out, nodes, force=force, check=tally.require_some)
        if not quiet:
            tally.say(out)


def _write(
    parts: Iterator[pd.DataFrame], out: str, nodes: list[str], *, force: bool, check: Callable[[], None]
) -> None:
    """Write the parts; nothing is written if the check after the last one fails."""
    from cytomol.tables.write_chunks import Layout, open_chunks

    with open_chunks(out, force=force, layout=Layout(omit=("codes",))) as writer:
        for part in parts:
            own = [f"{name}_of_tree" if f"{name}_of_tree" in part else name for name in nodes]
            writer.write(part, {"codes": part[own].fillna(-1).to_numpy("int64")})
        check()


@dataclass
class _Tally:
    """Counts the profiles that have a path, and the levels that they share with their molecules."""

    table: str
    rows: int = 0
    coded: int = 0
    shared: int = 0
    compared: int = 0

    def counted(self, parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for part in parts:
            path = part["path_of_tree" if "path_of_tree" in part else "path"]
            self.rows, self.coded = self.rows + len(part), self.coded + int((path != "").sum())
            if "shared_levels" in part:
                together = part["shared_levels"].dropna()
                self.shared, self.compared = self.shared + int(together.sum()), self.compared + len(together)
            yield part

    def require_some(self) -> None:
        if self.coded == 0:
            raise InputError(
                f"none of its {self.rows:,} rows has a path",
                where=self.table,
                hint="is anything measured in it?",
            )

    def say(self, out: str) -> None:
        click.echo(f"coded {self.coded:,} of {self.rows:,} profiles: {out}", err=True)
        if self.compared:
            mean = self.shared / self.compared
            pairs = counted(self.compared, "pair", comma=False)
            click.echo(f"profile and molecule share {mean:.2f} levels on average ({pairs})", err=True)
