"""From SMILES to an encoder's vectors: look up, compute what is missing, keep it, in input order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from cytomol.chem.chunk import read_molecule
from cytomol.chem.encoders.molecule_encoder import MoleculeEncoder
from cytomol.chem.geometry.vector_cache import Known, VectorCache
from cytomol.chem.options import FeatureOptions
from cytomol.chem.parse import without_atom_maps
from cytomol.chem.store import MoleculeStore
from cytomol.counted import counted
from cytomol.errors import CytomolError
from cytomol.files import cache_root

__all__ = ["encode_molecules", "with_vectors"]

_CHUNK = 256
_FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)


def encode_molecules(
    encoder: MoleculeEncoder,
    smiles: Sequence[str],
    *,
    cache: Path | Literal["default"] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float32], list[str]]:
    """Return the vectors of molecules in their order, and why some have none.

    Parameters
    ----------
    encoder
        What encodes; its vectors are kept between runs if it has a version.
    smiles
        Molecules; of "" nothing is asked.
    cache
        Folder of the cache, "default" for the user's cache, None for none.
    progress
        Called with (molecules done, molecules in all).

    Returns
    -------
    values
        float32, shape (n, width); NaN where there is no vector.
    reasons
        Why there is none; "" where there is one, or nothing was asked.

    Raises
    ------
    CytomolError
        If the encoder fails on every molecule, or returns another shape than it says.
    """
    wanted = [text for text in dict.fromkeys(smiles) if text]
    found: dict[str, Known] = {}
    folder = cache_root() / "encoders" if cache == "default" else cache
    kept = None if folder is None or not encoder.version else VectorCache(folder, encoder)
    with kept or nullcontext():
        if kept is not None:
            found = {wanted[place]: known for place, known in kept.find(wanted, timeout=0.0)}
        missing = [text for text in wanted if text not in found]
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            for text, known in zip(chunk, _encoded(encoder, chunk), strict=True):
                found[text] = known
                if kept is not None and known[0] is not None:  # a failure is tried again
                    kept.store(text, known)
            if progress is not None:
                progress(len(found), len(wanted))
    values = np.full((len(smiles), encoder.width), np.nan, dtype=np.float32)
    reasons = [""] * len(smiles)
    for row, text in enumerate(smiles):
        if text:
            vector, reasons[row] = found[text]
            values[row] = np.nan if vector is None else vector
    return values, reasons


def _encoded(encoder: MoleculeEncoder, chunk: list[str]) -> list[Known]:
    """Return the vector of each molecule or why it has none; after a failure they are asked one by one."""
    try:
        return _checked(encoder, chunk)
    except _FAILURES as error:
        first = error
    found: list[Known] = []
    for text in chunk:
        try:
            found += _checked(encoder, [text])
        except _FAILURES as error:
            found.append((None, f"the encoder {encoder.name} failed: {type(error).__name__}: {error}"))
    if all(vector is None for vector, _ in found):
        raise CytomolError(
            f"the encoder {encoder.name} fails on every molecule: {type(first).__name__}: {first}",
            hint=f"try it alone: encoders[{encoder.name!r}]().encode(['CCO'])",
        ) from first
    return found


def _checked(encoder: MoleculeEncoder, chunk: list[str]) -> list[Known]:
    with rdBase.BlockLogs():
        vectors = np.asarray(encoder.encode(chunk), dtype=np.float32)
    if vectors.shape != (len(chunk), encoder.width):
        asked = counted(len(chunk), "molecule", comma=False)
        raise CytomolError(
            f"the encoder {encoder.name} returned the shape {vectors.shape} for {asked}",
            hint=f"it says that its width is {encoder.width}: return (molecules, {encoder.width})",
        )
    whole = np.isfinite(vectors).reshape(len(chunk), -1).min(axis=1, initial=True)
    return [
        (vector, "") if ok else (None, encoder.reason(text))
        for text, vector, ok in zip(chunk, vectors, whole, strict=True)
    ]


def with_vectors(
    store: MoleculeStore,
    encoder: MoleculeEncoder,
    name: str,
    options: FeatureOptions,
    *,
    cache: Path | Literal["default"] | None = None,
) -> MoleculeStore:
    """Return a store with an encoder's vectors as the block ``name``; a molecule without one is invalid.

    The encoder is given canonical SMILES of the molecules as the other features see them, so that two
    spellings of a molecule have one vector.
    """
    values, reasons = encode_molecules(encoder, _texts(store, options), cache=cache)
    errors = [error or reason for error, reason in zip(store.errors, reasons, strict=True)]
    return replace(store, errors=errors).with_block(name, values)


def _texts(store: MoleculeStore, options: FeatureOptions) -> list[str]:
    """Return the canonical SMILES of valid molecules, "" for the others."""
    texts = []
    with rdBase.BlockLogs():
        for text, valid in zip(store.smiles, store.valid, strict=True):
            mol = read_molecule(without_atom_maps(text), options).mol if valid else None
            texts.append("" if mol is None else Chem.MolToSmiles(mol))
    return texts
