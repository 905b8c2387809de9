"""Measure one point in this process: ``python -m benchmarks.growth.worker WORK STEP AXIS VALUE BASE``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.growth.memory import forget_peak, held_mb, peak_mb
from benchmarks.speed.measure import release_memory

__all__ = ["main"]

_QUICK = 1.0  # seconds below which a step is repeated, so that what is compiled or loaded once drops out
_REPEATS = 3


def main(arguments: list[str]) -> None:
    """Load, measure, keep the product, print one JSON line."""
    _libraries()
    base = held_mb()
    from benchmarks.growth.material import Material
    from benchmarks.growth.points import Point
    from benchmarks.growth.steps import STEPS

    work, name, axis, value, molecules = arguments
    material = Material(Path(work), Point(name, axis, int(value), int(molecules)))
    step = STEPS[name]
    job = step.prepare(material)
    release_memory()
    forget_peak()
    seconds, result = _timed(job)
    peak = max(peak_mb(), getattr(result, "peak_mb", 0.0))  # a step with phases has kept their marks
    found = {
        "seconds": seconds,
        "peak_mb": peak,
        "base_mb": base,
        "note": step.note(result),
        "within": getattr(result, "within", []),
    }
    print(json.dumps(found), flush=True)
    if step.product:
        material.keep(step.product, result[0] if isinstance(result, tuple) else result)


def _libraries() -> None:
    """Load every library that a step may need, so that what is held then is the same for all."""
    import cytomol.corpus.planted
    import cytomol.training.dataset.prepare  # noqa: F401

    release_memory()


def _timed(job: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of a run and its result; of a quick one, the fewest of three runs."""
    best, result = float("inf"), None
    for _ in range(_REPEATS):
        result = None  # two results at a time would count as memory of the step
        began = time.perf_counter()
        result = job()
        seconds = time.perf_counter() - began
        best = min(best, seconds)
        if seconds >= _QUICK:
            break
    return best, result


if __name__ == "__main__":
    main(sys.argv[1:])
