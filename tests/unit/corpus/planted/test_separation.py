"""The planted corpus separates what it should: structure, cell response, and the way between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier
from sklearn.metrics import roc_auc_score

from cytomol.corpus.planted import PlantedCorpus, generate_planted


@dataclass(frozen=True)
class Scores:
    fingerprint: dict[str, float]
    latent: dict[str, float]
    predicted: dict[str, float]


def fingerprints(smiles: list[str]) -> NDArray[np.float32]:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    return np.array(
        [generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(one)) for one in smiles], dtype=np.float32
    )


def predicted_profiles(planted: PlantedCorpus, bits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Learn structure -> profile where profiles were measured, never on a test molecule; predict for all."""
    test = np.zeros(len(bits), dtype=bool)
    test[planted.assay_rows[planted.fold == "test"]] = True
    predicted = []
    for name in ("morphology", "expression"):
        modality = planted.corpus.without_profiles_of(test).modalities[name]
        median = np.nanmedian(modality.values, axis=0)
        spread = np.nanquantile(modality.values, 0.75, axis=0) - np.nanquantile(modality.values, 0.25, axis=0)
        scaled = np.clip((np.nan_to_num(modality.values, nan=0.0) - median) / spread, -2, 2)
        scaled[np.isnan(modality.values)] = 0
        forest = ExtraTreesRegressor(30, max_features=0.2, min_samples_leaf=2, random_state=0)
        predicted.append(forest.fit(bits[modality.rows], scaled).predict(bits))
    return np.hstack(predicted).astype(np.float32)


def scores_of(planted: PlantedCorpus, features: NDArray[np.float32]) -> dict[str, float]:
    """Test ROC-AUC per task of a random forest on the few training labels."""
    features = features[planted.assay_rows]
    scores = {}
    for task in planted.assays.columns.drop("smiles"):
        label = planted.assays[task].to_numpy()
        train = (planted.fold == "train") & ~np.isnan(label)
        test = (planted.fold == "test") & ~np.isnan(label)
        forest = RandomForestClassifier(60, min_samples_leaf=2, random_state=0)
        forest.fit(features[train], label[train])
        scores[task] = float(roc_auc_score(label[test], forest.predict_proba(features[test])[:, 1]))
    return scores


@pytest.fixture(scope="module")
def planted() -> PlantedCorpus:
    return generate_planted(2000, seed=0)


@pytest.fixture(scope="module")
def scores(planted: PlantedCorpus) -> Scores:
    bits = fingerprints(planted.corpus.smiles)
    return Scores(
        fingerprint=scores_of(planted, bits),
        latent=scores_of(planted, planted.truth.responses),
        predicted=scores_of(planted, predicted_profiles(planted, bits)),
    )


def mean(scores: dict[str, float], tasks: list[str]) -> float:
    return float(np.mean([scores[task] for task in tasks]))


def test_few_labels_on_fingerprints_are_not_enough_for_response(
    planted: PlantedCorpus, scores: Scores
) -> None:
    assert 0.58 < mean(scores.fingerprint, planted.truth.tasks("response")) < 0.75


def test_the_latent_response_decides_response_assays(planted: PlantedCorpus, scores: Scores) -> None:
    assert mean(scores.latent, planted.truth.tasks("response")) > 0.9


def test_learning_profiles_from_structure_helps_response_assays(
    planted: PlantedCorpus, scores: Scores
) -> None:
    tasks = planted.truth.tasks("response")
    assert mean(scores.predicted, tasks) > mean(scores.fingerprint, tasks) + 0.07


def test_fingerprints_suffice_for_structure_assays(planted: PlantedCorpus, scores: Scores) -> None:
    tasks = planted.truth.tasks("structure")
    assert mean(scores.fingerprint, tasks) > 0.8
    assert mean(scores.fingerprint, tasks) > mean(scores.latent, tasks) + 0.1
