"""The verb hierarchy: a model's tree with its levels, members and what they have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import output_options
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.cli.workers_option import workers_option
from cytomol.counted import agreeing, counted

if TYPE_CHECKING:
    import pandas as pd

    from cytomol.cells.tree.hierarchy import Hierarchy
    from cytomol.corpus.schema import Corpus

__all__ = ["command"]


@click.command(
    name="hierarchy",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol hierarchy backbone --corpus corpus -o tree",
    ),
)
@click.argument("model", metavar="MODEL")
@click.option("--corpus", "corpus_dir", metavar="DIR", help="Corpus whose molecules are divided.")
@click.option("--molecules", metavar="TABLE", help="Table of molecules to divide, in place of a corpus.")
@click.option("-o", "--out", required=True, metavar="DIR", help="Directory to write.")
@click.option(
    "--labels",
    multiple=True,
    metavar="TABLE",
    help="Table with InChIKeys or SMILES, and columns of words (mechanisms, with | between several) or of 0"
    " and 1 (assays). Can be given several times.",
)
@click.option(
    "--label-col",
    multiple=True,
    metavar="NAME",
    help="Column of labels to read, of every TABLE; can be given several times.  [default: all but ids and"
    " structures]",
)
@click.option(
    "--tree",
    "tree_name",
    default="trained",
    show_default=True,
    metavar="trained|fitted|DIR",
    help="The tree that the model was trained with, one fitted now to the places of these molecules (any"
    " method; saved as DIR/tree), or the directory of one fitted before.",
)
@click.option(
    "--depth", type=click.IntRange(1, 10), help="Levels of a tree that is fitted now.  [default: 6]"
)
@click.option(
    "--places",
    type=click.Choice(["anchor", "decoded"]),
    default="anchor",
    show_default=True,
    help="Fit to where the method places molecules, or to the profiles that it expects of them.",
)
@click.option("--modality", metavar="NAME", help="Of decoded profiles.  [default: the only one]")
@click.option(
    "--fewest",
    type=click.IntRange(2),
    default=5,
    show_default=True,
    help="Fewest molecules that a label and a node must have to be tested.",
)
@click.option(
    "--typical", type=click.IntRange(1), default=5, show_default=True, help="Most typical members listed."
)
@click.option("--smiles-col", metavar="NAME", help="Column with the SMILES of TABLE.  [default: smiles]")
@workers_option
@output_options
@verify_key_option
def command(
    *,
    model: str,
    corpus_dir: str | None,
    molecules: str | None,
    out: str,
    labels: tuple[str, ...],
    label_col: tuple[str, ...],
    tree_name: str,
    depth: int | None,
    places: str,
    modality: str | None,
    fewest: int,
    typical: int,
    smiles_col: str | None,
    workers: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Show the tree of a MODEL: how its levels are used, and what the members of each node have in common.

    DIR holds levels.csv (use, perplexity, dead nodes), nodes.csv, members.csv (the path of every molecule),
    typical.csv (members nearest to their node's code), enrichment.csv (labels, scaffolds and targets that
    gather in a node, with p-values corrected for the number of tests), agreement.csv (profiles beside their
    molecules, with a corpus), hierarchy.json with the sum of it, its card README.md, and tree/ if one was
    fitted.
    """
    if (corpus_dir is None) == (molecules is None):
        raise click.UsageError("give either --corpus or --molecules")
    if tree_name != "fitted" and (places != "anchor" or modality is not None or depth is not None):
        raise click.UsageError("--depth, --places and --modality go with --tree fitted")
    if places == "anchor" and modality is not None:
        raise click.UsageError("--modality goes with --places decoded")
    if label_col and not labels:
        raise click.UsageError("--label-col goes with --labels")
    from cytomol.files import atomic_directory, check_output

    check_output(out, force=force)
    table, corpus = _molecules(corpus_dir, molecules, smiles_col)

    from cytomol.artifact.backbone import load_backbone
    from cytomol.cells.modality import trained_modality
    from cytomol.cells.tree.code_tree import fit_tree, load_tree, trained_tree, write_tree
    from cytomol.cells.tree.read_tree import read_hierarchy
    from cytomol.cells.tree.tree_places import place_molecules
    from cytomol.progress import Reporter

    backbone = load_backbone(model)
    fitted = tree_name == "fitted"
    if fitted:
        tree, way = None, places
        of = trained_modality(backbone, modality, of="molecule").name if places == "decoded" else None
    else:
        tree = trained_tree(backbone) if tree_name == "trained" else load_tree(tree_name, backbone)
        way, of = tree.places, tree.modality
    reporter = Reporter(quiet=quiet)
    with reporter.bar("featurize") as advance:
        store = backbone.store(table["smiles"].tolist(), workers=workers, progress=advance)
    with reporter.bar("place") as advance:
        placed = place_molecules(backbone, store, way, of, progress=advance)  # type: ignore[arg-type]
    if tree is None:
        tree = fit_tree(placed, depth=depth or 6, where=way, modality=of)  # type: ignore[arg-type]
    with reporter.step("test"):
        found = read_hierarchy(
            backbone,
            tree,
            table,
            placed,
            labels=labels,
            label_columns=label_col,
            corpus=corpus,
            fewest=fewest,
        )
    with atomic_directory(out, force=force) as directory:
        found.write(directory, placed, typical=typical)
        if fitted:
            write_tree(tree, directory / "tree", backbone)
    if not quiet:
        _say(found, Path(out))


def _molecules(
    corpus_dir: str | None, molecules: str | None, smiles_col: str | None
) -> tuple[pd.DataFrame, Corpus | None]:
    """Return the molecules with a column ``smiles``, and the corpus if they are of one."""
    if corpus_dir is not None:
        from cytomol.corpus import read_corpus

        corpus = read_corpus(corpus_dir)
        return corpus.molecules, corpus
    from cytomol.corpus.identifiers import INCHIKEYS, plain_name
    from cytomol.tables import read_molecules

    assert molecules is not None
    read = read_molecules(molecules, smiles_col=smiles_col)
    keyed = [name for name in read.frame.columns if plain_name(str(name)) in INCHIKEYS]
    frame = read.frame.rename(columns={} if "inchikey" in keyed else dict.fromkeys(keyed[:1], "inchikey"))
    rest = frame.drop(columns=[read.smiles_col, *({"smiles"} & set(frame) - {read.smiles_col})])
    rest.insert(0, "smiles", read.smiles)
    return rest, None


def _say(found: Hierarchy, out: Path) -> None:
    """Print the use of the levels and the surest label of each kind."""
    told = found.summary()
    rows = agreeing(told["molecules"], "row", "is a molecule", "are molecules", of=told["rows"], comma=False)
    click.echo(f"{rows} with a path, {told['tested']} of them distinct")
    for line in told["levels"]:
        if line["of"] == "molecules":
            click.echo(
                f"level {line['level']}: {line['used']} of {line['nodes']} nodes used, perplexity "
                f"{line['perplexity']:.1f}"
            )
    for one in told["enrichment"]:
        best = one["surest"][0] if one["surest"] else None
        surest = (
            ""
            if best is None
            else f"; surest: {best['label']} in {best['path']}, {best['hits']} of {best['members']} members"
            f" ({best['fold']:.1f} times as often, q {best['q']:.0e})"
        )
        click.echo(
            f"{one['kind']}: {one['significant']} of {one['tests']} tests with q below 0.05, in"
            f" {counted(one['nodes'], 'node', comma=False)}{surest}"
        )
    click.echo(f"wrote {out}", err=True)
