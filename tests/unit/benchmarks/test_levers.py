"""The ideas that the campaign measures on valid folds, against slow computations."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from benchmarks.quality import levers, stacking
from benchmarks.quality.lever_heads import ByRange, Imputed, Snapshots, summed_and_averaged
from benchmarks.quality.lever_models import Annotated, annotated_neighbours, correlations, solve_tasks
from benchmarks.quality.levers import LEVERS, Material
from benchmarks.quality.plan import FROM_GPU, LEVER_BACKBONES
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from cytomol.artifact.backbone import Backbone
from cytomol.assays.labels import Labels
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.evaluate.rows import Job
from cytomol.evaluate.sets import BenchmarkSet
from cytomol.learners.base import Learning
from cytomol.learners.perceptron import Perceptron

DRUGS = ["CC(=O)Oc1ccccc1C(=O)O", "OC(=O)c1ccccc1O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CCO", "CCCO"]
FOLDS = np.array(["train", "train", "valid", "valid", "train", "train", "valid", "test"])


def counts_of(smiles: list[str]) -> np.ndarray:
    options = FeatureOptions(graph=False, morgan_radius=2, maccs=False, counts=True)
    return featurize(smiles, options, cache=None).dense("counts").astype(np.uint8)


def test_levers_are_set_against_levers() -> None:
    names = [lever.name for lever in LEVERS]
    assert len(set(names)) == len(names)
    assert {lever.against for lever in LEVERS} <= {"", *names}


def test_every_lever_answers_the_valid_rows(tmp_path: Path, untrained: dict[str, Path]) -> None:
    for name in ("cell", "structure", *LEVER_BACKBONES, *FROM_GPU.values()):
        shutil.copytree(untrained["infoalign"], tmp_path / name)
    smiles = ["C" * n + end for n in range(1, 13) for end in ("O", "N", "c1ccccc1", "C(=O)O")]
    labels = np.array([["N" in text, "c" in text] for text in smiles], dtype=np.float64)
    labels[::5, 0] = np.nan
    folds = np.array(["train", "train", "valid", "test"])[
        np.random.default_rng(0).integers(0, 4, len(smiles))
    ]
    data = BenchmarkSet(
        "toy", smiles, Labels.of_kind(("n", "ring"), labels, "classification"), folds, "roc_auc"
    )
    material = Material(data, tmp_path, tmp_path)
    for lever in LEVERS:
        if "annotated" in lever.name:  # needs the corpus
            continue
        answer = lever.answer(material, 0)
        assert answer.shape == ((folds == "valid").sum(), 2), lever.name
        assert ((answer >= 0) & (answer <= 1)).all(), lever.name
    # no label of a test row can be seen
    assert len(material.learning.labels) == (folds != "test").sum()


def test_rows_are_measured_once_and_levers_on_classes_not_on_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smiles = ["C" * n + "O" for n in range(1, 9)]
    values = np.arange(8, dtype=np.float64)[:, None]
    data = {
        "bace": BenchmarkSet(
            "bace", smiles, Labels.of_kind(("a",), values % 2, "classification"), FOLDS, "roc_auc"
        ),
        "biogenadme": BenchmarkSet(
            "biogenadme", smiles, Labels.of_kind(("v",), values, "regression"), FOLDS, "mae"
        ),
    }
    asked = []

    def truth(material: Material, seed: int) -> np.ndarray:
        asked.append((material.data.name, seed))
        return material.learning.labels[material.learning.valid]

    tried = (
        levers.Lever("plain", "", truth),
        levers.Lever("fixed", "plain", truth, random=False),
        levers.Lever("smooth", "plain", truth, classes=True),
    )
    monkeypatch.setattr(levers, "LEVERS", tried)
    monkeypatch.setattr(levers, "load_set", data.__getitem__)
    words = ["--sets", *data, "--out", str(tmp_path), "--backbones", str(tmp_path)]
    assert levers.main(words) == 0
    table = pd.read_csv(tmp_path / "levers.csv")
    assert table.groupby(["set", "lever"])["seed"].nunique().to_dict() == {
        ("bace", "plain"): 2,
        ("bace", "fixed"): 1,
        ("bace", "smooth"): 2,
        ("biogenadme", "plain"): 2,
        ("biogenadme", "fixed"): 1,
    }
    assert table.groupby("set")["score"].unique().to_dict() == {"bace": [1.0], "biogenadme": [0.0]}
    assert len(asked) == len(table)
    assert levers.main(words) == 0
    assert len(asked) == len(table)


def test_correlations_are_numpys_where_all_is_measured() -> None:
    labels = np.random.default_rng(0).normal(size=(50, 4)) @ np.random.default_rng(1).normal(size=(4, 4))
    assert correlations(labels, shrink=0.0) == pytest.approx(np.corrcoef(labels.T), abs=1e-8)


def test_correlations_of_tasks_that_share_no_molecule_are_zero() -> None:
    labels = np.full((20, 2), np.nan)
    labels[:10, 0] = np.random.default_rng(0).normal(size=10)
    labels[10:, 1] = np.random.default_rng(1).normal(size=10)
    assert correlations(labels) == pytest.approx(np.eye(2), abs=1e-8)


def test_tasks_are_solved_as_the_dense_system() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(12, 3))
    K = np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2))
    tasks = correlations(rng.normal(size=(30, 3)))
    labels = rng.normal(size=(12, 3))
    labels[rng.random(labels.shape) < 0.4] = np.nan
    at = np.flatnonzero(~np.isnan(labels.ravel()))
    whole = np.kron(K, tasks)[np.ix_(at, at)] + 0.1 * np.eye(len(at))
    expected = np.zeros(labels.size)
    expected[at] = np.linalg.solve(whole, labels.ravel()[at])
    found = solve_tasks(K, tasks, labels, 0.1)
    assert found == pytest.approx(expected.reshape(labels.shape), abs=5e-3)


def test_annotations_are_those_of_the_nearest_other_molecule() -> None:
    known = Annotated(
        counts=counts_of(DRUGS),
        connectivity=np.array([Chem.MolToInchiKey(Chem.MolFromSmiles(s))[:14] for s in DRUGS]),
        genes=np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], dtype=bool),
    )
    queries = [DRUGS[0], "CCCCO", "OC(=O)c1ccccc1OC"]
    found = annotated_neighbours(queries, counts_of(queries), known)
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2)
    for i, query in enumerate(queries):
        for gene in range(2):
            best = 0.0
            for j, drug in enumerate(DRUGS):
                if known.genes[j, gene] and drug != query:
                    pair = [make.GetCountFingerprint(Chem.MolFromSmiles(s)) for s in (query, drug)]
                    best = max(best, DataStructs.TanimotoSimilarity(*pair))
            assert found[i, gene] == pytest.approx(best if best >= 0.35 else 0.0, abs=0.02)


def test_annotated_molecules_leave_the_evaluated_ones_out(tmp_path) -> None:
    keys = [Chem.MolToInchiKey(Chem.MolFromSmiles(s)) for s in DRUGS]
    names = [f"m{i}" for i in range(len(DRUGS))]
    pd.DataFrame({"mol_id": names, "smiles": DRUGS, "inchikey": keys}).to_parquet(
        tmp_path / "molecules.parquet"
    )
    (tmp_path / "relations").mkdir()
    pairs = [(name, "G1") for name in names] + [("m0", "RARE")]
    table = pd.DataFrame(pairs, columns=["source", "target"]).assign(weight=1.0)
    table.to_parquet(tmp_path / "relations" / "compound_targets_gene.parquet")
    known = Annotated.read(tmp_path, ["OCC"])  # ethanol, written otherwise
    assert known.connectivity.tolist() == [key[:14] for i, key in enumerate(keys) if i != 3]
    assert known.genes.tolist() == [[True]] * 4


def test_the_draw_of_the_weights_is_measured_on_valid_rows_alone(
    tmp_path: Path, keep: Callable[..., None]
) -> None:
    assert stacking.main(["--out", str(tmp_path)]) == 2
    rng = np.random.default_rng(0)
    observed = rng.integers(0, 2, (60, 2)).astype(float)
    for model, noise in (("mlp", 0.3), ("boosting", 5.0)):
        predicted = 1 / (1 + np.exp(-(observed - 0.5) * 2 - rng.normal(0, noise, observed.shape)))
        predicted[0] = np.nan  # a row may be no molecule
        keep(tmp_path, Job("sider", model, 0), "valid", predicted, observed)
    assert stacking.main(["--out", str(tmp_path)]) == 0
    table = pd.read_csv(tmp_path / "stacking.csv").set_index("draw")
    assert set(table["values"]) == {118}
    assert table.loc[1.0, "score"] > table.loc[10000.0, "score"]


def toy(missing: float) -> tuple[dict[str, np.ndarray], Learning]:
    rng = np.random.default_rng(3)
    blocks = {"descriptors": rng.normal(size=(90, 6)).astype(np.float32)}
    labels = (blocks["descriptors"][:, :2] + rng.normal(0, 0.3, (90, 2)) > 0).astype(np.float64)
    labels[rng.random(labels.shape) < missing] = np.nan
    train = np.arange(90) < 60
    return blocks, Learning(labels, train, ~train, "classification", "roc_auc", 0, 1)


def fitted(kind: type[Perceptron], blocks: dict[str, np.ndarray], learning: Learning) -> Perceptron:
    model = kind(("descriptors",), {"ensemble": 1, "epochs": 8, "hidden": 16, "batch_size": 16})
    model.fit(blocks, learning)
    return model


def test_snapshots_begin_with_the_single_head() -> None:
    blocks, learning = toy(missing=0.2)
    many, one = fitted(Snapshots, blocks, learning), fitted(Perceptron, blocks, learning)
    assert len(many.heads) == 5
    np.testing.assert_array_equal(many.members(blocks)[0], one.predict(blocks))
    assert len({members.tobytes() for members in many.members(blocks)}) == 5


def test_nothing_is_imputed_where_nothing_is_missing_nor_from_valid_labels() -> None:
    blocks, learning = toy(missing=0.0)
    plain = fitted(Perceptron, blocks, learning).predict(blocks)
    np.testing.assert_array_equal(fitted(Imputed, blocks, learning).predict(blocks), plain)
    blocks, learning = toy(missing=0.4)
    imputed = fitted(Imputed, blocks, learning).predict(blocks)
    assert not np.array_equal(imputed, fitted(Perceptron, blocks, learning).predict(blocks))
    turned = np.where(learning.valid[:, None], 1 - learning.labels, learning.labels)
    again = fitted(Imputed, blocks, replace(learning, labels=turned)).predict(blocks)
    np.testing.assert_array_equal(again, imputed)


def test_descriptors_by_range_are_centred_by_median() -> None:
    blocks, learning = toy(missing=0.0)
    model = fitted(ByRange, blocks, learning)
    assert model.scaled is not None
    scaled = model.scaled.transform(blocks)[learning.train]
    raw = blocks["descriptors"][learning.train]
    first, middle, third = np.quantile(raw, [0.25, 0.5, 0.75], axis=0)
    ratio = scaled / ((raw - middle) / (third - first))
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[0], ratio.shape), rtol=1e-4)


def test_pooled_atoms_are_the_encoders_sum_and_mean(untrained: dict[str, Path]) -> None:
    backbone = Backbone.load(untrained["infoalign"])
    smiles = [*DRUGS, *DRUGS]
    pooled = summed_and_averaged(backbone, smiles)
    width = pooled.shape[1] // 2
    atoms = np.array([Chem.MolFromSmiles(text).GetNumAtoms() for text in smiles])
    np.testing.assert_allclose(pooled[:, width:] * atoms[:, None], pooled[:, :width], rtol=1e-4, atol=1e-5)
    encoder = backbone.method.encoder
    assert encoder is not None
    assert encoder.readout == "sum"
    store = backbone.store(smiles)
    with torch.inference_mode():
        oracle = encoder(backbone.builder.build(store, np.arange(len(smiles))).graph)
    np.testing.assert_allclose(pooled[:, :width], oracle.numpy(), rtol=1e-4, atol=1e-5)
