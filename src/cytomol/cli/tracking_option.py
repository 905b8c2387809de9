"""The option --mlflow, which is the same for every verb that has it."""

from __future__ import annotations

import click

__all__ = ["mlflow_option"]

mlflow_option = click.option(
    "--mlflow",
    metavar="URI",
    help="Tell an MLflow server or store the options, every epoch, scores and card; env: the one in "
    "MLFLOW_TRACKING_URI.",
)
