"""What is kept beside a backbone for its report: counts, use of codes, a map without structures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus import Corpus, read_corpus
from cytomol.corpus.planted import write_planted
from cytomol.methods import methods
from cytomol.training.overview import cell_map
from cytomol.training.overview.cell_map import flattened, sampled
from cytomol.training.overview.overview import OVERVIEW, MoleculeLabels, known_labels
from cytomol.training.pretrain import pretrain


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 200, seed=2)
    return path


def _pretrained(corpus: Path | Corpus, out: Path, method: str, **more: object) -> dict[str, object]:
    options = {"width": 16, "layers": 1, "epochs": 0, "threads": 1, "accelerator": "cpu"}
    options |= {"views": ("1d",)} if method == "chmr" else {}
    config = methods[method].Config.build(options)
    pretrain(corpus, config, out, method=method, quiet=True, **more)  # type: ignore[arg-type]
    found: dict[str, object] = json.loads((out / OVERVIEW).read_text(encoding="utf-8"))
    return found


def test_a_backbone_knows_what_it_learnt_from_and_where_its_molecules_are(
    corpus: Path, tmp_path: Path
) -> None:
    read = read_corpus(corpus)
    found = _pretrained(corpus, tmp_path / "m", "chmr")
    learnt = found["learnt_from"]
    assert learnt["molecules"]["corpus"] == learnt["molecules"]["valid"] == 200  # type: ignore[index]
    assert {one["name"]: one["profiles"] for one in learnt["modalities"]} == {  # type: ignore[index]
        name: len(modality) for name, modality in read.modalities.items()
    }
    codes = found["codes"]
    assert [sum(level) for level in codes["levels"]] == [200] * 6  # type: ignore[index]
    points = found["map"]
    size = len(points["x"])  # type: ignore[index]
    assert points["names"][0] == "molecule"  # type: ignore[index]
    assert set(points["is"]) == set(range(len(points["names"])))  # type: ignore[index]
    assert {len(points[name]) for name in ("y", "is", "label")} == {size}  # type: ignore[index]
    assert {len(level) for level in points["nodes"]} == {size}  # type: ignore[index]
    # below each node of a level lie the points of its children
    assert [node // 2 for node in points["nodes"][3]] == points["nodes"][2]  # type: ignore[index]


def test_no_structure_and_no_name_of_a_molecule_is_kept(corpus: Path, tmp_path: Path) -> None:
    _pretrained(corpus, tmp_path / "m", "contrastive")
    text = (tmp_path / "m" / OVERVIEW).read_text(encoding="utf-8")
    molecules = read_corpus(corpus).molecules
    long = [smiles for smiles in molecules["smiles"] if len(smiles) > 8]
    assert len(long) > 50
    assert not any(smiles in text for smiles in long)
    assert not any(name in text for name in molecules["mol_id"])


def test_a_method_without_projections_draws_molecules_alone(corpus: Path, tmp_path: Path) -> None:
    found = _pretrained(corpus, tmp_path / "m", "infoalign")
    assert found["codes"] is None
    assert found["map"]["names"] == ["molecule"]  # type: ignore[index]
    assert found["map"]["own"] == []  # type: ignore[index]
    measured = set(found["map"]["measured"])  # type: ignore[index]
    assert {"", "morphology", "morphology + expression"} <= measured


def test_own_labels_take_the_place_of_those_of_the_corpus(corpus: Path, tmp_path: Path) -> None:
    def labels(read: Corpus) -> MoleculeLabels:
        return MoleculeLabels("pathway", ["even", "odd"] * (len(read) // 2))

    found = _pretrained(corpus, tmp_path / "m", "infoalign", labels=labels)
    assert found["label_kind"] == "pathway"
    assert set(found["map"]["label"]) == {"even", "odd"}  # type: ignore[index]
    assert found["map"]["alike"]["molecules"] == 200  # type: ignore[index]


def test_without_an_overview_none_is_written(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _pretrained(corpus, tmp_path / "m", "infoalign", with_overview=False)
    assert (tmp_path / "m" / "manifest.json").exists()


def test_the_sample_takes_what_is_known_and_fills_up_with_the_rest() -> None:
    valid = np.ones(100, np.bool_)
    valid[:10] = False
    wanted = np.arange(100) < 50
    rows = sampled(valid, wanted, most=30, seed=1)
    assert len(set(rows.tolist())) == 30
    assert int(wanted[rows].sum()) == 20
    assert rows.min() >= 10
    assert len(sampled(valid, wanted, most=1000, seed=1)) == 90
    assert sampled(valid, wanted, most=30, seed=2).tolist() != rows.tolist()


def test_many_places_are_drawn_by_t_sne_and_groups_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_map, "_FOR_NEIGHBOURS", 100)
    rng = np.random.default_rng(0)
    centres = np.eye(8, dtype=np.float32)[:2]
    places = np.repeat(centres, 60, axis=0) + rng.normal(scale=0.05, size=(120, 8)).astype(np.float32)
    points, way = flattened(places.astype(np.float32), seed=0)
    assert way == "t-SNE"
    apart = np.linalg.norm(points[:60].mean(axis=0) - points[60:].mean(axis=0))
    assert apart > 2 * points[:60].std()


def test_targets_stand_in_where_no_mechanism_is_known(corpus: Path) -> None:
    read = read_corpus(corpus)
    labels = known_labels(read)
    assert labels is not None
    assert labels.kind == "target"
    assert set(labels.labels) - {""} <= set(read.genes["gene_id"])
    bare = Corpus(pd.DataFrame({"mol_id": ["a"], "smiles": ["C"]}), pd.DataFrame({"gene_id": []}))
    assert known_labels(bare) is None
