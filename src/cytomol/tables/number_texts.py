"""Texts that are numbers, read so that neither exponents nor zeros mislead.

pandas keeps an exponent in 32 bits and looks at no overflow: ``1e4200000000`` in a cell ends the interpreter,
and ``1e-4294967000`` is read as 1e296 (pandas 2.3.3, `read_csv` and `to_numeric`). It keeps 17 digits of a
number, and counts the zeros before the first other digit: ``0.0000000000000000015`` is read as 0. Texts with
exponents of four digits or more, and long ones that begin with many zeros, are therefore left to Python's own
parser.
"""

from __future__ import annotations

import io
import math
import re
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["as_numbers", "has_leading_zeros", "has_long_exponent", "read_csv_text"]

_LONG = re.compile(r"[0-9.][eE][+-]?[0-9]{4}")
# wherever the point is, five zeros: with four pandas still has 13 digits of the number itself
_ZEROS = [re.compile(zeros + r"[0-9.]{12}") for zeros in ("0000", r"000\.00", r"00\.000")]
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
_ZEROS_BEFORE = 5  # and points, that may stand before the first match in a number
_OTHER_DIGITS = frozenset("123456789")
_DIGITS = 4


def has_long_exponent(text: str) -> bool:
    """Return whether a digit or point, an e, a sign or none and four digits stand so in a text.

    Examples
    --------
    >>> has_long_exponent("1e-12,1.5e+0300"), has_long_exponent("1e-12,molecule1234,1e300")
    (True, False)
    """
    if "e" not in text and "E" not in text:
        return False
    raw = np.frombuffer(b" " + text.encode("utf-8", "surrogatepass") + bytes(_DIGITS + 1), np.uint8)
    at = np.flatnonzero((raw[: -_DIGITS - 1] | 32) == ord("e"))
    before = raw[at - 1]
    at = at[((before >= ord("0")) & (before <= ord("9"))) | (before == ord("."))] + 1
    at += (raw[at] == ord("+")) | (raw[at] == ord("-"))
    for place in range(_DIGITS):
        at = at[(raw[at + place] - ord("0")).astype(np.uint8) < 10]
    return bool(len(at))


def has_leading_zeros(text: str) -> bool:
    """Return whether a long run of digits in a text begins with five zeros or more.

    Examples
    --------
    >>> has_leading_zeros("7,0.0000000000000000015,x"), has_leading_zeros("7,10000.0000000000015,0.00001")
    (True, False)
    """
    for found in chain.from_iterable(zeros.finditer(text) for zeros in _ZEROS):
        start = found.start()
        before = text[max(start - _ZEROS_BEFORE, 0) : start].rstrip("0.")
        # where nothing is left but more is before, the run is longer, and was judged by its beginning
        if (before or start <= _ZEROS_BEFORE) and before[-1:] not in _OTHER_DIGITS:
            return True
    return False


def as_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return the cells of a column as numbers, missing where one is none or is beyond 64 bits.

    Examples
    --------
    >>> as_numbers(pd.Series(["2", " 1e-5000", "1e4200000000", "high"])).tolist()
    [2.0, 0.0, nan, nan]
    """
    if not pd.api.types.is_numeric_dtype(column):
        texts = (cell for cell in column if isinstance(cell, str))
        if _misleads("\n".join(texts)):
            column = column.astype(object).map(_settled)
    return pd.to_numeric(column, errors="coerce")


def _misleads(text: str) -> bool:
    return has_long_exponent(text) or has_leading_zeros(text)


def _settled(cell: Any) -> Any:
    """Return a cell as it is, or the number that it is where pandas would be misled."""
    if not isinstance(cell, str) or not (_LONG.search(cell) or has_leading_zeros(cell)):
        return cell
    number = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    return number if math.isfinite(number) else math.nan


def read_csv_text(text: str, **options: Any) -> pd.DataFrame:
    r"""Return what `pandas.read_csv` makes of a text, by Python's parser where it would be misled.

    Examples
    --------
    >>> read_csv_text("a\n1e-4294967000\n0.0000000000000000015\n")["a"].tolist()
    [0.0, 1.5e-18]
    """
    if options.get("dtype") is not str and _misleads(text):  # of texts no number is made
        options["float_precision"] = "round_trip"
    frame: pd.DataFrame = pd.read_csv(io.StringIO(text), **options)
    return frame
