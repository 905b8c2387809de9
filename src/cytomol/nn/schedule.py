"""Course of the learning rate, as a pure function of the step: nothing to save, nothing to lose."""

from __future__ import annotations

import math

__all__ = ["learning_rate"]


def learning_rate(
    step: int, *, steps: int, warmup: int, base: float, schedule: str = "cosine", cycles: float = 7 / 16
) -> float:
    """Return the learning rate of a step.

    After warm-up it is base x max(0, cos(pi c t)), where t runs from 0 to 1. InfoAlign trains with
    c = 7/16, the schedule of FixMatch (Sohn et al., NeurIPS 2020, section 2.4), which ends at
    cos(7 pi / 16) = 0.195 of the base; c = 1/2 ends at zero.

    Parameters
    ----------
    step
        Steps already taken.
    steps
        Steps in all.
    warmup
        Steps over which the rate rises linearly.
    base
        Highest learning rate.
    schedule
        "cosine" or "constant".
    cycles
        c.
    """
    if step < warmup:
        return base * (step + 1) / (warmup + 1)
    if schedule == "constant":
        return base
    done = (step - warmup) / max(1, steps - warmup)
    return base * max(0.0, math.cos(math.pi * cycles * done))
