"""The hierarchy as it is walked, against the tables that were written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cytomol.artifact.backbone import Backbone
from cytomol.errors import InputError
from cytomol.serve.explorer.explored_session import ExploredSession
from cytomol.serve.explorer.explored_tree import ExploredTree


@pytest.fixture(scope="module")
def tree(cells: dict[str, Path]) -> ExploredTree:
    return ExploredTree.read(cells["tree"])


def test_the_children_of_a_node_hold_its_members(tree: ExploredTree) -> None:
    todo, seen = [""], 0
    while todo:
        node = tree.node(todo.pop())
        seen += 1
        if node["children"]:
            assert sum(child["members"] for child in node["children"]) == node["members"]
            assert all(child["path"][:-1] == node["path"] for child in node["children"])
        else:
            assert node["level"] == node["levels"] == 3
        todo += [child["path"] for child in node["children"]]
    assert seen > 3


def test_labels_of_a_node_are_those_of_the_table_with_q_below_5_percent(
    tree: ExploredTree, cells: dict[str, Path]
) -> None:
    table = pd.read_csv(cells["tree"] / "enrichment.csv", dtype={"path": str})
    for path in ("0", "1"):
        wanted = table[(table["path"] == path) & (table["q"] < 0.05)]
        found = tree.node(path)["enriched"]
        assert len(found) == min(len(wanted), 60)
        assert [one["q"] for one in found] == sorted(one["q"] for one in found)


def test_typical_members_come_first(tree: ExploredTree) -> None:
    molecules = tree.node("0")["molecules"]
    assert molecules[0]["typical"]
    flags = [one["typical"] for one in molecules]
    assert flags == sorted(flags, reverse=True)


def test_there_is_no_such_node(tree: ExploredTree) -> None:
    with pytest.raises(InputError, match="the tree has no node '2'"):
        tree.node("2")


def test_a_molecule_of_the_tree_lies_in_its_node(cell_session: ExploredSession) -> None:
    assert cell_session.tree is not None
    members = cell_session.tree.members
    for row in (0, 17, 40):
        found = cell_session.cells(members["smiles"].iloc[row])
        assert found["path"] == members["path"].iloc[row] != ""


def test_a_tree_of_another_model_places_nobody(
    tree: ExploredTree, cells: dict[str, Path], untrained: dict[str, Path]
) -> None:
    assert tree.tree_of(cells["tree"], Backbone.load(untrained["chmr"])) is None
    assert tree.tree_of(cells["tree"], None) is None
    assert tree.tree_of(cells["tree"], Backbone.load(cells["backbone"])) is not None


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not what cytomol hierarchy writes.*cytomol hierarchy -o DIR"):
        ExploredTree.read(tmp_path)
