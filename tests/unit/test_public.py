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


def test_no_import_goes_up() -> None:
    """The floors of the house: each room imports only what stands below it."""
    floors = {
        "chem": set(),
        "corpus": {"chem"},
        "context": {"chem", "corpus"},
        "nn": set(),
        "objectives": {"nn"},  # for the tensors of a batch alone
        "methods": {"nn", "objectives"},
        "training": {"chem", "corpus", "context", "nn", "objectives", "methods"},
        "predict": {"chem", "corpus", "nn", "objectives", "methods", "training"},
        "evaluate": {"chem", "corpus", "methods", "training", "predict"},
    }
    rooms = {*floors, "cli"}
    source = Path(cytomol.__file__).parent
    upward = []
    for room, below in floors.items():
        for path in (source / room).rglob("*.py"):
            for line in path.read_text(encoding="utf-8").splitlines():
                words = line.split()
                if words[:1] in (["from"], ["import"]) and words[1].startswith("cytomol."):
                    target = words[1].split(".")[1]
                    if target in rooms - below - {room}:
                        upward.append(f"{path.relative_to(source)}: {line.strip()}")
    assert upward == []
