"""What a report explains: the class that was predicted, and structure beside a measured profile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from rdkit import Chem

from cytomol import finetune
from cytomol.assays.labels import Labels, Task
from cytomol.assays.same_molecule import molecule_key
from cytomol.predict.predictor import Predictor
from cytomol.predict.profile_block import ProfileBlock
from cytomol.predict.record import RECORD, FitRecord, RecordSource
from cytomol.predict.record.record_parts import Attributed
from cytomol.predict.task_attribution import explain_tasks
from cytomol.report.molecule_sections import attribution_section
from cytomol.report.predictor_facts import PredictorFacts

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]


def fitted(
    labels: Labels, learner: str, *, smiles: Sequence[str] = SMILES, **options: Any
) -> tuple[Predictor, tuple[Attributed, ...], str]:
    """Fit the train fold alone; return the predictor, what its record explains, and that section as HTML."""
    folds = np.array([("train", "train", "test", "train", "valid")[row % 5] for row in range(len(SMILES))])
    options |= {"refit": False, "baselines": False, "calibration_folds": 0, "cache": None, "workers": 1}
    fit = finetune(smiles, labels, folds=folds, learner=learner, record=RecordSource("t.csv"), **options)
    record = FitRecord.read(json.loads(fit.predictor.texts[RECORD]), where="record")
    facts = PredictorFacts({}, {}, record, "")
    return fit.predictor, record.attributed, attribution_section(facts).html("rest")


def test_of_several_classes_the_predicted_one_is_explained() -> None:
    kinds = np.array([[float(row // len(TAILS) % 3)] for row in range(len(SMILES))])
    labels = Labels((Task("kind", "multiclass", ("<x>", "y", "z")),), kinds)
    predictor, attributed, text = fitted(labels, "forest")
    assert len(attributed) == 3
    sure = []
    for one in attributed:
        columns = predictor.predict([one.smiles], workers=1).columns[0]
        place = ("<x>", "y", "z").index(one.of_class)
        assert place == int(np.argmax(columns))
        assert one.predicted == f"{one.of_class} with probability {columns[place]:.2f}"
        (explained,) = explain_tasks(predictor, [one.smiles], ["kind"])
        assert one.atoms == pytest.approx(explained.attributions[place].atoms, rel=1e-3, abs=1e-6)
        sure.append(columns[place])
        assert not one.profiled
    assert sure == sorted(sure, reverse=True)
    assert "to the probability of" in text
    assert "it is the probability of the class that was predicted" in text
    assert "<x>" not in text
    assert "Measured profiles stay" not in text


def test_a_measured_profile_stays_as_it_is() -> None:
    values = np.random.default_rng(0).normal(size=(len(SMILES), 4)).astype(np.float32)
    block = ProfileBlock(
        "cell", tuple("abcd"), values, {molecule_key(s): row for row, s in enumerate(SMILES)}
    )
    size = np.array([[float(len(text))] for text in SMILES]) + 3 * values[:, :1]
    predictor, attributed, text = fitted(
        Labels.of_kind(["size"], size, "regression"), "forest", profiles=[block]
    )
    assert len(attributed) == 3
    for one in attributed:
        assert one.profiled
        (explained,) = explain_tasks(predictor, [one.smiles], ["size"])
        own = predictor.predict([one.smiles], workers=1)
        assert own.profile is not None
        assert own.profile[0]
        assert explained.attributions[0].value == pytest.approx(own.values[0, 0])
        assert one.atoms == pytest.approx(explained.attributions[0].atoms, rel=1e-3, abs=1e-6)
    without = predictor.with_profiles([block.empty()])
    (bare,) = explain_tasks(without, [attributed[0].smiles], ["size"])
    assert bare.attributions[0].value != pytest.approx(explained.attributions[0].value)
    assert "Measured profiles stay as they are" in text
    assert "the probability of the class" not in text


def test_atoms_are_those_of_the_parent_that_was_read() -> None:
    salts = [f"Cl.{text}" for text in SMILES]
    size = np.array([[float(len(text))] for text in SMILES])
    predictor, attributed, _ = fitted(
        Labels.of_kind(["size"], size, "regression"), "forest", smiles=salts, standardize="parent"
    )
    assert len(attributed) == 3
    for one in attributed:
        mol = Chem.MolFromSmiles(one.smiles)
        assert "Cl." not in one.smiles
        assert len(one.atoms) == mol.GetNumAtoms()
        (explained,) = explain_tasks(predictor, [one.smiles], ["size"])
        assert explained.mol is not None
        symbols = [atom.GetSymbol() for atom in explained.mol.GetAtoms()]
        assert symbols == [atom.GetSymbol() for atom in mol.GetAtoms()]
        assert one.atoms == pytest.approx(explained.attributions[0].atoms, rel=1e-3, abs=1e-6)
