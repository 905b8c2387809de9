"""The backbone that comes with the package: found by name, verified, small; it embeds and imputes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import cytomol
from cytomol.artifact import shipped
from cytomol.artifact.backbone import Backbone, load_backbone, training_record
from cytomol.artifact.directory import verify
from cytomol.artifact.shipped import SHIPPED_FOLDER, model_place
from cytomol.cells.impute.imputer import Imputer
from cytomol.cells.matcher.open_space import open_space
from cytomol.errors import ModelDirectoryError

SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "no molecule"]
MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def default() -> Backbone:
    return Backbone.load("default")


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy that stands in for the folder of the package, and may be damaged."""
    folder = tmp_path / "site" / "shipped_default"
    shutil.copytree(SHIPPED_FOLDER, folder)
    monkeypatch.setattr(shipped, "SHIPPED_FOLDER", folder)
    return folder


def test_it_is_whole_and_at_most_eight_megabytes() -> None:
    manifest = verify(SHIPPED_FOLDER, kind="backbone")
    found = {path.name: path.stat().st_size for path in SHIPPED_FOLDER.iterdir()}
    assert set(found) == {*manifest["files"], "manifest.json"}
    assert sum(found.values()) <= MOST_BYTES, found


def test_its_matrices_are_of_half_precision() -> None:
    weights = load_file(SHIPPED_FOLDER / "weights.safetensors")
    wide = [name for name, tensor in weights.items() if tensor.ndim > 1 and tensor.dtype != torch.float16]
    assert wide == []


def test_the_card_says_what_was_left_out_and_under_which_licences() -> None:
    card = (SHIPPED_FOLDER / "README.md").read_text(encoding="utf-8")
    for words in ("CC0", "CC BY 4.0", "MIT", "none stated", "CC BY-NC", "Profiles and targets of evaluated"):
        assert words in card
    record = training_record("default")
    assert record["excluded"]["profiles"] > 0
    assert record["exclude_relations"] is True
    assert len(record["exclude"]) == 1


def test_it_has_learnt_from_no_profiles_without_an_open_licence(default: Backbone) -> None:
    assert set(default.modalities) == {
        "expression_l1000_978",
        "morphology_jump_phenotype60",
        "gene_crispr_jump_phenotype60",
        "gene_orf_jump_phenotype60",
        "gene_orf_l1000_978",
    }


def test_it_embeds_molecules(default: Backbone) -> None:
    embedding, valid = default.embed(SMILES)
    assert valid.tolist() == [True, True, False]
    assert embedding.shape == (3, default.embedding_width)
    assert np.isfinite(embedding[:2]).all()
    assert np.linalg.norm(embedding[0] - embedding[1]) > 0.01 * np.linalg.norm(embedding[0])
    assert default.digest == load_backbone("default").digest


def test_it_imputes_and_places(default: Backbone) -> None:
    imputer = Imputer.of(default)
    assert [one.name for one in imputer.modalities] == ["expression_l1000_978", "morphology_jump_phenotype60"]
    imputed = imputer.impute(SMILES)
    for values in imputed.expected.values():
        assert np.isfinite(values[:2]).all()
        assert np.isnan(values[2]).all()
        assert not np.allclose(values[0], values[1])
    space = open_space("default", "expression_l1000_978")
    places, _ = space.molecules(SMILES[:2])
    found = space.profiles(imputed.expected["expression_l1000_978"][:2])
    # what a molecule is expected to do goes with that molecule
    assert (np.argmax(found @ places.T, axis=1) == [0, 1]).all()


def test_encoders_read_it_without_being_fitted(default: Backbone) -> None:
    found = cytomol.CellEncoder().transform(SMILES[:2])
    np.testing.assert_array_equal(found, default.embed(SMILES[:2])[0])


def test_the_word_stands_for_it_whatever_lies_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untrained: dict[str, Path]
) -> None:
    shutil.copytree(untrained["infoalign"], tmp_path / "default")
    monkeypatch.chdir(tmp_path)
    assert model_place("default") == SHIPPED_FOLDER
    own = Backbone.load(untrained["infoalign"]).digest
    assert Backbone.load("default").digest != own
    assert Backbone.load("./default").digest == own
    assert Backbone.load(Path("default")).digest == own


def test_a_damaged_file_is_named_and_says_to_install_again(copied: Path) -> None:
    weights = copied / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelDirectoryError, match=r"is not the file that was saved: SHA-256") as told:
        Backbone.load("default")
    assert told.value.where == str(weights)
    assert told.value.hint == "install cytomol again"


def test_a_package_without_it_says_to_install_again(copied: Path) -> None:
    shutil.rmtree(copied)
    with pytest.raises(ModelDirectoryError, match="model directory not found") as told:
        load_backbone("default")
    assert told.value.hint == "install cytomol again"
