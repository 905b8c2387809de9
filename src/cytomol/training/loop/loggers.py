"""Where losses go beside the screen, by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cytomol.errors import MissingDependencyError
from cytomol.registry import Registry

__all__ = ["loggers"]

# Each entry returns a Lightning logger for a training whose result goes to the given path, or None.
loggers: Registry[Callable[[Path], Any]] = Registry("logger")


@loggers.register("csv")
def csv_file(out: Path) -> None:
    """Log to ``metrics.csv`` of the model directory, which the training's state carries anyway."""
    del out


@loggers.register("none")
def nowhere(out: Path) -> None:
    """Log nowhere."""
    del out


@loggers.register("tensorboard")
def tensorboard(out: Path) -> Any:
    """Log to TensorBoard files in ``<out>.logs``, and to ``metrics.csv``."""
    from lightning.pytorch.loggers import TensorBoardLogger

    try:
        return TensorBoardLogger(save_dir=out.with_name(out.name + ".logs"), name="", version="")
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"TensorBoard is not installed: {error}", hint="pip install 'cytomol[tensorboard]'"
        ) from None


@loggers.register("mlflow")
def mlflow(out: Path) -> Any:
    """Log to the MLflow server or store of ``MLFLOW_TRACKING_URI``, and to ``metrics.csv``."""
    from lightning.pytorch.loggers import MLFlowLogger

    try:
        return MLFlowLogger(
            experiment_name="cytomol",
            run_name=out.name,
            tracking_uri=os.environ.get("MLFLOW_TRACKING_URI"),
            run_id=os.environ.get("MLFLOW_RUN_ID"),
        )
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"MLflow is not installed: {error}", hint="pip install 'cytomol[mlflow]'"
        ) from None
