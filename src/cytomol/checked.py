"""What a saved directory says is taken out piece by piece, each piece checked as it is taken.

The hashes of a directory say that nobody has altered it since it was sealed, not that whoever sealed it meant
well. So whatever restores a part asks for its numbers, names and arrays here, and says what they must be.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cytomol.errors import ModelDirectoryError

__all__ = ["Checked"]

_LARGEST = 2**53  # beyond it a whole number is no longer the same in JSON's readers
_ENTRIES = 100_000


@dataclass(frozen=True)
class Checked:
    """The table and the arrays of a saved part.

    A shape is written as names and numbers, "rows tasks" or "tasks+1": a name stands for what the first
    array has there, and every later one must have the same.

    Attributes
    ----------
    table
        What JSON holds of it.
    arrays
        Arrays by name.
    part
        What the part is called in messages.
    sizes
        Names in shapes and what they stand for; may be given beforehand.

    Examples
    --------
    >>> import numpy as np
    >>> saved = Checked({"k": 5}, {"labels": np.zeros((3, 2))}, "neighbours")
    >>> saved.whole("k", 1, 1000)
    5
    >>> saved.array("labels", np.float64, "rows tasks").shape
    (3, 2)
    >>> saved.whole("k", 1, 4)
    Traceback (most recent call last):
    ...
    cytomol.errors.ModelDirectoryError: neighbours: k is 5, which should be a whole number from 1 to 4
    """

    table: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    part: str = "the saved part"
    sizes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.table, Mapping):
            raise ModelDirectoryError(f"{self.part}: is {_shown(self.table)}, which should be a table")

    def whole(self, name: str, low: int = -_LARGEST, high: int = _LARGEST) -> int:
        """Return a whole number from ``low`` to ``high``."""
        value = self._entry(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(name, value, f"a whole number from {low} to {high}")
        return value

    def real(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number from ``low`` to ``high``."""
        value = self._entry(name)
        known = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e308
        if not known or not low <= value <= high:
            raise self._wrong(name, value, f"a finite number from {low:g} to {high:g}")
        return float(value)

    def flag(self, name: str) -> bool:
        """Return whether something is so."""
        if not isinstance(value := self._entry(name), bool):
            raise self._wrong(name, value, "true or false")
        return value

    def word(self, name: str, among: Collection[str] | None = None) -> str:
        """Return a text, one of ``among`` where that is given."""
        value = self._entry(name)
        if not isinstance(value, str) or (among is not None and value not in among):
            raise self._wrong(name, value, "a text" if among is None else f"one of {', '.join(among)}")
        return value

    def words(self, name: str, among: Collection[str] | None = None) -> tuple[str, ...]:
        """Return a list of different texts, each one of ``among`` where that is given."""
        value = self._entry(name)
        good = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        if not good or len(set(value)) != len(value) or (among is not None and not set(value) <= set(among)):
            what = "different texts" if among is None else f"different ones of {', '.join(among)}"
            raise self._wrong(name, value, f"a list of {what}")
        return tuple(value)

    def each_word(self, name: str, among: Collection[str]) -> list[str]:
        """Return a list of texts, each one of ``among``; they may recur."""
        value = self._entry(name)
        if not isinstance(value, list) or not all(isinstance(one, str) and one in among for one in value):
            raise self._wrong(name, value, f"a list of {', '.join(among)}")
        return value

    def wholes(self, name: str, low: int, high: int) -> list[int]:
        """Return a list of whole numbers from ``low`` to ``high``."""
        value = self._entry(name)
        if not isinstance(value, list) or not all(type(one) is int and low <= one <= high for one in value):
            raise self._wrong(name, value, f"a list of whole numbers from {low} to {high}")
        return value

    def entries(self, name: str) -> list[Checked]:
        """Return a list of tables, each to be checked in its turn."""
        value = self._entry(name)
        if not isinstance(value, list) or len(value) > _ENTRIES:
            raise self._wrong(name, value, f"a list of at most {_ENTRIES} tables")
        return [Checked(one, {}, f"{self.part}: {name} {at}") for at, one in enumerate(value)]

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a table."""
        if not isinstance(value := self._entry(name), dict):
            raise self._wrong(name, value, "a table")
        return value

    def below(self, name: str, prefix: str) -> Checked:
        """Return a part of this part: its table, and the arrays whose names begin with a prefix."""
        arrays = {key.removeprefix(prefix): a for key, a in self.arrays.items() if key.startswith(prefix)}
        return replace(self, table=self.mapping(name), arrays=arrays, part=f"{self.part}: {name}", sizes={})

    def array(
        self,
        name: str,
        dtype: DTypeLike,
        shape: str,
        *,
        low: float | None = None,
        high: float | None = None,
        finite: bool = False,
        missing: bool = True,
    ) -> NDArray[Any]:
        """Return an array.

        Parameters
        ----------
        name
            Under which it is saved.
        dtype
            Which it must have, exactly.
        shape
            See the class.
        low, high
            Bounds of all values but NaN; None for none.
        finite
            Whether neither NaN nor an infinite value may be among them.
        missing
            Whether NaN may be among them.

        Raises
        ------
        ModelDirectoryError
            If it is absent, or not so.
        """
        if name not in self.arrays:
            raise ModelDirectoryError(f"{self.part}: the array {name} is missing")
        found = self.arrays[name]
        if found.dtype != np.dtype(dtype):
            raise self._wrong(name, found, f"of {np.dtype(dtype)}")
        self._fit(name, found, shape)
        if found.size:
            if finite and not np.isfinite(found).all():
                raise ModelDirectoryError(f"{self.part}: {name} holds NaN or an infinite value")
            if not missing and np.isnan(found).any():
                raise ModelDirectoryError(f"{self.part}: {name} holds NaN")
            with np.errstate(invalid="ignore"):
                beyond = (low is not None and (found < low).any()) or (
                    high is not None and (found > high).any()
                )
            if beyond:
                bounds = " and ".join(
                    f"{word} {bound:g}"
                    for word, bound in (("below", low), ("above", high))
                    if bound is not None
                )
                raise ModelDirectoryError(f"{self.part}: {name} holds values {bounds}")
        return found

    def size(self, name: str) -> int:
        """Return what a name in the shapes read so far stands for."""
        return self.sizes[name]

    def _fit(self, name: str, found: NDArray[Any], shape: str) -> None:
        wanted = shape.split()
        good = len(wanted) == found.ndim
        for axis, length in zip(wanted, found.shape, strict=False):
            word, _, more = axis.partition("+")
            if word.isdigit():
                good = good and length == int(word)
            elif good:
                good = length - int(more or 0) >= 0 and length == int(more or 0) + self.sizes.setdefault(
                    word, length - int(more or 0)
                )
        if not good:
            known = [
                f"{word} = {n}" for word, n in self.sizes.items() if word in shape.replace("+", " ").split()
            ]
            told = f" with {', '.join(known)}" if known else ""
            raise self._wrong(name, found, f"of shape ({', '.join(wanted)}){told}")

    def _entry(self, name: str) -> Any:
        if name not in self.table:
            raise ModelDirectoryError(f"{self.part}: {name} is missing")
        return self.table[name]

    def _wrong(self, name: str, found: Any, wanted: str) -> ModelDirectoryError:
        return ModelDirectoryError(f"{self.part}: {name} is {_shown(found)}, which should be {wanted}")


def _shown(value: Any) -> str:
    """Return a value as a message shows it: short, whatever it is."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        return "a number of too many digits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
