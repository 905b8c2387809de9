"""What a process of its own does for one unit; a module that it can import by name."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.quality.repeated.material import read_material
from benchmarks.quality.repeated.parts import READS_ENCODER, fit_part
from benchmarks.quality.repeated.plan import Unit

__all__ = ["run_unit"]


def run_unit(unit: Unit, material: Path) -> float:
    """Fit one unit, write its file beside the material, and return the seconds that it took."""
    import torch

    torch.set_num_threads(1)
    began = time.perf_counter()
    data = read_material(material, encoded=unit.part in READS_ENCODER)
    division = data.division(unit.repeat, unit.fold, unit.folds)
    answers = fit_part(unit.part, data, division, 100 * unit.repeat + unit.fold)
    answers.write(unit.path(material.parents[1]))
    return time.perf_counter() - began
