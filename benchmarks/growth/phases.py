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

from cytomol.chem.store import MoleculeStore
from cytomol.methods import methods
from cytomol.training import pretrain as pretraining
from cytomol.training.dataset import prepare as preparing
from cytomol.training.dataset.profile_inputs import Neighbours
from cytomol.training.loop.callbacks import Keeper

__all__ = ["Phases", "pretrain_by_phases"]

EPOCHS, EPOCH = 4, 25_000
"""Short epochs, and the molecules of each, drawn anew from all: does the memory stay flat?"""

SMALL = {"width": 64, "layers": 2}
"""The encoder that sees every molecule once: of the default one, a million would take an hour on a core."""


@dataclass
class Phases:
    """Seconds and the highest mark of memory of each phase; what a phase inside takes is its own.

    Attributes
    ----------
    seconds, peaks
        By phase, in the order in which they first ended; memory in 10^6 bytes.
    held
        Resident memory as each short epoch ended.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    held: list[float] = field(default_factory=list)
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
        return f"{'; '.join(phases)}; after each short epoch {', '.join(f'{mb:,.0f}' for mb in self.held)} MB"

    def _mark(self) -> None:
        """End a stretch of the phase that is open."""
        name, now = self._open[-1], time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self.peaks[name] = max(self.peaks.get(name, 0.0), peak_mb())
        self._since = now
        forget_peak()


def pretrain_by_phases(corpus: Path, store: Path, out: Path, method: str) -> Phases:
    """Pretrain on a corpus: short epochs of the default model, then one of all molecules of a small one.

    Parameters
    ----------
    corpus
        Corpus directory.
    store
        Featurized molecules, as a cache that is warm holds them.
    out
        Where the models go; they are removed.
    method
        Name of the method.
    """
    phases, kept = Phases(), {}
    options: dict[str, Any] = {"epochs": EPOCHS, "validation_fraction": 0.0, "workers": 1, "logger": "none"}
    if method == "chmr":
        options["views"] = ("1d", "2d")  # a million conformers would take days
    config = methods[method].Config().updated(**options)
    read, prepare = pretraining.read_corpus, preparing.prepare

    def read_once(path: Path) -> Any:
        if "corpus" not in kept:
            kept["corpus"] = phases.timed("read", read)(path)
        return kept["corpus"]

    def prepare_once(*args: Any) -> Any:
        if "data" in kept:
            return kept["data"]
        data = kept["data"] = phases.timed("prepare", prepare)(*args)
        rows = np.random.default_rng(0).permutation(data.train)[:EPOCH]
        return replace(data, train=np.sort(rows))

    def epoch_end(keeper: Keeper, *hooked: Any, end: Any = Keeper.on_train_epoch_end) -> None:
        end(keeper, *hooked)
        if keeper.run.backbone.config.width == config.width:
            phases.held.append(held_mb())

    with ExitStack() as stack:
        for place, name, stand_in in (
            (pretraining, "read_corpus", read_once),
            (pretraining, "prepare", prepare_once),
            (pretraining, "overview", phases.timed("figures", pretraining.overview)),
            (preparing, "featurize", phases.timed("features", lambda *_, **__: MoleculeStore.open(store))),
            (preparing, "build_context", phases.timed("context", preparing.build_context)),
            (preparing, "profile_inputs", phases.timed("propagation", preparing.profile_inputs)),
            (Neighbours, "matrix", phases.timed("neighbours", Neighbours.matrix)),
            (Keeper, "on_train_epoch_end", epoch_end),
        ):
            stack.enter_context(patch.object(place, name, stand_in))
        runs = {"short epochs": config, "whole epoch": config.updated(**SMALL, epochs=1)}
        for name, chosen in runs.items():
            with patch.object(pretraining, "train", phases.timed(name, pretraining.train)):
                pretraining.pretrain(corpus, chosen, out, method=method, force=True)
        shutil.rmtree(out)
    return phases
