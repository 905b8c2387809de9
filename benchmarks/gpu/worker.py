"""One stage in a process of its own: ``python -m benchmarks.gpu.worker STAGE SETTINGS``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

from benchmarks.gpu.plan import Clock, Settings
from benchmarks.gpu.rows import Row, Table

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Run the stage until it is done or its time is over."""
    # not above: the processes that featurize molecules import this module too
    import torch
    from benchmarks.gpu.machine import device_name

    stage, text = arguments
    settings = Settings.read(text)
    clock = Clock(settings.seconds)
    warnings.filterwarnings("ignore", module=r"torch\._dynamo")  # what it cannot trace, it leaves as it is
    table = Table(
        settings.out,
        device=device_name(settings.device),
        torch=torch.__version__,
        skip_failed=settings.skip_failed,
    )
    _stage(stage)(settings, table, clock)
    if not clock.over and not any(row.stage == stage and row.failed for row in table.read()):
        table.add(Row(stage, "stage", note="done"))


def _stage(name: str) -> Callable[[Settings, Table, Clock], None]:
    if name == "features":
        from benchmarks.gpu.features import run
    elif name == "equality":
        from benchmarks.gpu.equality import run
    elif name == "speed":
        from benchmarks.gpu.speed import run
    else:
        from benchmarks.gpu.pretraining import run
    return run


if __name__ == "__main__":
    main(sys.argv[1:])
