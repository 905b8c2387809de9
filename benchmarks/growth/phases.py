"""A whole pretraining, its time and memory by phase."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from benchmarks.growth.memory import forget_peak, held_mb, peak_mb
from benchmarks.growth.steps import LINKS, context_note

from cytomol.chem.store import MoleculeStore
from cytomol.context import ContextGraph
from cytomol.methods import methods
from cytomol.training import pretrain as pretraining
from cytomol.training.dataset import prepare as preparing
from cytomol.training.dataset.profile_inputs import Neighbours
from cytomol.training.loop.callbacks import Keeper

__all__ = ["Phases", "pretrain_by_phases"]

EPOCHS, EPOCH = 5, 1024
"""Short epochs, and the molecules of each, spread over the whole corpus: does the memory stay flat?"""


@dataclass
class Phases:
    """Seconds and the highest mark of memory of each phase; what a phase inside takes is its own.

    Attributes
    ----------
    seconds, peaks
        By phase, in the order in which they first ended; memory in 10^6 bytes.
    held
        Resident memory as each short epoch ended.
    within
        Steps of the study that were taken on the way: name, seconds, peak memory, note.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    held: list[float] = field(default_factory=list)
    within: list[tuple[str, float, float, str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=lambda: ["rest"])
    _since: float = field(default_factory=time.perf_counter)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Count what happens meanwhile for a phase."""
        self._mark()
        self._open.append(name)
        try:
            yield
        finally:
            self._mark()
            self._open.pop()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that counts for a phase."""

        def run(*args: Any, **kwargs: Any) -> Any:
            with self.of(name):
                return function(*args, **kwargs)

        return run

    @property
    def peak_mb(self) -> float:
        """The most memory of all phases."""
        return max(self.peaks.values())

    def text(self) -> str:
        """Return the phases in words, for the table."""
        phases = (f"{name} {self.seconds[name]:,.0f} s {peak:,.0f} MB" for name, peak in self.peaks.items())
        held = ", ".join(f"{mb:,.0f}" for mb in self.held)
        return f"{'; '.join(phases)}; after each epoch of {EPOCH:,} molecules {held} MB"

    def _mark(self) -> None:
        """End a stretch of the phase that is open."""
        name, now = self._open[-1], time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self.peaks[name] = max(self.peaks.get(name, 0.0), peak_mb())
        self._since = now
        forget_peak()


def pretrain_by_phases(
    corpus: Path, store: Path, out: Path, method: str, keep: Callable[[ContextGraph], None] | None
) -> Phases:
    """Pretrain on a corpus in short epochs.

    Parameters
    ----------
    corpus
        Corpus directory.
    store
        Featurized molecules, as a cache that is warm holds them.
    out
        Where the model goes; it is removed.
    method
        Name of the method.
    keep
        Keeps the context graph for other steps; None leaves edges of computed similarity out of it.
    """
    phases = Phases()
    options: dict[str, Any] = {"epochs": EPOCHS, "validation_fraction": 0.0, "logger": "none"}
    if method == "chmr":
        options |= {"views": ("2d",), "molecule_targets": ("morgan",)}  # what the store holds
    if keep is None:
        options["criteria"] = LINKS
    config = methods[method].Config().updated(**options)

    def prepare(*args: Any, prepare: Any = preparing.prepare) -> Any:
        with phases.of("prepare"):
            data = prepare(*args)
        rows = np.random.default_rng(0).permutation(data.train)[:EPOCH]
        return replace(data, train=np.sort(rows))

    def build_context(*args: Any, build: Any = preparing.build_context, **options: Any) -> ContextGraph:
        with phases.of("context"):
            graph: ContextGraph = build(*args, **options)
        if keep is None:
            return graph
        keep(graph)
        found = phases.seconds["context"], phases.peaks["context"]
        phases.within.append(("context", *found, f"{context_note(graph)}; within pretrain"))
        return graph

    def epoch_end(keeper: Keeper, *hooked: Any, end: Any = Keeper.on_train_epoch_end) -> None:
        end(keeper, *hooked)
        phases.held.append(held_mb())

    with ExitStack() as stack:
        for place, name, stand_in in (
            (pretraining, "read_corpus", phases.timed("read", pretraining.read_corpus)),
            (pretraining, "prepare", prepare),
            (pretraining, "train", phases.timed("train", pretraining.train)),
            (pretraining, "overview", phases.timed("figures", pretraining.overview)),
            (preparing, "featurize", phases.timed("features", lambda *_, **__: MoleculeStore.open(store))),
            (preparing, "build_context", build_context),
            (preparing, "profile_inputs", phases.timed("propagation", preparing.profile_inputs)),
            (Neighbours, "matrix", phases.timed("neighbours", Neighbours.matrix)),
            (Keeper, "on_train_epoch_end", epoch_end),
        ):
            stack.enter_context(patch.object(place, name, stand_in))
        pretraining.pretrain(corpus, config, out, method=method, force=True)
    shutil.rmtree(out)
    return phases
