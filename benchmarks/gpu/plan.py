"""What is done, in which order, with how much time, and at which sizes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

__all__ = [
    "METHODS",
    "STAGES",
    "TRAININGS",
    "Clock",
    "Measured",
    "Settings",
    "Sizes",
    "Training",
    "measured",
    "stage_seconds",
]

STAGES = ("features", "equality", "speed", "pretraining")
"""Stages in their order."""

METHODS = ("infoalign", "chmr")

_CELL, _STRUCTURE = "cell", "structure"

_WEIGHTS = {"features": 2.0, "equality": 2.0, "speed": 3.0, "pretraining": 5.0}


def stage_seconds(stage: str, chosen: tuple[str, ...], left: float) -> float:
    """Return the seconds that a stage may take of those left, so that the chosen ones after it get theirs."""
    coming = [name for name in STAGES if name in chosen and STAGES.index(name) >= STAGES.index(stage)]
    return max(0.0, left) * _WEIGHTS[stage] / sum(_WEIGHTS[name] for name in coming)


class Clock:
    """Time that is left, whatever the clock on the wall does.

    Parameters
    ----------
    seconds
        Time in all, from now.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left."""
        return self._ends - time.monotonic()

    @property
    def over(self) -> bool:
        """Say whether none are."""
        return self.left() <= 0


@dataclass(frozen=True)
class Sizes:
    """How much of everything.

    Attributes
    ----------
    molecules
        Compared between the devices.
    batches
        Sizes of a batch in the rows of speed, the two that matter most first.
    compiled
        Precisions of the compiled rows.
    seconds, repeats
        A row of speed is measured so long, and so often at least.
    copied
        Bytes copied to find the rate of a copy.
    options
        Options of the methods that differ from the defaults.
    batch_size
        Of the trainings.
    targets
        Features that trainings reconstruct.
    relation
        Of molecules with genes, which trainings with cell data reconstruct; "" for none.
    backend
        Compiler of the compiled rows.
    """

    molecules: int = 256
    batches: tuple[int, ...] = (1024, 3072, 256)
    compiled: tuple[str, ...] = ("bf16", "tf32", "float32")
    seconds: float = 1.0
    repeats: int = 3
    copied: int = 2**30
    options: tuple[tuple[str, Any], ...] = ()
    batch_size: int = 1024
    targets: tuple[str, ...] = ("morgan", "maccs", "descriptors")
    relation: str = "compound_targets_gene"
    backend: str = "inductor"

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for a rehearsal."""
        return cls(
            molecules=24,
            batches=(24,),
            compiled=("bf16",),
            seconds=0.0,
            repeats=1,
            copied=2**20,
            options=(("width", 32), ("layers", 2)),
            batch_size=64,
            relation="",  # few molecules have targets
            backend="eager",
        )


@dataclass(frozen=True)
class Settings:
    """What the command was asked for.

    Attributes
    ----------
    corpus
        Folder of the corpus.
    exclude
        Molecules whose cell data are left out; None for nobody's.
    out, work
        Folder of what comes home, and of what does not.
    device
        "cuda" or "cpu".
    sizes
        How much of everything.
    trainings
        Names of the trainings to do, the most important first.
    jobs
        So many of them at a time.
    commit
        Commit of the code, "" where it is not known.
    seconds
        Time of the stage under way.
    skip_failed
        Rows that failed before are left as they are.
    """

    corpus: Path
    exclude: Path | None
    out: Path
    work: Path
    device: str
    sizes: Sizes
    trainings: tuple[str, ...]
    jobs: int = 1
    commit: str = ""
    seconds: float = 0.0
    skip_failed: bool = False

    def text(self) -> str:
        """Return the settings as JSON, for another process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the settings that :meth:`text` wrote."""
        table = json.loads(text)
        sizes = table.pop("sizes")
        sizes |= {name: tuple(sizes[name]) for name in ("batches", "compiled", "targets")}
        sizes["options"] = tuple((name, value) for name, value in sizes["options"])
        for name in ("corpus", "exclude", "out", "work"):
            table[name] = None if table[name] is None else Path(table[name])
        table["trainings"] = tuple(table["trainings"])
        return cls(**table, sizes=Sizes(**sizes))

    def within(self, seconds: float, *, skip_failed: bool = False) -> Self:
        """Return the settings of a stage that may take so many seconds."""
        return replace(self, seconds=seconds, skip_failed=skip_failed)


@dataclass(frozen=True)
class Training:
    """One of the trainings.

    Attributes
    ----------
    method
        Registered name of the method.
    cells
        Cell data are learnt from.
    epochs, seed
        Its length and its chance.
    """

    method: str
    cells: bool
    epochs: int
    seed: int

    @classmethod
    def read(cls, name: str) -> Self:
        """Return the training of a name.

        Raises
        ------
        ValueError
            If it is no such name.

        Examples
        --------
        >>> Training.read("chmr-structure-75-1")
        Training(method='chmr', cells=False, epochs=75, seed=1)
        """
        method, data, epochs, seed = name.split("-")
        if method not in METHODS or data not in (_CELL, _STRUCTURE):
            raise ValueError(name)
        return cls(method, data == _CELL, int(epochs), int(seed))

    @property
    def name(self) -> str:
        """Names the model: method, what it learns from, epochs, seed."""
        return f"{self.method}-{_CELL if self.cells else _STRUCTURE}-{self.epochs}-{self.seed}"

    @property
    def title(self) -> str:
        """Say what it is."""
        method = "InfoAlign" if self.method == "infoalign" else "CHMR"
        return f"{method} {'with' if self.cells else 'without'} cell data, seed {self.seed}"


def _named(epochs: int, seed: int) -> list[str]:
    return [Training(method, cells, epochs, seed).name for method in METHODS for cells in (True, False)]


TRAININGS = (
    *(name for epochs in (300, 75, 25, 8) for name in _named(epochs, 0)),
    *(name for seed in (1, 2) for name in _named(75, seed)),
    *(name for seed in (1, 2) for name in _named(300, seed)),
)
"""Names of the trainings: a curve by length, then other seeds."""


@dataclass(frozen=True)
class Measured:
    """A row of speed that is to be measured.

    Attributes
    ----------
    what
        "step" (of pretraining) or "frozen encoder".
    method
        Registered name of the method.
    batch
        Molecules of a batch.
    precision
        "float32", "tf32" or "bf16".
    mode
        "eager" or "compiled".
    """

    what: str
    method: str
    batch: int
    precision: str
    mode: str


def measured(sizes: Sizes) -> Iterator[Measured]:
    """Yield the rows of speed, the most important first: time may run out."""
    main, rest = sizes.batches[:2], sizes.batches[2:]
    for mode in ("eager", "compiled"):
        for precisions, batches in (
            (("bf16", "tf32"), main),
            (("float32",), main),
            (("bf16", "tf32", "float32"), rest),
        ):
            for precision in precisions:
                if mode == "compiled" and precision not in sizes.compiled:
                    continue
                for batch in batches:
                    yield Measured("step", "infoalign", batch, precision, mode)
                    yield Measured("step", "chmr", batch, precision, mode)
                    yield Measured("frozen encoder", "infoalign", batch, precision, mode)
