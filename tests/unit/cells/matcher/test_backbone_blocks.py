"""A matcher reads a backbone's embedding, alike from SMILES and from a store, saved and not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytomol.artifact.backbone import BACKBONE_FOLDER, Backbone
from cytomol.artifact.directory import kind_of
from cytomol.cells.matcher.backbone_blocks import BackboneBlocks
from cytomol.cells.matcher.matcher_model import MatcherModel, fit_matcher
from cytomol.cells.matcher.structure_kernel import StructureKernel, structure_blocks
from cytomol.corpus.planted import PlantedCorpus
from cytomol.errors import ModelDirectoryError

ASKED = ["CCO", "no molecule", "c1ccccc1CC", "CC(=O)Nc1ccc(O)cc1"]


def backed(planted: PlantedCorpus, backbone: Backbone) -> MatcherModel:
    corpus = planted.corpus
    keys = [key[:14] for key in corpus.molecules["inchikey"]]
    extra = BackboneBlocks(backbone)
    return fit_matcher(corpus.smiles, keys, corpus.modalities["morphology"], extra=extra)


@pytest.fixture(scope="module")
def fitted() -> dict[str, MatcherModel]:
    """Return the matchers that were fitted so far, by the name of their backbone's method."""
    return {}


@pytest.fixture
def model(planted: PlantedCorpus, backbone: Backbone, fitted: dict[str, MatcherModel]) -> MatcherModel:
    """Return a matcher that reads the embedding."""
    if backbone.name not in fitted:
        fitted[backbone.name] = backed(planted, backbone)
    return fitted[backbone.name]


def test_blocks_are_those_of_structures_and_the_embedding(backbone: Backbone) -> None:
    reader = BackboneBlocks(backbone)
    blocks, valid = reader(ASKED)
    assert valid.tolist() == [True, False, True, True]
    known, _ = structure_blocks(ASKED)
    for name, block in known.items():
        np.testing.assert_array_equal(blocks[name], block)
    embedding, _ = backbone.embed(ASKED)
    np.testing.assert_allclose(blocks["embedding"][valid], embedding[valid], rtol=1e-5, atol=1e-6)
    assert not blocks["embedding"][1].any()


def test_some_rows_of_a_store_are_read_as_alone(backbone: Backbone) -> None:
    reader = BackboneBlocks(backbone)
    rows = np.array([3, 1, 0])
    some, valid = reader.blocks_of(reader.store(ASKED), rows)
    alone, _ = reader([ASKED[row] for row in rows])
    assert valid.tolist() == [True, False, True]
    for name, block in alone.items():
        np.testing.assert_allclose(some[name], block, rtol=1e-5, atol=1e-6)


def test_the_embedding_counts_as_two_blocks_of_structures() -> None:
    blocks, _ = structure_blocks(["CCO", "CCN", "c1ccccc1", "CCCC"])
    alone = StructureKernel.fit(blocks).similarity(blocks)
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    both = {**blocks, "embedding": rows}
    kernel = StructureKernel.fit(both)
    scaled, width = kernel.numbers["embedding"], kernel.widths["embedding"]
    gaussian = np.exp(-((scaled[:, None] - scaled[None]) ** 2).sum(axis=2) / width)
    np.testing.assert_allclose(kernel.similarity(both), (3 * alone + 2 * gaussian) / 5, atol=1e-5)


def test_saved_whole_and_read_again_it_places_alike(
    planted: PlantedCorpus, model: MatcherModel, tmp_path: Path
) -> None:
    model.save(tmp_path / "matcher")
    again = MatcherModel.load(tmp_path / "matcher")
    assert kind_of(tmp_path / "matcher" / BACKBONE_FOLDER) == "backbone"
    card = (tmp_path / "matcher" / "README.md").read_text(encoding="utf-8")
    assert f"({len(model.columns):,} features) of {model.facts['molecules']:,} molecules" in card
    places, valid = model.molecules(ASKED)
    assert np.isnan(places[1]).all()
    for asked in (ASKED, again.store(ASKED)):
        found, ok = again.molecules(asked)
        np.testing.assert_array_equal(ok, valid)
        np.testing.assert_allclose(found, places, atol=1e-5)
    values = planted.corpus.modalities["morphology"].values[:5]
    np.testing.assert_array_equal(again.profiles(values), model.profiles(values))


def test_the_same_backbone_gives_the_same_matcher(
    planted: PlantedCorpus, backbone: Backbone, model: MatcherModel
) -> None:
    again = backed(planted, backbone)
    np.testing.assert_array_equal(again.molecules(ASKED)[0], model.molecules(ASKED)[0])


def test_an_altered_backbone_is_not_read(model: MatcherModel, tmp_path: Path) -> None:
    model.save(tmp_path / "matcher")
    weights = tmp_path / "matcher" / BACKBONE_FOLDER / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelDirectoryError, match="is not the file that was saved"):
        MatcherModel.load(tmp_path / "matcher")
