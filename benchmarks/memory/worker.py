"""One pretraining in this process, its memory written down after every epoch."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.growth.memory import forget_peak, held_mb, peak_mb
from benchmarks.memory.rows import Run, add

from cytomol.methods import methods
from cytomol.methods.config import MethodConfig
from cytomol.training.loop.callbacks import Keeper
from cytomol.training.pretrain import pretrain

__all__ = ["config_of"]


def config_of(run: Run, epochs: int) -> MethodConfig:
    """Return the options of a run: those of the methods, and without cell data what molecules tell alone."""
    options: dict[str, Any] = {
        "precision": run.precision, "batch_size": run.batch_size, "threads": run.threads, "epochs": epochs
    }  # fmt: skip
    if run.cells == "none":
        options["modalities"] = ()
    if run.method == "chmr":
        options["views"] = ("1d", "2d")  # conformers for the 3D view would take longer than the runs
    elif run.cells == "none":
        options |= {"molecule_targets": ("morgan", "maccs", "descriptors"), "walk_length": 0}
    return methods[run.method].Config().updated(**options)


def _measure(run: Run, table: Path) -> None:
    """Let the keeper of a training write down what an epoch held, and how long it took."""
    start, end = Keeper.on_train_epoch_start, Keeper.on_train_epoch_end
    before = {"molecules": 0, "seconds": 0.0, "cpu": 0.0}

    def epoch_start(keeper: Keeper, *hooked: Any) -> None:
        forget_peak()
        state = keeper.run.state
        before.update(molecules=state.molecules, seconds=state.seconds, cpu=time.process_time())
        start(keeper, *hooked)

    def epoch_end(keeper: Keeper, *hooked: Any) -> None:
        end(keeper, *hooked)
        state = keeper.run.state
        seconds, molecules = state.seconds - before["seconds"], state.molecules - before["molecules"]
        add(
            table,
            run,
            epoch=state.epoch,
            resident_mb=held_mb(),
            peak_mb=peak_mb(),
            molecules_per_second=molecules / seconds,
            cpu_seconds=time.process_time() - before["cpu"],
        )

    Keeper.on_train_epoch_start, Keeper.on_train_epoch_end = epoch_start, epoch_end  # type: ignore[method-assign]


def main() -> None:
    """Pretrain; the arguments are the run as JSON, epochs, corpus and table."""
    described, epochs, corpus, table = sys.argv[1:]
    run = Run(**json.loads(described))
    _measure(run, Path(table))
    with tempfile.TemporaryDirectory() as folder:
        pretrain(corpus, config_of(run, int(epochs)), Path(folder) / "model", method=run.method, quiet=True)


if __name__ == "__main__":
    main()
