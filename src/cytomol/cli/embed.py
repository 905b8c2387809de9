"""The verb embed: molecules in, their embeddings out."""

from __future__ import annotations

from functools import partial

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import finish, pass_options, rows_options, split_names
from cytomol.cli.stream_options import Streaming, check_answers_name, stream_options
from cytomol.cli.verify_key_option import verify_key_option

__all__ = ["command"]


@click.command(
    name="embed",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol embed backbone examples/molecules.csv -o embeddings.npz",
        "cytomol embed backbone examples/molecules.csv --chunk-rows 2 --shard 1/2 -o part-1/",
        "cytomol embed backbone examples/molecules.csv --chunk-rows 2 --shard 2/2 -o part-2/",
    ),
)
@click.argument("model", metavar="DIR")
@click.argument("molecules", metavar="INPUT")
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="Output: .npz, .parquet, .csv, .tsv, a FOLDER/ of Parquet files, or -.",
)
@rows_options
@partial(stream_options, shards=True, engines=True)
@pass_options
@verify_key_option
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
    chunk_rows: int,
    resume: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Write the embeddings that a pretrained or fine-tuned model DIR gives the molecules of INPUT.

    INPUT is CSV, TSV, Parquet, Excel, .smi or .sdf (gzipped or not), or - for standard input. Every row is
    answered in order; the output holds the columns of the input as they stand. An npz file also holds the
    matrix 'embedding' and 'error'; the other formats have the columns embedding_0, embedding_1 and so on.
    As DIR, default is the backbone that comes with cytomol.
    """
    from cytomol.tables.streaming import open_source

    check_answers_name(out, force=force)
    source = open_source(molecules, smiles_col=smiles_col, sheet=sheet)
    streaming = Streaming(out, chunk_rows, resume, force, quiet, workers)

    from cytomol.artifact.backbone import load_backbone
    from cytomol.predict.answered_rows import embed_rows
    from cytomol.predict.streamed_rows import EmbedJob, model_stamp
    from cytomol.progress import Reporter

    kept = split_names(keep, source.columns) if keep else None
    if streaming.wanted(source):
        job = EmbedJob(model, kept, on_error, batch_size, streaming.of_chunk)  # type: ignore[arg-type]
        stamp = {"model": model_stamp(model), "options": {"keep": kept, "batch_size": batch_size}}
        streaming.answer(source, job, bar="embed", verb="embedded", asked=stamp, on_error=on_error)
        return
    table = source.table()
    backbone = load_backbone(model)
    with Reporter(quiet=quiet).bar("embed") as advance:
        answer = embed_rows(
            backbone,
            table,
            keep=kept,
            on_error=on_error,  # type: ignore[arg-type]
            batch_size=batch_size,
            workers=workers,
            progress=advance,
        )
    finish(answer, out, verb="embedded", force=force, quiet=quiet)
