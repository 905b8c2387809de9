"""``cytomol evaluate alignment``: how far molecules and modalities have come to one space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.verify_key_option import verify_key_option

if TYPE_CHECKING:
    from cytomol.evaluate.alignment.drawn_coordinates import Drawing

__all__ = ["command"]

_PLACE = click.Path(path_type=Path)


@click.command(
    "alignment",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol evaluate alignment backbone corpus -o -",
    ),
)
@click.argument("model", type=click.Path())
@click.argument("corpus", type=_PLACE)
@click.option(
    "-o", "--output", default="-", type=click.Path(), help="Table of pairs and stages; - prints it."
)
@click.option("--modality", multiple=True, metavar="NAME", help="Modality to compare; repeatable. All known.")
@click.option(
    "--only",
    type=_PLACE,
    metavar="FILE",
    help="Look at these molecules alone (SMILES or InChIKeys, compared by connectivity): those that "
    "pretraining left out.",
)
@click.option("--coordinates", type=_PLACE, metavar="FILE", help="Table of coordinates to write as well.")
@click.option(
    "--draw",
    default="tsne",
    show_default=True,
    type=click.Choice(["tsne", "umap", "pacmap"]),
    help="How coordinates are drawn; umap and pacmap need their package.",
)
@click.option(
    "--most",
    default=2000,
    show_default=True,
    type=click.IntRange(2, 5000),
    help="Molecules that are drawn, by the seed, where more have a profile.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
@click.option("--force", is_flag=True, help="Replace existing outputs.")
@verify_key_option
def command(
    model: str,
    corpus: Path,
    *,
    output: str,
    modality: tuple[str, ...],
    only: Path | None,
    coordinates: Path | None,
    draw: Drawing,
    most: int,
    seed: int,
    force: bool,
) -> None:
    """Compare molecules and their profiles, pair by pair, before and after training.

    For each pair: linear CKA, the squared maximum mean discrepancy (RBF kernel, unbiased), and how often one
    finds its own other among all; of fingerprints and scaled profiles (features), of the model before its
    training (untrained) and after (trained).
    """
    from cytomol.artifact.backbone import load_backbone
    from cytomol.corpus import read_corpus
    from cytomol.evaluate.alignment.aligned_tables import compared_modalities, seen
    from cytomol.evaluate.alignment.alignment_rows import alignment_rows
    from cytomol.evaluate.alignment.alignment_rows import coordinates as drawn_places
    from cytomol.tables.write import check_table_name, write_table

    check_table_name(output, force=force)
    if coordinates is not None:
        check_table_name(coordinates, force=force)
    backbone = load_backbone(model)
    read = read_corpus(corpus)
    modalities = compared_modalities(backbone, read, modality)
    chosen = None
    if only is not None:
        import numpy as np

        from cytomol.training.dataset.exclude import connectivity_blocks, listed_blocks

        chosen = np.isin(np.array(connectivity_blocks(read)), sorted(listed_blocks(only) - {""}))
    table = seen(read, modalities, only=chosen, most=most, seed=seed)
    rows = alignment_rows(backbone, modalities, table, report=lambda text: click.echo(text, err=True))
    write_table(rows.round(6), output, force=force)
    if coordinates is not None:
        write_table(drawn_places(backbone, modalities, table, way=draw, seed=seed), coordinates, force=force)
