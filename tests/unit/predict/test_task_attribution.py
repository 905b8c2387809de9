"""Occlusion of a predictor's tasks."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol import finetune
from cytomol.assays.labels import Labels, Task
from cytomol.chem.fingerprints import maccs, morgan_counts
from cytomol.chem.occlusion.masked_bits import environments
from cytomol.chem.occlusion.masked_keys import key_matches
from cytomol.errors import InputError
from cytomol.predict.config import SCORED_ALONE
from cytomol.predict.predictor import Predictor
from cytomol.predict.task_attribution import explain_tasks, named_tasks

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]


def fit(learner: str, labels: Labels, **options: object) -> Predictor:
    folds = np.array(["valid" if row % 4 == 0 else "train" for row in range(len(SMILES))])
    fitted = finetune(
        SMILES, labels, folds=folds, learner=learner, cache=None, workers=1, **SCORED_ALONE, **options
    )
    return fitted.predictor


@pytest.fixture(scope="module")
def nitrogen() -> Predictor:
    has = np.array([[float("n" in text.lower())] for text in SMILES])
    return fit("forest", Labels.of_kind(["nitrogen"], has, "binary"))


def test_the_atom_of_the_rule_is_found(nitrogen: Predictor) -> None:
    explained = explain_tasks(nitrogen, ["CCc1ccncc1", "C1CC", "CCOc1ccccc1"], ["nitrogen"])
    first = explained[0].attributions[0]
    assert explained[0].mol is not None
    assert explained[0].mol.GetAtomWithIdx(int(np.argmax(first.atoms))).GetSymbol() == "N"
    assert first.value == pytest.approx(nitrogen.predict(["CCc1ccncc1"], workers=1).columns[0, 0])
    assert explained[1].error != ""
    assert explained[2].attributions[0].value < 0.5 < first.value


def test_values_are_those_of_features_masked_by_hand(nitrogen: Predictor) -> None:
    features = nitrogen.features
    explained = explain_tasks(nitrogen, ["CCc1ccncc1"], ["nitrogen"])[0]
    mol = explained.mol
    assert mol is not None
    mask = np.eye(mol.GetNumAtoms(), dtype=bool)[5:6]
    blocks = features.raw(features.store(["CCc1ccncc1"], cache=None, workers=1))
    width = {name: block.shape[1] for name, block in blocks.items()}
    known = {
        "counts": lambda: np.log1p(
            environments(mol, features.counts_radius, width["counts"]).counts(mask).astype(np.float32)
        ),
        "maccs": lambda: key_matches(mol).bits(mask).astype(np.float32),
    }
    changed = {name: known[name]() if name in known else block for name, block in blocks.items()}
    assert {"counts", "maccs"} & set(blocks)
    if "descriptors" in blocks:
        from cytomol.chem.occlusion.masked_descriptors import masked_descriptors

        changed["descriptors"] = masked_descriptors(mol, mask, canonical=True)
    expected = nitrogen.answer(blocks)[0] - nitrogen.answer(changed)[0]
    assert explained.attributions[0].atoms[5] == pytest.approx(expected[0, 0], abs=1e-9)
    assert maccs(mol).sum() > known["maccs"]().sum()
    assert morgan_counts(mol, 2).sum() > environments(mol, 2, 1024).counts(mask).sum()


def test_values_and_several_classes_have_columns_of_their_own() -> None:
    size = np.array([[float(len(text))] for text in SMILES])
    kinds = np.array([[float(row // len(TAILS) % 3)] for row in range(len(SMILES))])
    tasks = (Task("kind", "multiclass", ("x", "y", "z")), Task("size", "regression"))
    predictor = fit("neighbours", Labels(tasks, np.concatenate([kinds, size], axis=1)))
    explained = explain_tasks(predictor, ["CCO"], ["size", "kind"])[0]
    assert [one.name for one in explained.attributions] == ["kind=x", "kind=y", "kind=z", "size"]
    assert sum(one.value for one in explained.attributions[:3]) == pytest.approx(1)


def test_tasks_are_chosen_by_name(nitrogen: Predictor) -> None:
    assert named_tasks(nitrogen, []) == ["nitrogen"]
    with pytest.raises(InputError, match=r"no task 'oxygen' \(it has nitrogen\)"):
        named_tasks(nitrogen, ["oxygen"])
    many = fit(
        "neighbours",
        Labels.of_kind(
            [f"t{number}" for number in range(11)],
            np.repeat([[float(len(text))] for text in SMILES], 11, axis=1),
            "regression",
        ),
    )
    with pytest.raises(InputError, match=r"the model has 11 tasks.*choose some with --task, such as t0"):
        named_tasks(many, [])
    assert named_tasks(many, ["t3", "t3", "t1"]) == ["t3", "t1"]
