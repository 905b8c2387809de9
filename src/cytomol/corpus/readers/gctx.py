"""GCTX: the tables of the Connectivity Map in HDF5."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import ColumnChoice
from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.profiles import ProfileTable, choose_columns, split_matrix
from cytomol.corpus.readers.base import FeaturePick, ProfileReader, readers
from cytomol.corpus.readers.gct import feature_names, plain_metadata
from cytomol.counted import counted
from cytomol.errors import InputError, MissingDependencyError
from cytomol.files import check_hdf5, require_file

__all__ = ["GctxFile"]

_MATRIX, _SAMPLES, _FEATURES = "0/DATA/0/matrix", "0/META/COL", "0/META/ROW"
_BLOCK_BYTES = 64 * 2**20  # of the matrix, read at a time
_NEEDED = (_MATRIX, f"{_SAMPLES}/id", f"{_FEATURES}/id")


@readers.register("gctx")
class GctxFile(ProfileReader):
    """``.gctx``: matrix, sample and feature metadata at their fixed places in the HDF5 file."""

    suffixes = ("gctx",)

    def metadata(self, path: Path) -> pd.DataFrame:
        """Return the metadata of the samples, without a look at the matrix."""
        with _opened(path) as file:
            samples = _metadata(file[_SAMPLES])
        return plain_metadata(samples, samples.pop("id"))

    def table(
        self,
        path: Path,
        *,
        id_column: str | None = None,  # noqa: ARG002
        choice: ColumnChoice | None = None,
        layer: str | None = None,  # noqa: ARG002
        rows: NDArray[np.bool_] | None = None,
    ) -> ProfileTable:
        """Read ids and features, in blocks of rows; only the rows and columns that are asked for are kept."""
        with _opened(path) as file:
            matrix, frame, names = _described(file, str(path))
            wanted = np.ones(len(frame), np.bool_) if rows is None else rows
            report = choose_columns(names, choice, str(path), None, beside=tuple(map(str, frame)))
            chosen = choice is not None and bool(choice.features or choice.leave_out)
            kept = np.isin(names, report.features) if chosen else np.ones(len(names), np.bool_)
            if not kept.any():
                raise InputError("holds no feature columns", where=str(path), hint=str(report))
            values = _read_rows(matrix, wanted, kept)
        frame = frame[wanted].reset_index(drop=True)
        if chosen:  # columns that were not asked for were not read
            return ProfileTable(str(path), frame, values, report.features, report)
        return split_matrix(ProfileTable(str(path), frame, values, names))

    def parts(
        self,
        path: Path,
        pick: FeaturePick,
        *,
        rows: int,
        layer: str | None = None,  # noqa: ARG002
        beside: tuple[str, ...] = (),  # noqa: ARG002
    ) -> Iterator[ProfileTable]:
        """Yield the rows in their order, some at a time; parameters as of the base class."""
        with _opened(path) as file:
            matrix, frame, names = _described(file, str(path))
            wanted = pick(choose_columns(names, None, str(path), None, beside=tuple(map(str, frame))))
            place = {name: number for number, name in enumerate(names)}
            columns = [place[name] for name in wanted]
            for start in range(0, len(frame), rows):
                about = frame.iloc[start : start + rows].reset_index(drop=True)
                with np.errstate(over="ignore"):
                    values = matrix[start : start + rows].astype(np.float32, copy=False)[:, columns]
                yield ProfileTable(str(path), about, values, wanted)


def _described(file: Any, where: str) -> tuple[Any, pd.DataFrame, tuple[str, ...]]:
    """Return the matrix, not read yet, the metadata of its rows and the names of its columns."""
    samples, features = _metadata(file[_SAMPLES]), _metadata(file[_FEATURES])
    matrix = file[_MATRIX]
    shape = (len(samples["id"]), len(features["id"]))
    of_samples, of_features = (
        counted(number, noun, comma=False) for number, noun in zip(shape, ("sample", "feature"), strict=True)
    )
    if matrix.shape != shape:
        raise InputError(f"matrix of shape {matrix.shape}, but {of_samples} and {of_features}", where=where)
    if 0 in shape:
        raise InputError(f"is empty: it holds {of_features} of {of_samples}", where=where)
    names = feature_names(features.pop("id"), features, where)
    return matrix, plain_metadata(samples, samples.pop("id")), names


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    path = require_file(path, what="GCTX file")
    try:
        import h5py
    except ImportError:
        raise MissingDependencyError(
            "reading GCTX needs the package h5py", where=str(path), hint="pip install 'cytomol[omics]'"
        ) from None
    try:
        with h5py.File(path, "r") as file:
            check_hdf5(file, where=str(path))
            missing = [place for place in _NEEDED if place not in file]
            if missing:
                raise InputError(f"has no /{missing[0]}", where=str(path), hint="is it GCTX?")
            yield file
    except OSError as error:
        raise InputError(f"is not a readable HDF5 file: {error}", where=str(path)) from None


def _read_rows(matrix: Any, wanted: NDArray[np.bool_], columns: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return some rows and columns as float32, a block of rows at a time; empty blocks are passed over."""
    values = np.empty((int(wanted.sum()), int(columns.sum())), np.float32)
    block = max(1, _BLOCK_BYTES // (max(1, matrix.shape[1]) * matrix.dtype.itemsize))
    filled = 0
    for start in range(0, len(wanted), block):
        here = np.flatnonzero(wanted[start : start + block])
        if len(here):
            first, last = start + int(here[0]), start + int(here[-1]) + 1
            with np.errstate(over="ignore"):
                values[filled : filled + len(here)] = matrix[first:last][here - here[0]][:, columns]
            filled += len(here)
    return values


def _metadata(group: Any) -> dict[str, list[str]]:
    """Return the columns of a metadata group as text."""
    columns = {}
    for name, dataset in group.items():
        columns[name] = as_ids(pd.Series(dataset[...].ravel())).tolist()
    return columns
