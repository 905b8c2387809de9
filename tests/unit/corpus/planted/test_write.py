"""The directory of a planted corpus: whole, readable, the same bytes for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus import read_corpus
from cytomol.corpus.planted import PlantedCorpus, write_planted
from cytomol.errors import InputError, OutputError


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlantedCorpus]:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    return path, write_planted(path, 250, seed=3)


def test_the_corpus_reads_back(written: tuple[Path, PlantedCorpus]) -> None:
    path, planted = written
    corpus = read_corpus(path)
    assert corpus.smiles == planted.corpus.smiles
    for name, modality in planted.corpus.modalities.items():
        read = corpus.modalities[name]
        assert (read.kind, read.entity, read.columns) == (modality.kind, modality.entity, modality.columns)
        assert np.array_equal(read.rows, modality.rows)
        assert np.array_equal(read.values, modality.values, equal_nan=True)
    for name, relation in planted.corpus.relations.items():
        read_relation = corpus.relations[name]
        assert np.array_equal(read_relation.source, relation.source)
        assert np.array_equal(read_relation.target, relation.target)
        assert np.allclose(read_relation.weight, relation.weight)


def test_assays_and_split(written: tuple[Path, PlantedCorpus]) -> None:
    path, planted = written
    assays, split = pd.read_csv(path / "assays.csv"), pd.read_csv(path / "split.csv")
    pd.testing.assert_frame_equal(assays, planted.assays, check_dtype=False)
    assert split["index"].tolist() == list(range(len(assays)))
    assert split["fold"].tolist() == planted.fold.tolist()
    heldout = pd.read_csv(path / "heldout.csv")
    assert list(heldout.columns) == ["smiles"]
    assert heldout["smiles"].tolist() == assays["smiles"][split["fold"] == "test"].tolist()


def test_the_truth_can_be_computed_from_the_files(written: tuple[Path, PlantedCorpus]) -> None:
    """As the README in the directory says: profile from response and read-out."""
    truth = written[0] / "truth"
    response = pd.read_parquet(truth / "responses.parquet").set_index("mol_id").to_numpy()
    part = {
        name: np.load(truth / "readouts" / f"morphology_{name}.npy")
        for name in ("gain", "offset", "loading", "center", "unit")
    }
    factors = np.tanh(response @ part["gain"] + part["offset"]) - np.tanh(part["offset"])
    expected = pd.read_parquet(truth / "noiseless" / "morphology.parquet").set_index("mol_id").to_numpy()
    assert np.allclose(part["center"] + part["unit"] * (factors @ part["loading"]), expected, atol=1e-4)


def test_truth_tables(written: tuple[Path, PlantedCorpus]) -> None:
    path, planted = written
    truth = path / "truth"
    pd.testing.assert_frame_equal(pd.read_parquet(truth / "molecules.parquet"), planted.truth.molecules)
    pd.testing.assert_frame_equal(pd.read_parquet(truth / "assays.parquet"), planted.truth.assays)
    for name in planted.corpus.relations:
        table = pd.read_parquet(truth / "relations" / f"{name}.parquet")
        seen = pd.read_parquet(path / "relations" / f"{name}.parquet")
        assert table[["source", "target"]].equals(seen[["source", "target"]])
        assert table["correct"].tolist() == planted.truth.relations[name].tolist()
    for name, modality in planted.corpus.modalities.items():
        assert len(pd.read_parquet(truth / "plates" / f"{name}.parquet")) == len(modality)
    assert len(pd.read_parquet(truth / "targets.parquet")) == 32


def test_the_readme_names_every_file(written: tuple[Path, PlantedCorpus]) -> None:
    path, _ = written
    text = (path / "README.txt").read_text(encoding="utf-8")
    for place in [*path.iterdir(), *(path / "truth").iterdir()]:
        assert place.name in text or place.name == "README.txt"


def test_same_seed_same_bytes(written: tuple[Path, PlantedCorpus], tmp_path: Path) -> None:
    path, _ = written
    again = tmp_path / "again"
    write_planted(again, 250, seed=3)
    files = sorted(place.relative_to(path) for place in path.rglob("*") if place.is_file())
    assert files == sorted(place.relative_to(again) for place in again.rglob("*") if place.is_file())
    for file in files:
        assert (path / file).read_bytes() == (again / file).read_bytes(), file


def test_existing_output_needs_force(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputError, match="output exists"):
        write_planted(tmp_path / "there", 200)
    assert (tmp_path / "there" / "mine.txt").read_text(encoding="utf-8") == "keep"
    with pytest.raises(OutputError, match=r"cytomol did not write \(it holds 'mine.txt'\)"):
        write_planted(tmp_path / "there", 200, force=True)
    write_planted(tmp_path / "planted", 200)
    write_planted(tmp_path / "planted", 200, force=True)
    assert (tmp_path / "there" / "mine.txt").read_text(encoding="utf-8") == "keep"
    assert (tmp_path / "planted" / "corpus.toml").exists()


def test_nothing_is_left_when_it_fails(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        write_planted(tmp_path / "out", 10)
    assert list(tmp_path.iterdir()) == []
