"""GCTX: the tables of the Connectivity Map in HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.profiles import ProfileTable
from cytomol.corpus.readers.base import ProfileReader, readers
from cytomol.corpus.readers.gct import feature_names, plain_metadata
from cytomol.errors import InputError, MissingDependencyError
from cytomol.files import require_file

__all__ = ["GctxFile"]

_MATRIX, _SAMPLES, _FEATURES = "0/DATA/0/matrix", "0/META/COL", "0/META/ROW"
_NEEDED = (_MATRIX, f"{_SAMPLES}/id", f"{_FEATURES}/id")


@readers.register("gctx")
class GctxFile(ProfileReader):
    """``.gctx``: matrix, sample and feature metadata at their fixed places in the HDF5 file."""

    suffixes = ("gctx",)

    def table(self, path: Path, *, id_column: str | None = None) -> ProfileTable:  # noqa: ARG002
        """Read ids and features; the whole matrix is loaded, as float32."""
        path = require_file(path, what="GCTX file")
        try:
            import h5py
        except ImportError:
            raise MissingDependencyError(
                "reading GCTX needs the package h5py", where=str(path), hint="pip install 'cytomol[omics]'"
            ) from None
        try:
            with h5py.File(path, "r") as file:
                missing = [
                    place for place in (_MATRIX, f"{_SAMPLES}/id", f"{_FEATURES}/id") if place not in file
                ]
                if missing:
                    raise InputError(f"has no /{missing[0]}", where=str(path), hint="is it GCTX?")
                samples, features = _metadata(file[_SAMPLES]), _metadata(file[_FEATURES])
                matrix = file[_MATRIX].astype(np.float32)[...]
        except OSError as error:
            raise InputError(f"is not a readable HDF5 file: {error}", where=str(path)) from None
        shape = (len(samples["id"]), len(features["id"]))
        if matrix.shape != shape:
            raise InputError(
                f"matrix of shape {matrix.shape}, but {shape[0]} samples and {shape[1]} features",
                where=str(path),
            )
        if 0 in shape:
            raise InputError(f"holds {shape[1]} features of {shape[0]} samples", where=str(path))
        names = feature_names(features.pop("id"), features, str(path))
        ids = samples.pop("id")
        return ProfileTable(str(path), plain_metadata(samples, ids), matrix, names)


def _metadata(group: Any) -> dict[str, list[str]]:
    """Return the columns of a metadata group as text."""
    columns = {}
    for name, dataset in group.items():
        columns[name] = as_ids(pd.Series(dataset[...].ravel())).tolist()
    return columns
