"""Trees of a model: routing, text, fitted ones saved and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from cytomol.artifact.backbone import Backbone
from cytomol.cells.tree.code_tree import fit_tree, load_tree, trained_tree, write_tree
from cytomol.cells.tree.tree_paths import shared_levels
from cytomol.cells.tree.tree_places import place_molecules
from cytomol.corpus.planted import PlantedCorpus
from cytomol.errors import ConfigError, InputError, ModelDirectoryError


def test_a_trained_tree_routes_as_the_method_does(backbones: dict[str, Path], planted: PlantedCorpus) -> None:
    backbone = Backbone.load(backbones["chmr"])
    store = backbone.store([*planted.corpus.smiles[:12], "C1CC"], workers=1)
    tree = trained_tree(backbone)
    path, distance = tree.codes(place_molecules(backbone, store))
    batch = backbone.builder.build(store, np.arange(12))
    assert path[:12].tolist() == backbone.method.codes(batch).tolist()
    assert path[12].tolist() == [-1] * 6
    assert np.isnan(distance[12])
    texts = tree.texts(path)
    assert texts[12] == ""
    for text, nodes in zip(texts[:12], path, strict=False):
        assert [int(text[:level], 2) for level in range(1, 7)] == nodes.tolist()


@pytest.mark.parametrize("method", ["contrastive", "infoalign"])
def test_a_model_without_a_tree_says_so(backbones: dict[str, Path], method: str) -> None:
    with pytest.raises(ConfigError, match=r"trained without a tree.*--tree fitted"):
        trained_tree(Backbone.load(backbones[method]))


def test_a_fitted_tree_is_read_as_it_was_written(backbones: dict[str, Path], tmp_path: Path) -> None:
    backbone = Backbone.load(backbones["infoalign"])
    places = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    tree = fit_tree(places, depth=3)
    write_tree(tree, tmp_path / "tree", backbone)
    again = load_tree(tmp_path / "tree", backbone)
    for one, other in zip(tree.codes(places), again.codes(places), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ModelDirectoryError, match="fitted to another model"):
        load_tree(tmp_path / "tree", Backbone.load(backbones["chmr"]))
    with pytest.raises(ModelDirectoryError, match="holds a backbone, not a tree"):
        load_tree(backbones["chmr"], backbone)


def test_a_fitted_tree_finds_groups_on_their_levels() -> None:
    draw = np.random.default_rng(0)
    coarse, fine = draw.normal(size=(2, 30)), draw.normal(size=(8, 30)) * 0.5
    leaf = np.repeat(np.arange(8), 25)
    rows = (coarse[leaf // 4] * 2 + fine[leaf] + draw.normal(size=(200, 30)) * 0.1).astype(np.float32)
    path = fit_tree(rows, depth=3).codes(rows).path
    assert adjusted_mutual_info_score(leaf // 4, path[:, 0]) == pytest.approx(1)
    assert adjusted_mutual_info_score(leaf, path[:, 2]) == pytest.approx(1)


def test_fitting_has_no_chance_in_it() -> None:
    rows = np.random.default_rng(0).normal(size=(90, 9)).astype(np.float32)
    one, other = (fit_tree(rows, depth=4).codes(rows).path for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("depth", "error", "message"),
    [(4, InputError, "9 molecules cannot fill.*16 nodes"), (0, ConfigError, "tree of 0 levels")],
)
def test_bad_depths(depth: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit_tree(np.ones((9, 3), np.float32), depth=depth)


def test_shared_levels_end_where_paths_part() -> None:
    one = np.array([[0, 1, 3], [0, 1, 3], [-1, -1, -1], [1, 2, 5]])
    other = np.array([[0, 1, 2], [1, 3, 7], [0, 0, 0], [1, 2, 5]])
    assert shared_levels(one, other).tolist() == [2, 0, -1, 3]
