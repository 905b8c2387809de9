"""Measured profiles in fine-tuning: learnt from, saved, gone on with, and left out again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytomol.assays.labels import Labels
from cytomol.assays.same_molecule import molecule_key
from cytomol.predict.finetune import Listener, finetune
from cytomol.predict.predictor import Predictor
from cytomol.predict.profile_block import ProfileBlock

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)", "CCC", "FC"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
QUICK: dict[str, Any] = {
    "learner": "forest",
    "split_type": "random",
    "cache": None,
    "workers": 1,
    "threads": 1,
}


class Stopped(Exception):  # noqa: N818 - no error
    """What stops a run on the way."""


@pytest.fixture(scope="module")
def block() -> ProfileBlock:
    """Return profiles of five in six molecules."""
    values = np.random.default_rng(0).normal(size=(len(SMILES), 4)).astype(np.float32)
    place = {molecule_key(text): row for row, text in enumerate(SMILES) if row % 6}
    return ProfileBlock("cell", ("a", "b", "c", "d"), values, place)


def labels_of(block: ProfileBlock, kind: str) -> Labels:
    response = block.values[:, [0]].astype(float)
    values = (response > 0).astype(float) if kind == "classification" else response
    return Labels.of_kind(["response"], values, kind)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_saved_it_answers_the_same_with_and_without_profiles(
    block: ProfileBlock, kind: str, tmp_path: Path
) -> None:
    fitted = finetune(SMILES, labels_of(block, kind), profiles=[block], calibration_folds=0, **QUICK)
    predictor = fitted.predictor
    predictor.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    bare = loaded.predict(SMILES)
    assert bare.profile is not None
    assert not bare.profile.any()
    asked = [*SMILES, "no molecule", "CCCCCCCCO"]
    found = loaded.with_profiles([block]).predict(asked, uncertainty=True)
    assert found.profile is not None
    np.testing.assert_array_equal(found.profile, [bool(row % 6) for row in range(len(SMILES))] + [False] * 2)
    np.testing.assert_allclose(found.values[: len(SMILES)], predictor.predict(SMILES).values, atol=1e-6)
    np.testing.assert_array_equal(found.values[:-2][~found.profile[:-2]], bare.values[~found.profile[:-2]])
    structure = next(iter(loaded.learner.parts.values())).structure  # type: ignore[attr-defined]
    blocks = loaded.features.raw(loaded.features.store(SMILES, cache=None, workers=1))
    expected = loaded.encoding.decode(structure.predict(blocks))
    np.testing.assert_allclose(bare.values, expected, atol=1e-9)
    assert fitted.verdict is not None
    assert {"structure", "profiles", "norm"} <= set(
        fitted.verdict.tasks[0].scores
    ) or not fitted.verdict.tasks[0].scores


def test_an_interrupted_run_goes_on_to_the_same_end(block: ProfileBlock, tmp_path: Path) -> None:
    labels = labels_of(block, "classification")
    options = {**QUICK, "calibration_folds": 2, "baselines": False, "profiles": [block]}

    def stop(_done: int, _total: int, what: str) -> None:
        if what.startswith("calibration, fold 2"):
            raise Stopped

    with pytest.raises(Stopped):
        finetune(SMILES, labels, partial=tmp_path / "run", listener=Listener(step=stop), **options)
    assert (tmp_path / "run").is_dir()
    resumed = finetune(SMILES, labels, partial=tmp_path / "run", **options).predictor
    whole = finetune(SMILES, labels, **options).predictor
    np.testing.assert_array_equal(resumed.predict(SMILES).values, whole.predict(SMILES).values)


def test_other_profiles_are_another_run(block: ProfileBlock, tmp_path: Path) -> None:
    labels = labels_of(block, "classification")
    options = {**QUICK, "calibration_folds": 2, "baselines": False}

    def stop(_done: int, _total: int, what: str) -> None:
        if what.startswith("calibration, fold 2"):
            raise Stopped

    other = replace(block, values=-block.values)
    for profiles in (block, other):
        with pytest.raises(Stopped):
            finetune(
                SMILES,
                labels,
                partial=tmp_path / "run",
                listener=Listener(step=stop),
                profiles=[profiles],
                **options,
            )
    resumed = finetune(SMILES, labels, partial=tmp_path / "run", profiles=[other], **options).predictor
    whole = finetune(SMILES, labels, profiles=[other], **options).predictor
    np.testing.assert_array_equal(resumed.predict(SMILES).values, whole.predict(SMILES).values)
