"""The floors of the house: which room may import which, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import architecture
from tools.architecture import FLOORS, Import, find_circle, module_paths, read_imports, upward


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    return read_imports()


def test_every_room_has_a_floor() -> None:
    rooms = {architecture.room_of(module) for module in module_paths()} - {"", "__main__"}
    assert sorted(rooms - set(FLOORS)) == [], "declare it in FLOORS of tools/architecture.py"


def test_the_floors_are_stacked() -> None:
    """A room may import only rooms that are declared before it, so none can close a circle."""
    names = list(FLOORS)
    for position, (room, below) in enumerate(FLOORS.items()):
        assert set(below) <= set(names[:position]), f"{room}: {below}"


def test_no_import_goes_up(imports: list[Import]) -> None:
    found = {(item.importer, item.rooms[1]) for item in upward(imports)}
    assert sorted(found) == [], "these imports go up; see FLOORS of tools/architecture.py"


def test_no_modules_import_each_other_in_a_circle(imports: list[Import]) -> None:
    edges = {(item.importer, item.imported) for item in imports}
    assert find_circle(edges) == []


def test_the_page_is_the_one_that_make_docs_writes() -> None:
    text = architecture.PAGE.read_text(encoding="utf-8")
    assert text == architecture.page(text), "run `make docs`"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a package of two rooms without an import."""
    for room in ("chem", "predict"):
        (tmp_path / "cytomol" / room).mkdir(parents=True)
        (tmp_path / "cytomol" / room / "__init__.py").write_text(f'"""The room of {room}."""\n')
    (tmp_path / "cytomol" / "__init__.py").write_text("from cytomol.predict import nothing\n")
    (tmp_path / "cytomol" / "predict" / "fit.py").write_text("from cytomol import chem\n")
    return tmp_path / "cytomol"


@pytest.mark.parametrize(
    "text",
    [
        "import cytomol.predict.fit",
        "import os, cytomol.predict as p",
        "from cytomol import predict",
        "from cytomol import PropertyClassifier",
        "from cytomol.predict import fit",
        "from cytomol.predict.fit import one",
        "from ..predict import fit",
        "def later():\n    from cytomol.predict import fit",
        "if TYPE_CHECKING:\n    from cytomol.predict import fit",
        "from cytomol.predict import (\n    fit,\n)",
        "import importlib\nimportlib.import_module('cytomol.predict.fit')",
    ],
)
def test_an_import_that_goes_up_is_seen(house: Path, text: str) -> None:
    assert upward(read_imports(house)) == []
    (house / "chem" / "parse.py").write_text(f"{text}\n")
    assert [item.importer for item in upward(read_imports(house))] == ["cytomol.chem.parse"]


def test_an_import_that_goes_down_is_fine(house: Path) -> None:
    assert [item.rooms for item in read_imports(house)] == [("predict", "chem")]
    assert upward(read_imports(house)) == []


def test_circle() -> None:
    assert find_circle([("a", "b"), ("b", "c"), ("a", "c")]) == []
    circle = find_circle([("a", "b"), ("b", "c"), ("c", "b")])
    assert circle[0] == circle[-1]
    assert set(circle) == {"b", "c"}


def test_thin_leaves_out_what_a_longer_way_draws() -> None:
    assert architecture.thin({("c", "b"), ("b", "a"), ("c", "a")}) == {("c", "b"), ("b", "a")}
