"""Many short strings as one array of bytes, so that a million of them stay small and can be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError

__all__ = ["Texts"]


@dataclass(frozen=True)
class Texts:
    """Strings in UTF-8, one after the other.

    Attributes
    ----------
    data
        Their bytes, uint8, shape (bytes,).
    offsets
        Where each begins, and the end of the last, int64, shape (n + 1,).
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, strings: Sequence[str]) -> Self:
        """Pack strings; what UTF-8 has no place for (half a surrogate pair) becomes "?"."""
        encoded = [text.encode("utf-8", errors="replace") for text in strings]
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(text) for text in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, place: int) -> str:
        start, end = self.offsets[place], self.offsets[place + 1]
        return self.data[start:end].tobytes().decode("utf-8", errors="replace")

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return ``name.bytes`` and ``name.offsets``, which :meth:`restore` needs."""
        return {f"{name}.bytes": self.data, f"{name}.offsets": self.offsets}

    @classmethod
    def restore(cls, name: str, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`.

        Raises
        ------
        ModelDirectoryError
            If the strings do not stand one after the other.
        """
        saved = Checked({}, arrays, "texts")
        data = saved.array(f"{name}.bytes", np.uint8, "bytes")
        ends = saved.array(f"{name}.offsets", np.int64, "n+1", low=0, high=len(data))
        if ends[0] != 0 or ends[-1] != len(data) or (np.diff(ends) < 0).any():
            raise ModelDirectoryError(f"texts: the strings of {name} do not stand one after the other")
        return cls(data, ends)
