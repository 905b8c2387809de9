"""The map of a library: computed once, in the background, and kept for the next time."""

from __future__ import annotations

import hashlib
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.cache import content_key
from cytomol.chem.options import FeatureOptions
from cytomol.chem.similarity import SortedFingerprints, sorted_fingerprints, tanimoto_top_k
from cytomol.errors import OutputError
from cytomol.files import atomic_file, cache_root
from cytomol.predict.predictor import Predictor
from cytomol.predict.uncertainty import domain_fingerprints
from cytomol.serve.explorer.background import in_background
from cytomol.serve.explorer.explored_library import ExploredLibrary
from cytomol.serve.explorer.map_points import MapPlane

__all__ = ["ExploredMap"]

_VERSION = 1  # raise it whenever the same molecules come to lie elsewhere
State = Literal["waiting", "reading molecules", "placing molecules", "ready", "empty", "failed"]


class ExploredMap:
    """Where the molecules of a library lie, and which of them are like a new one.

    Parameters
    ----------
    library
        The molecules.
    predictor
        That has learnt from the first of them, if any.
    reading
        How molecules are read.
    workers
        Processes that read molecules; None chooses.

    Examples
    --------
    >>> from cytomol.tables.molecules import MoleculeTable
    >>> import pandas as pd
    >>> table = MoleculeTable(pd.DataFrame({"smiles": ["CCO", "CCN", "c1ccccc1O"]}), "smiles", "shop.csv")
    >>> found = ExploredMap(ExploredLibrary.gather(None, table), None, FeatureOptions(), workers=1)
    >>> found.compute()
    >>> found.state, found.places.shape
    ('ready', (3, 2))
    """

    def __init__(
        self,
        library: ExploredLibrary,
        predictor: Predictor | None,
        reading: FeatureOptions,
        *,
        workers: int | None = None,
    ) -> None:
        self.library = library
        self._predictor, self._reading, self._workers = predictor, reading, workers
        self.state: State = "waiting"
        self.error = ""
        self.done, self.total = 0, len(library)
        self.bits = np.zeros((0, 256), np.uint8)
        self.places = np.zeros((0, 2), np.float32)
        self.plane: MapPlane | None = None
        self._sorted: SortedFingerprints | None = None  # the library's own, for the nearest of them

    def start(self) -> None:
        """Compute in the background."""
        in_background(self.compute, self._failed, name="cytomol-map")

    def compute(self) -> None:
        """Read the molecules and place them."""
        if len(self.library) < 3:
            self.state = "empty"
            return
        self.state = "reading molecules"
        texts = self.library.texts()
        learnt = self.library.learnt
        kept = None if self._predictor is None else self._predictor.evidence
        bits = domain_fingerprints(
            texts[learnt:], self._reading, workers=self._workers, cache="default", progress=self._advance
        )
        known = np.zeros((0, bits.shape[1]), np.uint8) if kept is None else kept.fingerprints[:learnt]
        self.bits = np.concatenate([known, bits])
        self._sorted = sorted_fingerprints(bits) if len(bits) else None
        self.state, self.done = "placing molecules", 0
        place = self._place_of(texts)
        found = _kept(place, len(texts))
        if found is None:
            self.plane = MapPlane.fit(self.bits)
            self.places = self.plane.place(self.bits, progress=self._advance)
            _keep(place, {**self.plane.arrays(), "places": self.places})
        else:
            self.plane, self.places = MapPlane.restore(found), found["places"]
        self.done, self.state = self.total, "ready"

    def nearest(self, bits: NDArray[np.uint8], count: int = 5) -> list[dict[str, Any]]:
        """Return the molecules of the library, those learnt from apart, most like one by its bits."""
        if self._sorted is None or not bits.any():
            return []
        learnt = self.library.learnt
        rows, alike = tanimoto_top_k(self._sorted, count, queries=bits[None])
        return [
            {**self.library.about(learnt + int(row)), "similarity": round(float(value), 3)}
            for row, value in zip(rows[0], alike[0], strict=True)
            if row >= 0
        ]

    def place(self, bits: NDArray[np.uint8]) -> list[float] | None:
        """Return where a molecule lies on the map by its bits; None before the map is there."""
        if self.plane is None or not bits.any():
            return None
        x, y = self.plane.place(bits[None])[0].tolist()
        return [x, y]

    def status(self) -> dict[str, Any]:
        """Return what the page says of the map."""
        plane = self.plane
        return {
            "state": self.state,
            "error": self.error,
            "done": self.done,
            "total": self.total,
            "learnt": self.library.learnt,
            "explained": None if plane is None else [round(float(share), 3) for share in plane.explained],
            "colours": [
                {"name": name, "classes": self.library.classes.get(name)} for name in self.library.numbers
            ],
        }

    def _advance(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def _failed(self, why: str) -> None:
        self.state, self.error = "failed", why

    def _place_of(self, texts: list[str]) -> Path:
        options = {"map": _VERSION, "reading": repr(self._reading), "learnt": self.library.learnt}
        return cache_root() / "explorer" / f"{content_key(texts, options)}.npz"


def _kept(path: Path, molecules: int) -> dict[str, NDArray[Any]] | None:
    """Return a map that was kept; None where there is none, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        if str(arrays.pop("digest")) != _digest(arrays) or len(arrays["places"]) != molecules:
            return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return arrays


def _keep(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Keep a map; where the cache cannot be written it is computed again the next time."""
    with suppress(OSError, OutputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path, force=True) as new, new.open("wb") as stream:
            saved: dict[str, Any] = {**arrays, "digest": np.array(_digest(arrays))}
            np.savez(stream, **saved)


def _digest(arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
