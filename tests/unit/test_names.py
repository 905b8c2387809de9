"""No two files share a name unless they hold the same interface."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from tools.architecture import ROOT, SOURCE

from cytomol.cli.main import _VERBS

# Files of one name that hold one interface, each in its own room.
INTERFACES = {
    "__init__": "a room's public names",
    "base": "what every strategy of a room is, and their registry",
    "config": "a frozen model of options",
    "options": "frozen options of one room",
    "presets": "published settings by name",
    "write": "writes what the room holds, whole or not at all",
}


def bears_the_name_of_another(path: Path) -> bool:
    """Say whether a file is named after its subject: a verb of `cli`, or what a group of options is about."""
    return path.parent.name == "options" or (path.parent.name == "cli" and path.stem in _VERBS)


def test_a_name_stands_for_one_thing() -> None:
    places = defaultdict(list)
    for path in SOURCE.rglob("*.py"):
        if not bears_the_name_of_another(path):
            places[path.stem].append(path.relative_to(SOURCE).as_posix())
    shared = {name: sorted(files) for name, files in places.items() if len(files) > 1}
    assert {name: files for name, files in shared.items() if name not in INTERFACES} == {}


def test_a_folder_of_tests_mirrors_a_room() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    tested = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir()}
    assert sorted(tested - {"benchmarks", "__pycache__"} - rooms) == []
