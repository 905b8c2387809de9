"""Featurized molecules as flat arrays with offsets, in memory or mapped from files."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytomol.chem.checksum import checksums, differing
from cytomol.chem.fingerprints import unpack_bits
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.files import atomic_directory, require_file, settled

__all__ = ["SCHEMA_VERSION", "MoleculeStore", "is_store", "ragged_rows"]

SCHEMA_VERSION = 2
_MANIFEST = "store.json"
_GRAPH = ("atoms", "atom_offsets", "edges", "edge_features", "edge_offsets")


def ragged_rows(
    offsets: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the items of some rows lie in a flat array, without a loop over rows.

    Parameters
    ----------
    offsets
        Item ``k`` of row ``i`` lies at ``offsets[i] + k``, shape (n + 1,).
    rows
        Wanted rows, shape (m,).

    Returns
    -------
    index
        Places in the flat array, row after row, shape (items,).
    new_offsets
        Offsets of the gathered array, shape (m + 1,).
    """
    starts = np.asarray(offsets[:-1])[rows]
    lengths = np.asarray(offsets[1:])[rows] - starts
    new_offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(lengths, out=new_offsets[1:])
    index = np.arange(new_offsets[-1], dtype=np.int64) + np.repeat(starts - new_offsets[:-1], lengths)
    return index, new_offsets


