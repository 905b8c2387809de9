"""Featurized molecules kept on disk, keyed by content, safe when several processes write."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from rdkit import rdBase

from cytomol.chem.store import SCHEMA_VERSION, MoleculeStore, is_store
from cytomol.errors import InputError, OutputError
from cytomol.files import Lock, cache_root, discard_output, sweep

__all__ = ["FEATURES_VERSION", "LARGEST_CACHE", "cached_store", "content_key", "feature_cache"]

FEATURES_VERSION = 2
"""Raise it whenever the same SMILES and options give other features than before."""

LARGEST_CACHE = 20 * 2**30
"""Bytes beyond which the stores used longest ago are removed."""

_SAY_AFTER = 10.0  # seconds of waiting for another process after which it is said
_GIVE_UP_AFTER = 1800.0  # and after which the work is done here as well


def feature_cache() -> Path:
    """Return the folder of featurized molecules in the user's cache."""
    return cache_root() / "features"


def content_key(smiles: Sequence[str], options: dict[str, Any]) -> str:
    """Return the hash of the molecules in their order, the options, and all versions that matter.

    Parameters
    ----------
    smiles
        SMILES in row order.
    options
        Whatever else determines the features; anything that JSON holds.

    Returns
    -------
    str
        40 hexadecimal digits.
    """
    head = {
        "options": options,
        "features": FEATURES_VERSION,
        "schema": SCHEMA_VERSION,
        "rdkit": rdBase.rdkitVersion,
        "molecules": len(smiles),
    }
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    # JSON quotes each SMILES, so that no two lists give the same bytes.
    digest.update(json.dumps(list(smiles)).encode())
    return digest.hexdigest()[:40]


def cached_store(
    folder: Path,
    key: str,
    compute: Callable[[], MoleculeStore],
    *,
    keep: Callable[[MoleculeStore], bool] = lambda _: True,
) -> MoleculeStore:
    """Return the store of ``key``, memory-mapped; compute and keep it first where it is absent.

    Of several processes that want the same store, one computes it and the others wait for it, half an hour
    at most. A kept store is read through when it is opened: one that was cut short, altered or zeroed is
    computed again, with a warning. A cache that cannot be written is a warning, not an error: the store is
    then returned from memory.

    Parameters
    ----------
    folder
        Directory of the cache.
    key
        Name of the store (`content_key`).
    compute
        Makes the store.
    keep
        Whether a computed store is worth keeping; one with rows that a busy machine lost is not.
    """
    place = folder / key
    if (found := _open(place)) is not None:
        return found
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_waited_for(folder / f"{key}.lock"))
        except (OSError, OutputError) as error:
            _warn(folder, error)
            return compute()
        if (found := _open(place)) is not None:  # another process was faster
            return found
        store = compute()
        if not keep(store):
            return store
        try:
            discard_output(place)  # damaged, and ours, as its name says
            store.save(place, force=True)
            _prune(folder, keep=place)
        except (OutputError, OSError) as error:
            _warn(folder, error)
            return store
    found = _open(place)
    return store if found is None else found


def _waited_for(path: Path) -> Lock:
    """Return a lock that is held; waiting long is said."""
    lock = Lock(path, "another process computes the features of the same molecules", timeout=_GIVE_UP_AFTER)
    try:
        lock.acquire(timeout=min(_SAY_AFTER, _GIVE_UP_AFTER))
    except OutputError as error:
        if not isinstance(error.__cause__, TimeoutError):
            raise
        _say(f"waiting: {error}")
        lock.acquire()
    return lock


def _prune(folder: Path, *, keep: Path) -> None:
    """Remove the stores used longest ago beyond `LARGEST_CACHE`, and what killed writers left."""
    sweep(folder)
    entries = []
    for place in folder.iterdir():
        try:
            # Somebody may keep other things in the folder.
            if not place.name.startswith(".") and is_store(place) and place != keep:
                entries.append((place.stat().st_mtime, place, sum(f.stat().st_size for f in place.iterdir())))
        except FileNotFoundError:  # another process was faster
            continue
    total = sum(file.stat().st_size for file in keep.iterdir())
    for _, place, size in sorted(entries, reverse=True):
        total += size
        if total > LARGEST_CACHE:
            discard_output(place)  # processes that have it mapped keep what they have
            total -= size


def _open(place: Path) -> MoleculeStore | None:
    if not place.exists():
        return None
    try:
        store = MoleculeStore.open(place)
        with suppress(OSError):  # a cache that may only be read
            os.utime(place)
        return store
    except InputError as error:
        _say(f"cached features are damaged and are computed again: {error}")
        return None
    except OSError as error:  # a disk that cannot be read
        _say(f"cached features cannot be read and are computed again: {place}: {error}")
        return None


def _warn(folder: Path, error: Exception) -> None:
    _say(f"features are not kept in {folder}: {error}; set CYTOMOL_CACHE to a place that can be written")


def _say(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=4)
