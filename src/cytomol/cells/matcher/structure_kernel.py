"""How alike molecules are, from several fingerprints, descriptors and an embedding at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ModelDirectoryError
from cytomol.learners.feature_scaling import ColumnScaler, fit_scaler, scaler_from_arrays
from cytomol.learners.tanimoto import CountSimilarity

__all__ = [
    "EMBEDDING",
    "STRUCTURE_BLOCKS",
    "StructureKernel",
    "blocks_of",
    "structure_blocks",
    "structure_store",
]

Matrix = NDArray[np.float32]
_BITS = 2048
_COUNTED = {"counts": 2, "wide counts": 3}  # radius of each Morgan fingerprint
STRUCTURE_BLOCKS = ("descriptors", *_COUNTED)
EMBEDDING = "embedding"  # block of a pretrained backbone
_SHARES = {EMBEDDING: 2}  # of the mean, where not 1: chosen on valid halves


def structure_store(
    smiles: Sequence[str],
    *,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
) -> MoleculeStore:
    """Return molecules with all that a matcher reads of structures; row i answers SMILES i."""
    base = FeatureOptions(graph=False, morgan_bits=0, maccs=False, descriptors=True)
    store = featurize(smiles, base, workers=workers, cache=cache)
    for name, radius in _COUNTED.items():
        options = base.fingerprint(radius, _BITS, counts=True)
        counted = featurize(smiles, options, workers=workers, cache=cache)
        errors = [a or b for a, b in zip(store.errors, counted.errors, strict=True)]
        store = replace(store, errors=errors).with_block(name, counted.blocks["counts"])
    return store


def blocks_of(
    store: MoleculeStore, rows: NDArray[np.int64] | None = None
) -> tuple[dict[str, Matrix], NDArray[np.bool_]]:
    """Return blocks of (some rows of) a :func:`structure_store`, 0 if invalid, and which are valid."""
    valid = store.valid.copy() if rows is None else store.valid[rows]
    blocks = {name: np.array(store.dense(name, rows), dtype=np.float32) for name in STRUCTURE_BLOCKS}
    for block in blocks.values():
        block[~valid] = 0.0
    return blocks, valid


def structure_blocks(
    smiles: Sequence[str], *, workers: int | None = None
) -> tuple[dict[str, Matrix], NDArray[np.bool_]]:
    """Return what a matcher reads of structures, and which molecules are valid.

    Returns
    -------
    blocks
        Morgan counts of radius 2 and 3 ("counts", "wide counts") and "descriptors", float32, shape
        (n, width) each; rows of invalid molecules are 0.
    valid
        bool, shape (n,).

    Examples
    --------
    >>> blocks, valid = structure_blocks(["CCO", "no molecule"])
    >>> sorted(blocks), valid.tolist()
    (['counts', 'descriptors', 'wide counts'], [True, False])
    """
    return blocks_of(structure_store(smiles, workers=workers))


@dataclass(eq=False)
class StructureKernel:
    """Mean of the similarities that blocks of features give: MinMax on counts, Gaussian on numbers.

    The embedding of a backbone counts as two of the blocks of structures.

    Attributes
    ----------
    counts
        Counts of the reference molecules by block, uint8, shape (m, width) each.
    numbers
        Scaled numbers of the reference molecules by block, float32, shape (m, width) each.
    scalers, widths
        Scaler and typical squared distance of each block of numbers.
    """

    counts: dict[str, NDArray[np.uint8]]
    numbers: dict[str, Matrix]
    scalers: dict[str, ColumnScaler]
    widths: dict[str, float]

    @classmethod
    def fit(cls, blocks: Mapping[str, Matrix]) -> Self:
        """Take reference molecules, blocks of shape (m, width); names with "counts" hold counts.

        Examples
        --------
        >>> blocks, _ = structure_blocks(["CCO", "CCN", "c1ccccc1"])
        >>> StructureKernel.fit(blocks).similarity(blocks).shape
        (3, 3)
        """
        counts = {name: _counted(block) for name, block in blocks.items() if "counts" in name}
        scalers, numbers, widths = {}, {}, {}
        for name, block in blocks.items():
            if name not in counts:
                how = "quantile" if name == "descriptors" else "standard"
                scalers[name] = fit_scaler(block, how)
                numbers[name] = scalers[name].transform(block)
                widths[name] = _typical_distance(numbers[name])
        return cls(counts, numbers, scalers, widths)

    def similarity(self, blocks: Mapping[str, Matrix]) -> Matrix:
        """Return the similarity with the reference molecules, shape (n, m), at most 1."""
        parts = {
            name: CountSimilarity(reference)(_counted(blocks[name]))
            for name, reference in self.counts.items()
        }
        for name, reference in self.numbers.items():
            scaled = self.scalers[name].transform(blocks[name])
            parts[name] = _gaussian(scaled, reference, self.widths[name])
        shares = [np.float32(_SHARES.get(name, 1)) for name in parts]
        total = np.zeros_like(next(iter(parts.values())))
        for share, part in zip(shares, parts.values(), strict=True):
            total += share * part
        return np.asarray(total / np.float32(sum(shares)), dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as arrays, to be saved."""
        result: dict[str, NDArray[Any]] = {f"counts/{name}": block for name, block in self.counts.items()}
        for name, block in self.numbers.items():
            result[f"numbers/{name}"] = block
            result[f"width/{name}"] = np.array([self.widths[name]])
            for key, array in self.scalers[name].arrays().items():
                result[f"scaler/{name}/{key}"] = array
        return result

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`."""
        saved = Checked({}, arrays, "matcher")
        counts, numbers, scalers, widths = {}, {}, {}, {}
        for name in _below(arrays, "counts/"):
            counts[name] = saved.array(
                f"counts/{name}", np.uint8, f"molecules counts:{name.replace(' ', '_')}"
            )
        for name in _below(arrays, "numbers/"):
            scalers[name] = scaler_from_arrays(_below(arrays, f"scaler/{name}/"))
            shape = f"molecules numbers:{name.replace(' ', '_')}"
            numbers[name] = saved.array(f"numbers/{name}", np.float32, shape, finite=True)
            width = saved.array(f"width/{name}", np.float64, "1", finite=True, low=1e-300)
            widths[name] = float(width[0])
        if not counts and not numbers:
            raise ModelDirectoryError("matcher: it compares nothing")
        return cls(counts, numbers, scalers, widths)


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _counted(block: Matrix) -> NDArray[np.uint8]:
    return np.minimum(block, 255).astype(np.uint8)


def _typical_distance(values: Matrix) -> float:
    """Return the median squared distance between (at most 500, evenly taken) reference molecules."""
    some = values[:: max(1, len(values) // 500)].astype(np.float64)
    squared = _squared(some, some)[np.triu_indices(len(some), 1)]
    return float(np.median(squared)) if squared.size and np.median(squared) > 0 else 1.0


def _squared(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(
        np.maximum((a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * (a @ b.T), 0)
    )


def _gaussian(a: Matrix, b: Matrix, width: float) -> Matrix:
    """Return exp(-|a - b|^2 / width), shape (n, m)."""
    return np.asarray(np.exp(-_squared(a, b) / np.float32(width)), dtype=np.float32)
