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
from benchmarks.growth.series import WITHIN
from benchmarks.growth.steps import LINKS, context_note

from cytomol.chem.store import MoleculeStore
from cytomol.context import ContextGraph
from cytomol.methods import methods
from cytomol.training import pretrain as pretraining
from cytomol.training.dataset import prepare as preparing
from cytomol.training.dataset.profile_inputs import Neighbours
from cytomol.training.loop.callbacks import Keeper

__all__ = ["SHORT", "WHOLE", "Length", "Phases", "pretrain_by_phases"]


@dataclass(frozen=True)
class Length:
    """How long is learnt, and when the memory is looked at.

    Attributes
    ----------
    epochs
        Their number.
    molecules
        Molecules of an epoch, spread over the whole corpus; None for all of it.
    look
        Look at the memory after so many molecules.
    precision
        Of the computation.
    """

    epochs: int
    molecules: int | None
    look: int
    precision: str


SHORT = Length(5, 1_024, 1_024, "32-true")
"""Does the memory stay flat from epoch to epoch?"""
WHOLE = Length(1, None, 100_000, "bf16-mixed")
"""Does it within an epoch of every molecule? In the precision that who has so many would choose."""


@dataclass
class Phases:
    """Seconds and the highest mark of memory of each phase; what a phase inside takes is its own.

    Attributes
    ----------
    seconds, peaks
        By phase, in the order in which they first ended; memory in 10^6 bytes.
    length
        How long is learnt.
    held
        Resident memory at each look.
    within
        Steps of the study that were taken on the way: name, seconds, peak memory, note.
    """

    length: Length = SHORT
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
        which = "every" if self.length.molecules is None else "each epoch of"
        return f"{'; '.join(phases)}; after {which} {self.length.look:,} molecules {held} MB"

    def _mark(self) -> None:
        """End a stretch of the phase that is open."""
        name, now = self._open[-1], time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self.peaks[name] = max(self.peaks.get(name, 0.0), peak_mb())
        self._since = now
        forget_peak()


def pretrain_by_phases(
    corpus: Path,
    store: Path,
    out: Path,
    method: str,
    *,
    keep: Callable[[ContextGraph], None] | None,
    length: Length = SHORT,
) -> Phases:
    """Pretrain on a corpus.

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
    length
        How long is learnt.
    """
    phases = Phases(length)
    options: dict[str, Any] = {
        "epochs": length.epochs,
        "precision": length.precision,
        "validation_fraction": 0.0,
        "logger": "none",
    }
    if method == "chmr":
        options |= {"views": ("2d",), "molecule_targets": ("morgan",)}  # what the store holds
    if keep is None:
        options["criteria"] = LINKS
    config = methods[method].Config().updated(**options)
    with _watched(phases, store, keep):
        pretraining.pretrain(corpus, config, out, method=method, force=True)
    shutil.rmtree(out)
    return phases


@contextmanager
def _watched(phases: Phases, store: Path, keep: Callable[[ContextGraph], None] | None) -> Iterator[None]:
    """Have what a pretraining calls note its phase; cut its epochs, and take the features that are kept."""

    def prepare(*args: Any, prepare: Any = preparing.prepare) -> Any:
        with phases.of("prepare"):
            data = prepare(*args)
        rows = np.random.default_rng(0).permutation(data.train)[: phases.length.molecules]
        return replace(data, train=np.sort(rows))

    def build_context(*args: Any, build: Any = preparing.build_context, **options: Any) -> ContextGraph:
        with phases.of("context"):
            graph: ContextGraph = build(*args, **options)
        if keep is None:
            return graph
        keep(graph)
        found = phases.seconds["context"], phases.peaks["context"]
        phases.within.append(("context", *found, f"{context_note(graph)}; {WITHIN}"))
        return graph

    def batch_end(keeper: Keeper, *hooked: Any, end: Any = Keeper.on_train_batch_end) -> None:
        before = keeper.run.state.molecules // phases.length.look
        end(keeper, *hooked)
        if keeper.run.state.molecules // phases.length.look > before:
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
            (Keeper, "on_train_batch_end", batch_end),
        ):
            stack.enter_context(patch.object(place, name, stand_in))
        yield
