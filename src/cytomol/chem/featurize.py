"""SMILES become a molecule store: parsed, featurized in several processes, kept in the cache."""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rdkit import Chem, rdBase

from cytomol.chem.cache import cached_store, content_key, feature_cache
from cytomol.chem.chunk import HEAVY, featurize_chunk, featurize_chunk_several, read_molecule
from cytomol.chem.heavy import featurize_heavy, settled
from cytomol.chem.options import FeatureOptions
from cytomol.chem.parse import ParsedMolecule, without_atom_maps
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ConfigError, CytomolError, InputError
from cytomol.processes import default_workers, fresh_processes

__all__ = ["FeatureOptions", "featurize", "featurize_chunk", "featurize_several"]

_DEFAULT = FeatureOptions()
_CHUNK = 512
_GIVEN = 3  # chunks given to a process ahead, which this one cannot take back when it has nothing to do
_CACHE_FROM = 64  # fewer molecules are computed faster than a file is found
_WORTH_A_POOL = 3.0  # seconds of work below which starting processes costs more than it gains
# Seconds per drug-like molecule, measured on one core; they only decide whether processes are worth it.
_COST = {"parse": 2.5e-4, "morgan": 5e-5, "maccs": 5.5e-4, "counts": 6e-5, "descriptors": 6e-3}


def featurize(
    smiles: Sequence[str],
    options: FeatureOptions = _DEFAULT,
    *,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
    progress: Callable[[int, int], None] | None = None,
) -> MoleculeStore:
    """Featurize molecules; row i of the result answers SMILES i, valid or not.

    Parameters
    ----------
    smiles
        SMILES in any number, order and quality (None, NaN and what is not text are invalid rows).
    options
        What to compute.
    workers
        Processes; None for one per available core, 1 for none but this one. Small inputs and
        processes that may not have children stay here in any case.
    cache
        Folder of the cache, "default" for the user's cache, None for none.
    progress
        Called with (molecules done, molecules in all); not when the cache has them.

    Returns
    -------
    MoleculeStore
        Memory-mapped when it comes from the cache.

    Raises
    ------
    InputError
        If ``smiles`` is one text instead of a sequence.

    Examples
    --------
    >>> store = featurize(["CCO", "no molecule"])
    >>> store.valid.tolist()
    [True, False]
    >>> store.dense("morgan").shape
    (2, 1024)
    """
    rows = _rows(smiles)
    _refuse_to_start_again()

    def compute() -> MoleculeStore:
        return _compute(rows, [options], workers, progress)[0]

    if cache is None or len(rows) < _CACHE_FROM:
        store = compute()
    else:
        folder = feature_cache() if cache == "default" else Path(cache)
        relevant = {k: v for k, v in asdict(options).items() if not k.startswith("geometry")}
        # A row that is not text has its own error, so it must not share a key with its text.
        key_rows = [s if isinstance(s, str) else f"\0{type(s).__name__} {s}" for s in rows]
        store = cached_store(folder, content_key(key_rows, relevant), compute, keep=settled)
    return store if options.geometry is None else _with_geometry(store, options, workers, cache, progress)


