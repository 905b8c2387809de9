"""The public names: each loads, has a docstring, and stands in the guide."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import cytomol

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"


@pytest.mark.parametrize("name", cytomol.__all__)
def test_public_name_loads_and_is_documented(name: str) -> None:
    thing = getattr(cytomol, name)
    assert inspect.getdoc(thing)
    assert name in GUIDE.read_text(encoding="utf-8"), f"{name} is missing from docs/guide.md"


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cytomol.nothing
