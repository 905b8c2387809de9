"""What the rows work on: the corpus, prepared for both methods as their default settings have it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from benchmarks.gpu.plan import Settings
from numpy.typing import NDArray

from cytomol.corpus import Corpus, read_corpus
from cytomol.methods import Method, methods
from cytomol.methods.config import MethodConfig
from cytomol.progress import Reporter
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.prepare import prepare

__all__ = ["Material"]


@dataclass
class Material:
    """The corpus, and what is made of it when it is first asked for.

    Attributes
    ----------
    settings
        What the command was asked for.
    """

    settings: Settings
    _corpus: Corpus | None = None
    _data: dict[str, PretrainData] = field(default_factory=dict)

    def config(self, method: str, *, dropout: bool = True) -> MethodConfig:
        """Return the default options of a method without the 3D view, with or without dropout."""
        options = dict(self.settings.sizes.options)
        if method == "chmr":
            options["views"] = ("1d", "2d")
        if not dropout:
            options |= {"dropout": 0.0, "decoder_dropout": 0.0}
        return methods[method].Config.preset("default").updated(**options)

    @property
    def corpus(self) -> Corpus:
        """The corpus, read once."""
        if self._corpus is None:
            self._corpus = read_corpus(self.settings.corpus)
        return self._corpus

    def data(self, method: str) -> PretrainData:
        """Return what a method's batches are made of."""
        if method not in self._data:
            self._data[method] = prepare(self.corpus, self.config(method), Reporter(quiet=True))
        return self._data[method]

    def build(self, method: str, *, dropout: bool = True) -> Method:
        """Return a method at its beginning, always with the same weights, on the host."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return methods[method].from_config(
                self.config(method, dropout=dropout), self.data(method).dimensions
            )

    def rows(self, method: str, size: int, *, number: int = 0) -> NDArray[np.int64]:
        """Return molecules of a batch: half of them with cell data, where there are so many."""
        data, rng = self.data(method), np.random.default_rng([7, number])
        measured = np.zeros(len(data.store), np.bool_)
        for modality in self.corpus.modalities.values():
            if modality.entity == "molecule":
                measured[modality.rows] = True
        known = rng.permutation(data.train[measured[data.train]])[: size // 2]
        others = rng.permutation(np.setdiff1d(data.train, known))
        rows = np.concatenate([known, others[: size - len(known)]])
        return np.resize(rows, size)  # a corpus may be smaller than a batch