@dataclass(frozen=True)
class MoleculeStore:
    """Everything computed from a list of SMILES; row i answers SMILES i, valid or not.

    An invalid molecule has no atoms and no edges, zero fingerprint bits and counts, and NaN descriptors
    and geometry.

    Attributes
    ----------
    smiles
        Input as given ("" for a missing value), length n.
    errors
        Why a molecule is invalid; "" where it is valid, length n.
    atoms
        Categorical atom features, uint8, shape (A, 9).
    atom_offsets
        Atoms of molecule i are ``atoms[atom_offsets[i]:atom_offsets[i + 1]]``, int64, shape (n + 1,).
    edges
        Source and target atom of every directed edge, numbered within its molecule and sorted by target
        atom (then by bond), int32, shape (2, E).
    edge_features
        Categorical bond features, uint8, shape (E, 3).
    edge_offsets
        As ``atom_offsets``, for edges, int64, shape (n + 1,).
    blocks
        Fixed-width features by name, first dimension n: "morgan" and "maccs" packed bits (uint8),
        "counts" (uint8), "descriptors" and "geometry" (float32, NaN where undefined).
    widths
        Width of each block when unpacked; a block with more features than columns is packed bits.
    """

    smiles: list[str]
    errors: list[str]
    atoms: NDArray[np.uint8]
    atom_offsets: NDArray[np.int64]
    edges: NDArray[np.int32]
    edge_features: NDArray[np.uint8]
    edge_offsets: NDArray[np.int64]
    blocks: dict[str, NDArray[Any]] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    valid: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "valid", np.fromiter((e == "" for e in self.errors), np.bool_, len(self.errors))
        )
        n = len(self.smiles)
        problems = [
            f"{name} has {counted(length, 'row', comma=False)}"
            for name, length in (
                ("errors", len(self.errors)),
                ("atom_offsets", len(self.atom_offsets) - 1),
                ("edge_offsets", len(self.edge_offsets) - 1),
                *((name, len(block)) for name, block in self.blocks.items()),
            )
            if length != n
        ]
        if self.atom_offsets[-1] != len(self.atoms):
            problems.append(f"offsets end at atom {self.atom_offsets[-1]} of {len(self.atoms)}")
        if not self.edge_offsets[-1] == self.edges.shape[1] == len(self.edge_features):
            problems.append(f"offsets end at edge {self.edge_offsets[-1]} of {self.edges.shape[1]}")
        if set(self.widths) != set(self.blocks):
            problems.append(f"widths of {sorted(self.widths)} for blocks {sorted(self.blocks)}")
        if problems:
            size = counted(n, "molecule", comma=False)
            raise InputError(f"molecule store of {size} does not fit together: {'; '.join(problems)}")

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def atom_counts(self) -> NDArray[np.int64]:
        """Atoms of each molecule, int64, shape (n,)."""
        return np.diff(self.atom_offsets)

    def dense(self, name: str, rows: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return a block as numbers, packed bits as 0 and 1.

        Parameters
        ----------
        name
            Name of the block.
        rows
            Wanted rows (numbers or a mask), shape (m,); None for all.

        Returns
        -------
        numpy.ndarray
            float32, shape (m, widths[name]).

        Raises
        ------
        InputError
            If the store has no such block.
        """
        if name not in self.blocks:
            raise InputError(
                f"molecules were featurized without {name!r}",
                hint=f"present: {', '.join(self.blocks) or 'none'}",
            )
        block, width = self.blocks[name], self.widths[name]
        values = np.asarray(block if rows is None else block[self._row_numbers(rows)])
        if values.shape[1] != width:
            values = unpack_bits(values, width)
        return values.astype(np.float32)

    def take(self, rows: ArrayLike) -> MoleculeStore:
        """Return the store of some rows, in the order given (repeats allowed), in memory."""
        numbers = self._row_numbers(rows)
        atom_index, atom_offsets = ragged_rows(self.atom_offsets, numbers)
        edge_index, edge_offsets = ragged_rows(self.edge_offsets, numbers)
        return MoleculeStore(
            smiles=[self.smiles[i] for i in numbers],
            errors=[self.errors[i] for i in numbers],
            atoms=np.asarray(self.atoms[atom_index]),
            atom_offsets=atom_offsets,
            edges=np.asarray(self.edges[:, edge_index]),
            edge_features=np.asarray(self.edge_features[edge_index]),
            edge_offsets=edge_offsets,
            blocks={name: np.asarray(block[numbers]) for name, block in self.blocks.items()},
            widths=dict(self.widths),
        )

    def _row_numbers(self, rows: ArrayLike) -> NDArray[np.int64]:
        numbers = np.asarray(rows)
        if numbers.dtype == np.bool_:
            if numbers.shape != (len(self),):
                size = counted(len(self), "molecule", comma=False)
                raise InputError(f"mask of shape {numbers.shape} for {size}")
            return np.flatnonzero(numbers)
        numbers = numbers.reshape(-1).astype(np.int64)
        outside = (numbers < -len(self)) | (numbers >= len(self))
        if outside.any():
            size = counted(len(self), "molecule", comma=False)
            raise InputError(f"no row {numbers[outside][0]} among {size}")
        return np.where(numbers < 0, numbers + len(self), numbers)

    def with_block(self, name: str, values: NDArray[Any], width: int | None = None) -> MoleculeStore:
        """Return the store with one more block, ``values`` of shape (n, columns)."""
        return MoleculeStore(
            **{key: getattr(self, key) for key in ("smiles", "errors", *_GRAPH)},
            blocks={**self.blocks, name: values},
            widths={**self.widths, name: values.shape[1] if width is None else width},
        )

    @classmethod
    def concatenate(cls, stores: Iterable[MoleculeStore]) -> Self:
        """Return the molecules of several stores, one after the other; all must hold the same blocks.

        Raises
        ------
        InputError
            If there is no store, or blocks or widths differ.
        """
        parts = list(stores)
        if not parts:
            raise InputError("no molecule store to concatenate")
        widths = parts[0].widths
        if different := next((part.widths for part in parts if part.widths != widths), None):
            raise InputError(f"molecule stores hold different blocks: {widths} and {different}")
        return cls(
            smiles=[s for part in parts for s in part.smiles],
            errors=[e for part in parts for e in part.errors],
            atoms=np.concatenate([part.atoms for part in parts]),
            atom_offsets=_join_offsets([part.atom_offsets for part in parts]),
            edges=np.concatenate([part.edges for part in parts], axis=1),
            edge_features=np.concatenate([part.edge_features for part in parts]),
            edge_offsets=_join_offsets([part.edge_offsets for part in parts]),
            blocks={name: np.concatenate([part.blocks[name] for part in parts]) for name in widths},
            widths=dict(widths),
        )

    def save(self, directory: str | Path, *, force: bool = False) -> None:
        """Write the store as a directory of ``.npy`` files, whole or not at all.

        Raises
        ------
        OutputError
            If the directory exists (and not ``force``) or cannot be written.
        """
        with atomic_directory(directory, force=force) as folder:
            arrays: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in _GRAPH}
            for name, texts in (("smiles", self.smiles), ("errors", self.errors)):
                arrays[name], arrays[f"{name}_offsets"] = _flat_text(texts)
            arrays |= {f"block_{name}": block for name, block in self.blocks.items()}
            for name, array in arrays.items():
                np.save(folder / f"{name}.npy", array, allow_pickle=False)
            manifest = {
                "schema": SCHEMA_VERSION,
                "molecules": len(self),
                "widths": self.widths,
                "arrays": {name: {"shape": a.shape, "dtype": str(a.dtype)} for name, a in arrays.items()},
                "checksums": checksums([folder / f"{name}.npy" for name in arrays]),
            }
            manifest["own_checksum"] = _own_checksum(manifest)
            (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def open(cls, directory: str | Path, mmap: bool = True) -> Self:
        """Open a saved store, its files checked byte by byte (at the speed of the disk).

        Parameters
        ----------
        directory
            Where `save` wrote it.
        mmap
            Map the arrays (read-only) instead of reading them; texts are read in any case.

        Raises
        ------
        InputError
            If a file is absent, cut short, or not what was written.
        """
        directory = settled(directory)
        manifest = _read_manifest(directory)
        try:
            for name in manifest["arrays"]:
                require_file(directory / f"{name}.npy", what="array of a molecule store")
            if changed := differing(directory, manifest["checksums"]):
                raise InputError("is not what was written (its checksum differs)", where=str(changed))
            arrays = {
                name: _load(directory / f"{name}.npy", how, mmap) for name, how in manifest["arrays"].items()
            }
            return cls(
                smiles=_texts(arrays["smiles"], arrays["smiles_offsets"]),
                errors=_texts(arrays["errors"], arrays["errors_offsets"]),
                **{name: arrays[name] for name in _GRAPH},
                blocks={name: arrays[f"block_{name}"] for name in manifest["widths"]},
                widths=dict(manifest["widths"]),
            )
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"molecule store is incomplete or altered: {error}", where=str(directory)
            ) from None


def is_store(path: Path) -> bool:
    """Return whether a folder is a saved store, of whatever version and however damaged."""
    return path.is_dir() and not path.is_symlink() and (path / _MANIFEST).is_file()


def _own_checksum(manifest: dict[str, Any]) -> int:
    rest = {name: value for name, value in manifest.items() if name != "own_checksum"}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode())


def _join_offsets(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    lengths = np.concatenate([np.diff(part) for part in parts])
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def _flat_text(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    encoded = [text.encode("utf-8", errors="surrogatepass") for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(e) for e in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets


def _texts(flat: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[str]:
    data, ends = flat.tobytes(), offsets.tolist()
    return [data[a:b].decode("utf-8", errors="surrogatepass") for a, b in pairwise(ends)]


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = require_file(directory / _MANIFEST, what="manifest of a molecule store")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found = manifest.get("schema")
        keys = {"arrays", "widths", "checksums"} <= set(manifest)
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"is not the manifest of a molecule store: {error}", where=str(path)) from None
    if found != SCHEMA_VERSION or not keys:
        raise InputError(
            f"molecule store of schema {found}, not {SCHEMA_VERSION}", where=str(path), hint="featurize again"
        )
    if manifest.get("own_checksum") != _own_checksum(manifest):
        raise InputError("is not what was written (its checksum differs)", where=str(path))
    return dict(manifest)


def _load(path: Path, expected: dict[str, Any], mmap: bool) -> NDArray[Any]:
    require_file(path, what="array of a molecule store")
    # A file without values cannot be mapped.
    mode: Literal["r"] | None = "r" if mmap and 0 not in expected["shape"] else None
    try:
        array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"cannot be read as an array: {error}", where=str(path)) from None
    if list(array.shape) != list(expected["shape"]) or str(array.dtype) != expected["dtype"]:
        raise InputError(
            f"holds {array.dtype} {array.shape}, the manifest says {expected['dtype']} {expected['shape']}",
            where=str(path),
        )
    return array
