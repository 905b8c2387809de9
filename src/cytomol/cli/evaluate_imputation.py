"""``cytomol evaluate imputation``: expected profiles against measured ones, beside simpler ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import output_options, split_names
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.counted import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["command"]


@click.command(
    name="imputation",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol evaluate imputation corpus backbone --held-out corpus/heldout.csv -o imputation.csv",
    ),
)
@click.argument("corpus", metavar="CORPUS")
@click.argument("model", metavar="DIR")
@click.option("-o", "--out", required=True, metavar="OUT", help="Rows: .csv, .tsv or .parquet.")
@click.option(
    "--held-out",
    required=True,
    metavar="FILE",
    help="Molecules to score, whose profiles were left out of pretraining (pretrain --exclude-profiles-of).",
)
@click.option("--modality", multiple=True, metavar="A,B", help="Modalities to score.  [default: all]")
@click.option(
    "--strata",
    metavar="FILE",
    help="Table with a column inchikey (or smiles) and columns of 0 and 1: groups that are scored apart too.",
)
@click.option(
    "--coverage",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    help="Share of measured values that intervals are to hold.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap.")
@output_options
@verify_key_option
def command(
    *,
    corpus: str,
    model: str,
    out: str,
    held_out: str,
    modality: tuple[str, ...],
    strata: str | None,
    coverage: float,
    seed: int,
    force: bool,
    quiet: bool,
) -> None:
    """Score the profiles that a pretrained model DIR expects of held-out molecules of CORPUS.

    The molecules are dealt to two halves by scaffold; each half is scored with calibrations learnt on the
    other. Beside the model stand the mean, nearest neighbours and ridge regression on fingerprints, all
    learnt from the other molecules of the corpus. Explained variance is that of the training mean.
    """
    from cytomol.tables import check_table_name, write_table

    check_table_name(out, force=force)

    from cytomol.artifact.backbone import load_backbone
    from cytomol.cells.impute.decoding import decoded_modalities
    from cytomol.evaluate.imputation.crossed import imputation_rows
    from cytomol.progress import Reporter

    names = split_names(modality, ())
    modalities = decoded_modalities(load_backbone(model), None if "all" in names else names or None)
    with Reporter(quiet=quiet).step("score"):
        rows = imputation_rows(
            model, modalities, corpus, held_out, strata=strata, coverage=coverage, seed=seed
        )
    write_table(rows, out, force=force)
    if not quiet:
        _say(rows, out)


def _say(rows: pd.DataFrame, out: str) -> None:
    """Print what matters of all molecules."""
    for modality, of in rows[rows["stratum"] == "all"].groupby("modality", sort=False):
        click.echo(f"{modality}, {counted(int(of['molecules'].iloc[0]), 'molecule')}", err=True)
        table = of.pivot_table(index="source", columns="metric", values="value", sort=False)
        for source, line in table.iterrows():
            told = "  ".join(
                f"{metric} {line[metric]:.3f}"
                for metric in (
                    "r2",
                    "profile_correlation",
                    "feature_correlation",
                    "discrimination",
                    "coverage",
                )
                if metric in line and line[metric] == line[metric]
            )
            click.echo(f"  {source:<19} {told}", err=True)
    click.echo(f"wrote {len(rows)} rows: {out}", err=True)
