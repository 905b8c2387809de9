"""``cytomol evaluate``: how much a model knows of cells, on molecules that it has not seen."""

from __future__ import annotations

import click

from cytomol.cli.examples import examples
from cytomol.cli.subverbs import SubVerbs

__all__ = ["command"]


@click.group(
    "evaluate",
    cls=SubVerbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol evaluate imputation corpus backbone --held-out corpus/heldout.csv -o imputation.csv",
    ),
    subverbs={
        "matching": "Whether models find the profiles of molecules that they have not seen.",
        "imputation": "Expected profiles against measured ones, beside simpler ways.",
        "alignment": "How far molecules and modalities have come to one space.",
    },
)
def command() -> None:
    """Measure what a model knows of cells, on molecules that it has not seen."""
