"""Names that learners had in version 0.1, which directories written then still bear."""

from __future__ import annotations

from cytomol.learners.base import learners

__all__ = ["FORMER", "restored_as"]

FORMER = {
    "boosting-embedding": "boosting",
    "cytomol-equal": "cytomol",
    "cytomol-plain": "cytomol",
    "forest-bits": "forest",
    "mlp-embedding-one": "mlp-embedding",
    "mlp-one": "mlp",
}
"""Learners with other settings, and the learner that restores what was fitted by each."""


def restored_as(name: str) -> str:
    """Return the learner that restores what a learner of this name has saved."""
    return name if name in learners else FORMER.get(name, name)
