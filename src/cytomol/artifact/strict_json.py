"""JSON of a model directory, read within limits: no name twice, no depth or number without end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cytomol.errors import ModelDirectoryError

__all__ = ["read_strictly"]

LARGEST_FILE = 256 * 2**20  # bytes
DEEPEST = 40  # tables and lists within each other
_DIGITS = 20


def read_strictly(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    ModelDirectoryError
        If it cannot be read, is larger than 256 MB, holds a name twice in a table, a whole number of more
        than 20 digits, or tables and lists nested more than 40 deep.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "config.json"
    ...     _ = path.write_text('{"a": [1, 2]}')
    ...     read_strictly(path)
    {'a': [1, 2]}
    """
    try:
        if (size := path.stat().st_size) > LARGEST_FILE:
            why = f"has {size:,} bytes; a JSON file may have {LARGEST_FILE:,}"
            raise ModelDirectoryError(why, where=str(path))
        found = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once, parse_int=_whole)
    except RecursionError:
        raise ModelDirectoryError(f"is nested more than {DEEPEST} deep", where=str(path)) from None
    except (OSError, ValueError) as error:  # UnicodeDecodeError and JSONDecodeError are such
        raise ModelDirectoryError(f"cannot be read: {error}", where=str(path)) from None
    level = [found]
    for _ in range(DEEPEST):
        level = (
            [
                inner
                for one in level
                for inner in (one.values() if isinstance(one, dict) else one)
                if isinstance(inner, dict | list)
            ]
            if level and isinstance(level[0], dict | list)
            else []
        )
    if level:
        raise ModelDirectoryError(f"is nested more than {DEEPEST} deep", where=str(path))
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:60]!r} stands twice in a table")
    return table


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)
