"""Which sets are divided how often, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MOST_REPEATS", "SETS", "Unit", "units"]

SETS = ("bace", "bbbp", "clintox", "sider", "chembl2k", "biogenadme", "broad6k")
"""The sets that are small enough for it, cheap ones first."""

MOST_REPEATS = {"broad6k": 3}
"""Sets with fewer repeats than asked for."""


@dataclass(frozen=True)
class Unit:
    """One part fitted on one fold of one repeat of a set, of ``folds`` folds."""

    set: str
    repeat: int
    fold: int
    part: str
    folds: int = 5

    def path(self, folder: Path) -> Path:
        """Return its file below the folder of a backbone."""
        return folder / self.set / f"{self.part}-{self.folds}-r{self.repeat}-f{self.fold}.npz"


def units(sets: Sequence[str], repeats: int, folds: int, parts: Sequence[str]) -> Iterator[Unit]:
    """Yield what is fitted, a repeat of every set before the next one, so that it can be cut at any time."""
    for repeat in range(repeats):
        for name in SETS:
            if name not in sets or repeat >= MOST_REPEATS.get(name, repeats):
                continue
            for fold in range(folds):
                for part in parts:
                    yield Unit(name, repeat, fold, part, folds)
