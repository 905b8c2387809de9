"""The option --workers, which is the same for every verb that featurizes molecules."""

from __future__ import annotations

import click

from cytomol.options.machine import MOST_THREADS

__all__ = ["workers_option"]

workers_option = click.option(
    "--workers", type=click.IntRange(1, MOST_THREADS), help="Processes that featurize.  [default: all cores]"
)
