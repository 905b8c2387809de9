"""From SMILES to geometry vectors: look up, compute what is missing, keep it, in input order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.geometry.base import GeometryProvider, geometry_providers
from cytomol.chem.geometry.pool import Outcome, run_workers
from cytomol.chem.geometry.vector_cache import Known, VectorCache
from cytomol.errors import ConfigError
from cytomol.files import cache_root
from cytomol.processes import default_workers

__all__ = ["Geometry", "compute_geometry", "geometry_features", "geometry_width"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Geometry:
    """Geometry vectors in input order.

    Attributes
    ----------
    values
        float32 [n, width]; a row without geometry is all NaN.
    valid
        bool [n].
    reasons
        Why a row has none; "" where it has.
    """

    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    reasons: list[str]


def geometry_width(provider: str = "rdkit") -> int:
    """Return the length of a provider's vectors (needs none of its optional packages)."""
    return geometry_providers[provider].width


def geometry_features(
    smiles: Sequence[str],
    provider: str = "rdkit",
    *,
    timeout: float = 20.0,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
    progress: Progress | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the geometry vectors of molecules and which of them have one.

    Same parameters and errors as `compute_geometry`, which tells the reasons as well.

    Returns
    -------
    values : float32 [n, width]
        NaN rows where there is no geometry.
    valid : bool [n]
    """
    geometry = compute_geometry(
        smiles, provider, timeout=timeout, workers=workers, cache=cache, progress=progress
    )
    return geometry.values, geometry.valid


def compute_geometry(
    smiles: Sequence[str],
    provider: str = "rdkit",
    *,
    timeout: float = 20.0,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
    progress: Progress | None = None,
) -> Geometry:
    """Compute the geometry of molecules in worker processes, or find it in the cache.

    A molecule that has no conformer, exceeds its time or brings its process down gets a NaN row
    and a reason; the others go on. Equal SMILES are computed once. Results are kept as they come,
    so that an interrupted run resumes where it was.

    Parameters
    ----------
    smiles
        Molecules; empty strings are allowed and have no geometry.
    provider
        Name of a registered provider: "rdkit" or "unimol".
    timeout
        Wall-clock seconds for the conformer of one molecule.
    workers
        Number of processes; None is one per processor. Molecules are never computed in the calling
        process, because nothing could stop them there.
    cache
        Folder of the cache, "default" for the one below `cytomol.files.cache_root`, None for none.
    progress
        Called with the number of rows done and of all rows.

    Raises
    ------
    ConfigError
        If the provider is unknown, or ``timeout`` or ``workers`` not positive.
    MissingDependencyError
        If the provider needs a package that is not installed.
    OutputError
        If the cache cannot be used.
    """
    _check(timeout, workers)
    worker_count = default_workers() if workers is None else workers
    chosen = geometry_providers[provider]()
    chosen.key()  # a missing package is said before any work
    rows = _rows_by_smiles(smiles)
    values = np.full((len(smiles), chosen.width), np.nan, dtype=np.float32)
    reasons = ["empty SMILES"] * len(smiles)
    done = len(smiles) - sum(map(len, rows.values()))
    with ExitStack() as stack:
        store = None
        if cache is not None and rows:
            folder = cache_root() / "geometry" if cache == "default" else Path(cache)
            store = stack.enter_context(VectorCache(folder, chosen))
        unique = list(rows)
        # Closed by name: an exception keeps the generator alive, and with it the processes.
        answers = stack.enter_context(closing(_answers(unique, chosen, store, timeout, worker_count)))
        for index, (vector, reason) in answers:
            where = rows[unique[index]]
            if vector is not None:
                values[where] = vector
            for row in where:
                reasons[row] = reason
            done += len(where)
            if progress is not None:
                progress(done, len(smiles))
    valid = np.array([not reason for reason in reasons], dtype=bool)
    return Geometry(values, valid, reasons)


def _check(timeout: float, workers: int | None) -> None:
    if not timeout > 0:
        raise ConfigError(f"geometry timeout must be positive, got {timeout}", hint="give seconds")
    if workers is not None and workers < 1:
        raise ConfigError(f"number of workers must be at least 1, got {workers}")


def _rows_by_smiles(smiles: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of every different SMILES; blank ones are left out."""
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(smiles):
        if stripped := (text or "").strip():
            rows.setdefault(stripped, []).append(row)
    return rows


def _answers(
    smiles: list[str], provider: GeometryProvider, store: VectorCache | None, timeout: float, workers: int
) -> Generator[tuple[int, Known], None, None]:
    """Yield the position and the result of every molecule: known ones first."""
    missing = set(range(len(smiles)))
    if store is not None:
        for index, known in store.find(smiles, timeout=timeout):
            missing.discard(index)
            yield index, known
    order = sorted(missing)
    batch: list[Outcome] = []
    todo = [smiles[i] for i in order]
    with closing(run_workers(todo, provider.worker, timeout=timeout, workers=workers)) as outcomes:
        for outcome in outcomes:
            if outcome.kind == "values":
                batch.append(outcome)
                if len(batch) >= provider.batch_size:
                    yield from _finish(batch, order, smiles, provider, store)
                    batch.clear()
                continue
            index = order[outcome.index]
            if store is not None and outcome.kind != "lost":
                seconds = timeout if outcome.kind == "timeout" else None
                store.store(smiles[index], (None, outcome.reason), seconds=seconds)
            yield index, (None, outcome.reason)
        if batch:
            yield from _finish(batch, order, smiles, provider, store)


def _finish(
    batch: list[Outcome],
    order: list[int],
    smiles: list[str],
    provider: GeometryProvider,
    store: VectorCache | None,
) -> Iterator[tuple[int, Known]]:
    raw = [outcome.values for outcome in batch if outcome.values is not None]
    for outcome, result in zip(batch, provider.finish(raw), strict=True):
        index = order[outcome.index]
        known: Known = (None, result) if isinstance(result, str) else (result, "")
        if store is not None and known[0] is not None:
            store.store(smiles[index], known)
        yield index, known
