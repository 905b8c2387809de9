"""Options that name other encoders, and the modules that register a user's own."""

from __future__ import annotations

import click

__all__ = ["encoder_option", "plugin_option"]

encoder_option = click.option(
    "--encoder",
    multiple=True,
    metavar="NAME",
    help="Another encoder's vectors, learnt from beside fingerprints: minimol, one that a plugin registers, "
    "or file:TABLE, vectors computed elsewhere (CSV, TSV or Parquet with a column of SMILES or InChIKeys). "
    "Once for each encoder. A model knows its encoders, and needs only its tables again.",
)
plugin_option = click.option(
    "--plugin",
    multiple=True,
    metavar="MODULE",
    help="Module that registers encoders of your own.",
)
