"""The features of all molecules, before other stages need them: computed once, on all cores, and kept."""

from __future__ import annotations

import time
from dataclasses import replace

from benchmarks.gpu.material import Material
from benchmarks.gpu.plan import METHODS, Clock, Settings
from benchmarks.gpu.rows import Row, Table, number

from cytomol.progress import Reporter
from cytomol.training.dataset.prepare import prepare

__all__ = ["run"]


def run(settings: Settings, table: Table, clock: Clock) -> None:
    """Put into the cache what the comparisons and the trainings of both methods read."""
    material = Material(settings)
    for method in METHODS:
        row = Row("features", "molecules", method)
        if clock.over or table.has(row):
            continue
        began = time.perf_counter()
        config = material.config(method).updated(modalities=(), walk_length=0)  # no context is needed here
        for one in (config, config.updated(molecule_targets=settings.sizes.targets)):
            prepare(material.corpus, one, Reporter(quiet=True))
        seconds = number(time.perf_counter() - began)
        note = f"{len(material.corpus):,} molecules, read or computed"
        table.add(replace(row, value=seconds, unit="s", note=note))
