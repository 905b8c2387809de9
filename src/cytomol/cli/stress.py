"""``cytomol stress``: how a method bears what real data do to it."""

from __future__ import annotations

import click

from cytomol.cli.examples import examples
from cytomol.cli.subverbs import SubVerbs

__all__ = ["command"]


@click.group(
    "stress",
    cls=SubVerbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol stress missing corpus --filling mean --rates 0,50 --epochs 1 -o stress",
    ),
    subverbs={"missing": "Hide more and more profiles, in pretraining and in use."},
)
def command() -> None:
    """Measure how a method bears what real data do to it."""
