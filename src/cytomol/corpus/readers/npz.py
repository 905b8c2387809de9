"""Arrays from npz files, never unpickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import CytomolError, InputError
from cytomol.files import check_archive, require_file

__all__ = ["read_matrix"]


def read_matrix(path: Path, *, key: str = "data") -> NDArray[np.float32]:
    """Return one matrix of an npz file as float32, shape (rows, width).

    Parameters
    ----------
    path
        The file.
    key
        Name of the array; a file with a single array may call it anything.

    Raises
    ------
    InputError
        If the file is missing, corrupt or pickled, becomes too long, or its array is no matrix of numbers.
    """
    path = require_file(path, what="npz file")
    check_archive(path, where=str(path))
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if not isinstance(arrays, np.lib.npyio.NpzFile):
                raise InputError("is not an npz file", where=str(path))
            names = arrays.files
            if key not in names and len(names) != 1:
                raise InputError(f"has no array {key!r}", where=str(path), hint=f"it has {', '.join(names)}")
            matrix = arrays[key if key in names else names[0]]
    except CytomolError:
        raise
    except Exception as error:  # noqa: BLE001 - numpy and zipfile answer damage with errors of a dozen types
        raise InputError(
            f"is not a readable npz file: {error}", where=str(path), hint="copy or download it again"
        ) from None
    if not isinstance(matrix, np.ndarray):  # what does not begin as an array comes as bytes
        raise InputError("holds an array that is damaged", where=str(path), hint="copy or download it again")
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.number) or np.iscomplexobj(matrix):
        raise InputError(
            f"holds an array of type {matrix.dtype} and shape {matrix.shape}, not a matrix of numbers",
            where=str(path),
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is reported
        return matrix.astype(np.float32, copy=False)
