"""The record that lies beside rows of results: what they were made with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cytomol.errors import InputError

__all__ = ["read_record"]


def read_record(path: Path) -> dict[str, Any]:
    """Return what results were made with, by name.

    Raises
    ------
    InputError
        If the file cannot be read or holds no table.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from None
    if not isinstance(found, dict):
        raise InputError("holds no table of facts", where=str(path))
    return found
