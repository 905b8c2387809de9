"""Where the jobs of a campaign find the learners that only the studies ask for."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["PLUGINS", "reach_jobs"]

PLUGINS = ("benchmarks.quality.study_learners",)
"""What a :class:`~cytomol.evaluate.runner.Benchmark` of the campaign takes as ``plugins``."""

_ROOT = str(Path(__file__).resolve().parents[2])


def reach_jobs() -> None:
    """Let the processes of jobs find this module, wherever they are started."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if _ROOT not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([_ROOT, *(path for path in paths if path)])
