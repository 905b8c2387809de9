"""The trained tree of a backbone, filled with the library's molecules in the background."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cytomol.artifact.backbone import Backbone
from cytomol.cells.tree.code_tree import trained_tree
from cytomol.cells.tree.tree_places import place_molecules
from cytomol.errors import InputError
from cytomol.serve.explorer.background import or_say
from cytomol.serve.explorer.explored_library import ExploredLibrary
from cytomol.serve.explorer.explored_model import ExploredModel
from cytomol.serve.explorer.explored_session import ExploredSession
from cytomol.serve.explorer.grown_tree import GrownTree


def test_it_is_the_tree_of_the_command(untrained: dict[str, Path], shop: Path) -> None:
    session = ExploredSession.open(untrained["chmr"], library=shop, workers=1)
    assert session.about()["tree"]
    for _ in range(600):
        if "growing" not in (root := session.node("")):
            break
        time.sleep(0.1)
    assert root["members"] == 20  # of 21 one is no molecule
    assert session.tree is not None
    backbone = Backbone.load(untrained["chmr"])
    tree = trained_tree(backbone)
    store = backbone.store(session.tree.members["smiles"].tolist(), workers=1)
    wanted = tree.texts(tree.codes(place_molecules(backbone, store)).path)
    assert session.tree.members["path"].tolist() == wanted
    assert session.cells(session.library.smiles[3])["path"] == wanted[3] != ""
    session.close()


def test_a_backbone_without_a_tree_grows_none(untrained: dict[str, Path], shop: Path) -> None:
    with ExploredModel.open(untrained["infoalign"]) as model:
        session = ExploredSession(model, ExploredLibrary.read(None, shop))
        assert session.grown is None
        assert not session.about()["tree"]
        with pytest.raises(InputError, match=r"there is no tree.*--hierarchy"):
            session.node("")
        with pytest.raises(InputError, match="trained without a tree"):
            GrownTree(model, session.library).grow()


def test_what_goes_wrong_is_said(untrained: dict[str, Path]) -> None:
    with ExploredModel.open(untrained["chmr"]) as model:
        grown = GrownTree(model, ExploredLibrary.gather(None, None))
        or_say(grown.grow, grown._failed)
        assert grown.status()["growing"] is False
        assert "no molecules to lead through the tree" in grown.status()["error"]