def featurize_several(
    smiles: Sequence[str],
    wanted: Sequence[FeatureOptions],
    *,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[MoleculeStore]:
    """Featurize the same molecules in several ways, as `featurize` does each; without a cache in one go.

    Parameters
    ----------
    smiles, workers, cache, progress
        See `featurize`; of several ways that a cache may have, progress is that of the first.
    wanted
        What to compute; one or more.

    Returns
    -------
    list of MoleculeStore
        One for each way; row i of each answers SMILES i.

    Examples
    --------
    >>> few = FeatureOptions(graph=False, maccs=False, morgan_bits=64)
    >>> one, other = featurize_several(["CCO"], [few, few.fingerprint(2, 128)])
    >>> one.dense("morgan").shape, other.dense("morgan").shape
    ((1, 64), (1, 128))
    """
    if cache is not None or any(one.geometry is not None for one in wanted):
        reports = [progress, *[None] * (len(wanted) - 1)]
        return [
            featurize(smiles, options, workers=workers, cache=cache, progress=report)
            for options, report in zip(wanted, reports, strict=True)
        ]
    _refuse_to_start_again()
    return _compute(_rows(smiles), wanted, workers, progress)


def _rows(smiles: Sequence[Any]) -> list[Any]:
    """Return the cells of a sequence in their order; a table would give the names of its columns."""
    if isinstance(smiles, str):
        raise InputError("one text where a sequence of SMILES belongs", hint="put it in a list")
    if hasattr(smiles, "columns"):
        raise InputError("a table where a sequence of SMILES belongs", hint="give its column of SMILES")
    return list(smiles)


def _refuse_to_start_again() -> None:
    """Stop a worker that runs the user's script anew: it would wait for its parent, which waits for it.

    Raises
    ------
    CytomolError
        If this process is a worker that is still importing the main script.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise CytomolError(
            "a process that was started to featurize molecules runs the script from its beginning",
            hint='put what the script does below `if __name__ == "__main__":`, or use workers=1',
        )


def _with_geometry(
    store: MoleculeStore,
    options: FeatureOptions,
    workers: int | None,
    cache: Path | Literal["default"] | None,
    progress: Callable[[int, int], None] | None,
) -> MoleculeStore:
    """Add the 3D view; conformers have their own cache, by molecule."""
    from cytomol.chem.geometry import geometry_features

    assert options.geometry is not None
    values, present = geometry_features(
        _texts_to_embed(store, options),
        options.geometry,
        timeout=options.geometry_timeout,
        workers=workers,
        cache=cache,
        progress=progress,
    )
    masked = np.where((present & store.valid)[:, None], values, np.float32(np.nan))
    return store.with_block("geometry", masked.astype(np.float32))


def _texts_to_embed(store: MoleculeStore, options: FeatureOptions) -> list[str]:
    """Return what the 3D view is made of: valid molecules, as the other views see them."""
    texts = [text if ok else "" for text, ok in zip(store.smiles, store.valid, strict=True)]
    if options.chirality == "canonical":
        texts = [without_atom_maps(text) for text in texts]
    if options.standardize == "keep":
        return texts
    block = rdBase.BlockLogs()
    try:
        read = [read_molecule(text, options) if text else ParsedMolecule(None, "") for text in texts]
    finally:
        del block
    return [Chem.MolToSmiles(parsed.mol) if parsed.mol is not None else "" for parsed in read]


def _compute(
    rows: list[Any],
    wanted: Sequence[FeatureOptions],
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> list[MoleculeStore]:
    """Return a store for each way; progress is that of all together."""
    count = _worker_count(len(rows), wanted, workers)
    # With processes beside this one, small ones: whoever is ready first waits for what the others still have.
    size = _CHUNK if count == 1 else min(_CHUNK, max(32, math.ceil(len(rows) / (32 * count))))
    chunks = [rows[i : i + size] for i in range(0, len(rows), size)] or [[]]
    parts: dict[int, list[MoleculeStore]] = {}
    done = 0
    for place, part in _chunk_results(chunks, wanted, count):
        parts[place] = part
        done += len(chunks[place])
        if progress is not None and rows:
            progress(done, len(rows))
    ways = zip(*[parts[place] for place in range(len(chunks))], strict=True)
    return [
        _with_heavy(MoleculeStore.concatenate(list(way)), rows, options, workers)
        for options, way in zip(wanted, ways, strict=True)
    ]


def _with_heavy(
    store: MoleculeStore, rows: list[Any], options: FeatureOptions, workers: int | None
) -> MoleculeStore:
    """Fill the rows of molecules that could stall from processes that can be killed."""
    heavy = [row for row, reason in enumerate(store.errors) if reason == HEAVY]
    if not heavy:
        return store
    late = featurize_heavy([rows[row] for row in heavy], options, workers or default_workers())
    order = np.arange(len(store))
    order[heavy] = len(store) + np.arange(len(heavy))
    return MoleculeStore.concatenate([store, late]).take(order)


def _worker_count(n: int, wanted: Sequence[FeatureOptions], workers: int | None) -> int:
    if workers is not None and workers < 1:
        raise ConfigError(
            f"cannot work with {workers} workers", hint="use 1 or more, or None for one per core"
        )
    if multiprocessing.current_process().daemon:  # a data loader's worker may not have children
        return 1
    if workers is None:
        cost = _COST["parse"] + sum(_COST[name] for options in wanted for name in options.widths)
        if n * cost < _WORTH_A_POOL:
            return 1
        workers = default_workers()
    return max(1, min(workers, math.ceil(n / 32)))


def _chunk_results(
    chunks: list[list[Any]], wanted: Sequence[FeatureOptions], workers: int
) -> Iterator[tuple[int, list[MoleculeStore]]]:
    """Give the place of every chunk and its stores, as they are finished."""
    if workers == 1:
        for place, chunk in enumerate(chunks):
            yield place, featurize_chunk_several(chunk, wanted)
        return
    # This process is one of the workers: it begins at once, from the end, while the others still start.
    pool = ProcessPoolExecutor(workers - 1, fresh_processes(), _ignore_interrupt)
    try:
        waiting, given = deque(range(len(chunks))), dict[Future[list[MoleculeStore]], int]()
        while waiting or given:
            # Not all at once: a future that was given out must not be cancelled, or a worker that dies
            # leaves the pool hanging.
            while waiting and len(given) < _GIVEN * (workers - 1):
                place = waiting.popleft()
                given[pool.submit(featurize_chunk_several, chunks[place], wanted)] = place
            if waiting:
                place = waiting.pop()
                yield place, featurize_chunk_several(chunks[place], wanted)
            else:
                wait(given, return_when=FIRST_COMPLETED)
            for future in [future for future in given if future.done()]:
                yield given.pop(future), future.result()
    except BrokenProcessPool:
        raise CytomolError(
            "a process that featurizes molecules died",
            hint="out of memory, or the script has no __main__ guard; workers=1 needs no processes",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the parent, which stops the pool; otherwise each worker prints its own traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
