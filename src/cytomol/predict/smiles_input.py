"""What scikit-learn hands to the estimators, checked and brought into shape: SMILES and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["InputTypeError", "InputValueError", "check_labels", "check_smiles", "is_missing", "require_valid"]


class InputValueError(InputError, ValueError):
    """An input that cannot be used, as the ``ValueError`` that scikit-learn expects."""


class InputTypeError(InputError, TypeError):
    """An input of the wrong type, as the ``TypeError`` that Python expects."""


def check_smiles(X: Any) -> list[str]:
    """Return SMILES from a list, an array, a series, or one column of a table or matrix.

    A missing value (None, NaN) becomes the empty string, which is no valid molecule.

    Raises
    ------
    InputTypeError
        If ``X`` is one text, a sparse matrix or holds what is no text.
    InputValueError
        If ``X`` is empty or has more than one column.
    """
    if isinstance(X, str | bytes):
        raise InputTypeError("one text where a sequence of SMILES belongs", hint="put it in a list")
    if hasattr(X, "tocsr"):
        raise InputTypeError("a sparse matrix where a sequence of SMILES belongs")
    try:
        cells = X.to_numpy(dtype=object) if hasattr(X, "to_numpy") else np.array(X, dtype=object)
    except ValueError:
        raise InputValueError(
            "rows of different lengths where SMILES belong", hint="give one column"
        ) from None
    if cells.ndim == 0:
        raise InputTypeError(f"{type(X).__name__} where a sequence of SMILES belongs")
    if cells.ndim == 2 and cells.shape[1] != 1:
        raise InputValueError(
            f"{cells.shape[1]} feature(s) (shape={cells.shape}) where one column of SMILES belongs",
            hint="choose the column with the SMILES",
        )
    if cells.ndim > 2:
        raise InputValueError(f"{cells.ndim} dimensions where one column of SMILES belongs")
    if len(cells) == 0:
        raise InputValueError(f"0 sample(s) (shape={cells.shape}) while a minimum of 1 is required.")
    return [_text(cell, row) for row, cell in enumerate(cells.ravel().tolist())]


def is_missing(cell: Any) -> bool:
    """Tell a cell that holds nothing (None, NaN, NA)."""
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))


def _text(cell: Any, row: int) -> str:
    if isinstance(cell, str):
        return cell
    if is_missing(cell):
        return ""
    raise InputTypeError(
        f"{type(cell).__name__} {cell!r} where a SMILES belongs",
        where=f"row {row + 1}",
        hint="X is a sequence of SMILES strings, not of features",
    )


def check_labels(y: Any, n: int) -> NDArray[Any]:
    """Return labels as an array of shape (n,) or (n, tasks); one column of text becomes shape (n,).

    Numbers among which some are missing (None, NaN, NA) become floats with NaN.

    Raises
    ------
    InputValueError
        If there are none, their number is not ``n``, they are infinite or complex, or a class that is
        text is missing.
    """
    if y is None:
        raise InputValueError("requires y to be passed, but the target y is None")
    labels = np.asarray(y)
    if labels.ndim in {1, 2} and labels.dtype.kind in "OUS" and len(labels):
        # numpy writes NaN among texts as the text "nan"; as objects the cells stay what they are
        labels = _plain_labels(labels, labels if isinstance(y, np.ndarray) else np.array(y, dtype=object))
    if labels.ndim not in {1, 2} or len(labels) != n:
        raise InputValueError(
            f"labels of shape {labels.shape} for {counted(n, 'molecule', comma=False)}",
            hint="y has shape (molecules,) or (molecules, tasks)",
        )
    if np.iscomplexobj(labels):
        raise InputValueError("Complex data not supported as labels")
    if labels.dtype.kind == "f" and np.isinf(labels).any():
        raise InputValueError("Input y contains infinity")
    return labels


def _plain_labels(labels: NDArray[Any], given: NDArray[Any]) -> NDArray[Any]:
    """Return text as text and numbers as numbers; numpy can neither sort nor convert them mixed with None."""
    cells = given.astype(object)
    missing = np.asarray(pd.isna(cells))
    kinds = {type(cell) for cell in cells[~missing]}
    if all(issubclass(kind, int | float | np.number | np.bool_) for kind in kinds):
        if missing.any():
            return np.where(missing, np.nan, cells).astype(np.float64)
        return labels
    if missing.any():
        where = np.argwhere(missing)[0]
        raise InputValueError(
            f"Input y contains missing labels: {cells[tuple(where)]!r} in row {where[0] + 1}",
            hint="leave these molecules out, or give 0, 1 and NaN in the shape (n, 1)",
        )
    if len(kinds) > 1 and not all(issubclass(kind, str) for kind in kinds):
        named = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise InputValueError(f"y mixes labels of several types: {named}", hint="make them all text")
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def require_valid(smiles: Sequence[str], errors: Sequence[str]) -> None:
    """Refuse invalid molecules; the first one is named.

    Raises
    ------
    InputValueError
        If any molecule is invalid.
    """
    invalid = [row for row, error in enumerate(errors) if error]
    if invalid:
        row = invalid[0]
        raise InputValueError(
            f"invalid molecule {smiles[row]!r}: {errors[row]} ({len(invalid)} invalid in all)",
            where=f"row {row + 1}",
            hint='on_error="keep" gives such rows NaN',
        )
