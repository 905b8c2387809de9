"""How the shipped backbone is made: what may be learnt from, and what packing changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.default_backbone import corpus as module
from benchmarks.default_backbone.choose import best_form, held_out_folds
from benchmarks.default_backbone.compare import ALONE, Entrant, write_rows
from benchmarks.default_backbone.licences import MODALITIES, MOLECULES, RELATIONS, allowed
from benchmarks.default_backbone.pack import pack
from hypothesis import given
from hypothesis import strategies as st

from cytomol.artifact.backbone import Backbone

SMILES = ["CCO", "CC(=O)Oc1ccccc1C(=O)O", "c1ccncc1", "CN1CCC[C@H]1c1cccnc1", "CCCCCCCCCCCC(=O)O"]


def test_no_source_without_an_open_licence_is_allowed() -> None:
    sources = (*MOLECULES, *MODALITIES, *RELATIONS)
    closed = {source.name for source in sources if source.licence in {"none stated", "CC BY-NC", "CC BY-SA"}}
    assert {"morphology_cdrp_pc50", "morphology_jump_dino384", "drugbank_l1000", "chembl2k"} <= closed
    assert closed.isdisjoint(allowed(sources))
    assert closed | set(allowed(sources)) == {source.name for source in sources}


def test_packing_keeps_the_embedding_and_leaves_off_what_only_training_needs(
    untrained: dict[str, Path], tmp_path: Path
) -> None:
    for method, path in untrained.items():
        pack(path, tmp_path / method, "# card\n")
        before, after = Backbone.load(path), Backbone.load(tmp_path / method)
        found, expected = after.embed(SMILES)[0], before.embed(SMILES)[0]
        largest = np.abs(found - expected).max() / np.abs(expected).max()
        assert 0 < largest < 2e-3, method  # half precision keeps eleven bits
        assert after.method.decoded == before.method.decoded
        assert not any(name.startswith("decoders.[morgan]") for name in after.weights())
        record = json.loads((tmp_path / method / "training.json").read_text(encoding="utf-8"))
        assert record["packed"]["from"] == before.digest
        weights = [folder / "weights.safetensors" for folder in (tmp_path / method, path)]
        assert 1.9 * weights[0].stat().st_size < weights[1].stat().st_size


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder laid out as the real data, a few rows of it."""
    root, corpus = tmp_path / "data", tmp_path / "data" / "corpus"
    for folder in (corpus / "modalities", corpus / "relations", root / "cell"):
        folder.mkdir(parents=True)
    keys = [f"{letter * 14}-UHFFFAOYSA-N" for letter in "ABC"]
    pd.DataFrame(
        {
            "mol_id": ["m0", "m1", "m2"],
            "smiles": ["OCC", "CCN", "CCC"],
            "inchikey": keys,
            "sources": ["repurposing_hub|chembl2k", "drugbank_l1000", "bace"],
        }
    ).to_parquet(corpus / "molecules.parquet")
    pd.DataFrame({"gene_id": ["G", "H"]}).to_parquet(corpus / "genes.parquet")
    for source in MODALITIES:
        kind = "gene_id" if source.name.startswith("gene") else "mol_id"
        ids = ["G", "H"] if kind == "gene_id" else ["m0", "m1"]
        pd.DataFrame({kind: ids, "x": [0.0, 1.0]}).to_parquet(
            corpus / "modalities" / f"{source.name}.parquet"
        )
    for source in RELATIONS:
        table = pd.DataFrame({"source": ["m0", "m0", "m1"], "target": ["G", "H", "G"], "weight": 1.0})
        table.to_parquet(corpus / "relations" / f"{source.name}.parquet")
    pd.DataFrame(
        {"inchikey": [keys[0], keys[1]], "target": ["G|K", "G"], "source": ["repurposing_hub", "cdrp"]}
    ).to_parquet(root / "cell" / "mechanisms.parquet")
    monkeypatch.setenv("CYTOMOL_DATA", str(root))
    return tmp_path


def test_the_corpus_holds_open_sources_alone(data: Path) -> None:
    folder = module.open_corpus(data)
    molecules = pd.read_parquet(folder / "molecules.parquet")
    assert molecules["mol_id"].tolist() == ["m0", "m2"]
    assert molecules["smiles"].tolist() == ["CCO", "CCC"]  # written anew
    assert molecules["sources"].tolist() == ["repurposing_hub", "bace"]
    assert {path.stem for path in (folder / "modalities").iterdir()} == set(allowed(MODALITIES))
    expression = pd.read_parquet(folder / "modalities" / "expression_l1000_978.parquet")
    assert expression["mol_id"].tolist() == ["m0"]
    targets = pd.read_parquet(folder / "relations" / "compound_targets_gene.parquet")
    assert list(zip(targets["source"], targets["target"], strict=True)) == [("m0", "G")]
    counts = json.loads((data / module.COUNTS).read_text(encoding="utf-8"))
    assert counts["molecules"]["drugbank_l1000"] == {"rows": 1, "taken": 0}
    assert counts["profiles"]["expression_l1000_978"] == {"rows": 2, "taken": 1}


def test_a_difference_is_above_zero_where_the_first_is_better(tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    for name, value in (("default", 40.0), ("full", 42.0)):
        result = {"metric": "mae", "scores": {ALONE: {"test": {"t1": value, "t2": value}}}, "seconds": 1.0}
        (tmp_path / "scores" / f"{name}.biogenadme.json").write_text(json.dumps(result), encoding="utf-8")
    entrants = [Entrant("full", "f"), Entrant("default", "default")]
    rows = write_rows(entrants, {"default": "full"}, tmp_path, tmp_path / "rows.csv")
    (ours,) = rows[rows["backbone"] == "default"].to_dict("records")
    assert (ours["value"], ours["difference"], ours["tasks"]) == (40.0, 2.0, 2)


@given(st.lists(st.integers(0, 12), min_size=10, max_size=60))
def test_each_group_is_held_out_once_and_never_divided(groups: list[int]) -> None:
    folds = held_out_folds(np.array(groups))
    assert (sum((fold == "test").astype(int) for fold in folds) == 1).all()
    for fold in folds:
        for group in set(groups):
            assert len({role for role, own in zip(fold, groups, strict=True) if own == group}) == 1


def test_the_best_form_has_the_best_mean_with_errors_counted_below_zero() -> None:
    rows = [
        ("bace", "roc_auc", "infoalign", 80.0),
        ("biogenadme", "mae", "infoalign", 50.0),
        ("bace", "roc_auc", "chmr", 79.0),
        ("biogenadme", "mae", "chmr", 45.0),
    ]
    table = pd.DataFrame(rows, columns=["set", "metric", "form", "value"]).assign(features=ALONE)
    alone = table[:1].assign(form="full data", value=99.0)
    assert best_form(pd.concat([alone, table])) == "chmr"
