"""The explorer's small models, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.serve.explorer.explored import MOLECULES, write_cells, write_forest

from cytomol.serve.explorer.explored_session import ExploredSession


@pytest.fixture(scope="session")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a small predictor."""
    return write_forest(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the directories of a backbone, its corpus and its tree."""
    return write_cells(tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a library with ids and prices, an invalid molecule among them."""
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    rows = [f"{text}C,SH-{row:03d},{row / 10}" for row, text in enumerate(MOLECULES[:20])]
    path.write_text("\n".join(["smiles,shop_id,price", *rows, "C1CC,SH-999,7"]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def session(forest: Path, shop: Path) -> Iterator[ExploredSession]:
    """Return a session of the predictor and the library, its map computed."""
    with_map = ExploredSession.open(forest, library=shop, workers=1)
    with_map.map.compute()
    yield with_map
    with_map.close()


@pytest.fixture(scope="session")
def cell_session(cells: dict[str, Path]) -> Iterator[ExploredSession]:
    """Return a session of the backbone with its tree and measured profiles."""
    opened = ExploredSession.open(
        cells["backbone"], hierarchy=cells["tree"], corpus=cells["corpus"], workers=1
    )
    opened.measured.read()
    yield opened
    opened.close()
