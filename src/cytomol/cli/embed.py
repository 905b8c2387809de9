"""The verb embed: molecules in, their embeddings out."""

from __future__ import annotations

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import finish, pass_options, rows_options, split_names

__all__ = ["command"]


@click.command(
    name="embed",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol embed backbone examples/molecules.csv -o embeddings.npz",
    ),
)
@click.argument("model", metavar="DIR")
@click.argument("molecules", metavar="INPUT")
@click.option("-o", "--out", required=True, metavar="OUT", help="Output: .npz, .parquet, .csv, .tsv or -.")
@rows_options
@pass_options
def command(
    *,
    model: str,
    molecules: str,
    out: str,
    smiles_col: str | None,
    sheet: str | None,
    keep: tuple[str, ...],
    on_error: str | None,
    batch_size: int,
    workers: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Write the embeddings that a pretrained or fine-tuned model DIR gives the molecules of INPUT.

    INPUT is CSV, TSV, Parquet, Excel, .smi or .sdf (gzipped or not), or - for standard input. Every row is
    answered in order; the output holds the columns of the input as they stand. An npz file also holds the
    matrix 'embedding' and 'error'; the other formats have the columns embedding_0, embedding_1 and so on.
    As DIR, default is the backbone that comes with cytomol.
    """
    from cytomol.tables import check_table_name, read_molecules

    check_table_name(out, force=force)
    table = read_molecules(molecules, smiles_col=smiles_col, sheet=sheet)

    from cytomol.artifact.backbone import load_backbone
    from cytomol.predict.answered_rows import embed_rows
    from cytomol.progress import Reporter

    backbone = load_backbone(model)
    with Reporter(quiet=quiet).bar("embed") as advance:
        answer = embed_rows(
            backbone,
            table,
            keep=split_names(keep, table.frame.columns) if keep else None,
            on_error=on_error,  # type: ignore[arg-type]
            batch_size=batch_size,
            workers=workers,
            progress=advance,
        )
    finish(answer, out, verb="embedded", force=force, quiet=quiet)
