"""Molecules are read by processes of their own, so that the one that answers stays free."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Self

from cytomol.chem.chunk import HEAVY, empty_store, featurize_chunk_several
from cytomol.chem.featurize import featurize
from cytomol.chem.options import FeatureOptions
from cytomol.chem.store import MoleculeStore
from cytomol.processes import fresh_processes

__all__ = ["FeaturePool"]

_ENTRY = "cytomol.serve.feature_pool"
_LEAST = 4  # molecules that are worth another process
_LOST = "the process that read it died"
_TOO_LARGE = "too large for the service: more than 200 atoms or 20 rings"

Stores = list[MoleculeStore]


class FeaturePool:
    """Featurizes molecules in processes that are kept; here where there are none.

    A process that dies takes no other request with it: its molecules are tried again one by one, and the one
    that kills another process has that for an error.

    Parameters
    ----------
    workers
        Processes; 0 for none but this one.

    Examples
    --------
    >>> with FeaturePool(0) as pool:
    ...     pool.stores(["CCO", "x"], [FeatureOptions()])[0].valid.tolist()
    [True, False]
    """

    def __init__(self, workers: int = 0) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def stores(self, smiles: Sequence[str], wanted: Sequence[FeatureOptions]) -> Stores:
        """Featurize molecules in several ways; row i of each store answers molecule i.

        Parameters
        ----------
        smiles
            Short ones (see :mod:`cytomol.serve.molecule_screen`).
        wanted
            Options of each store.
        """
        texts, options = list(smiles), list(wanted)
        conformers = any(one.geometry is not None for one in options)
        if conformers:  # they have processes of their own
            return [featurize(texts, one, workers=1, cache=None) for one in options]
        if self._workers < 1 or len(texts) < _LEAST:
            return _read(texts, options)
        size = max(_LEAST // 2, -(-len(texts) // (2 * self._workers)))
        given = [
            (texts[start : start + size], self._given(texts[start : start + size], options))
            for start in range(0, len(texts), size)
        ]
        return _joined([self._after(chunk, options, *place) for chunk, place in given])

    def _given(
        self, texts: list[str], options: list[FeatureOptions]
    ) -> tuple[ProcessPoolExecutor, Future[Stores]]:
        """Give molecules to the processes, which are started where there are none."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, fresh_processes(_ENTRY), _leave_signals)
        pool = self._pool
        try:
            return pool, pool.submit(_read, texts, options)
        except BrokenProcessPool as error:
            broken: Future[Stores] = Future()
            broken.set_exception(error)
            return pool, broken

    def _after(
        self,
        texts: list[str],
        options: list[FeatureOptions],
        pool: ProcessPoolExecutor,
        future: Future[Stores],
    ) -> Stores:
        """Return what a process has read; where it died, read one by one and leave out what kills."""
        try:
            return future.result()
        except BrokenProcessPool:
            if self._pool is pool:  # the first to notice
                self._pool = None
                pool.shutdown(wait=False, cancel_futures=True)
        if len(texts) > 1:
            return _joined([self._after([text], options, *self._given([text], options)) for text in texts])
        try:  # it may have been in bad company
            return self._given(texts, options)[1].result()
        except BrokenProcessPool:
            self.close()
            return [empty_store(texts[0], _LOST, one) for one in options]


def _joined(parts: Sequence[Stores]) -> Stores:
    """Return the stores of consecutive molecules as one, for each way."""
    return [MoleculeStore.concatenate(list(ways)) for ways in zip(*parts, strict=True)]


def _read(texts: list[str], options: list[FeatureOptions]) -> Stores:
    """Featurize molecules in this process; what could stall is refused."""
    stores = featurize_chunk_several(texts, options)
    return [
        replace(store, errors=[_TOO_LARGE if reason == HEAVY else reason for reason in store.errors])
        for store in stores
    ]


def _leave_signals() -> None:
    """Leave signals to the process that answers, which ends the others when it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
