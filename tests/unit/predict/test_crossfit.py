"""Held-out answers: no learner answers a row that it was fitted on, nor another row of its scaffold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rdkit import Chem

from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Labels, Task
from cytomol.chem.featurize import FeatureOptions
from cytomol.learners import Learner, Learning, Matrix
from cytomol.learners.mixed import ByKind
from cytomol.predict.crossfit import calibration_folds, cross_fit, nearest_similarity, scaffold_groups
from cytomol.predict.molecule_features import MoleculeFeatures
from cytomol.predict.predictor import Predictor
from cytomol.predict.stages import Stages


class Remembers(Learner):
    """Answers the row's number, and as its second member how many rows it was fitted on; NaN for those."""

    name = "remembers"
    summary = "for tests"
    blocks = ("1d",)

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        assert np.isnan(learning.labels[~learning.train & ~learning.valid]).all() or not learning.valid.any()
        self.seen = set(blocks["1d"][learning.train, 0].astype(int).tolist())

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        numbers = blocks["1d"][:, :1].astype(float)
        return np.where([[int(row) in self.seen] for row in numbers[:, 0]], np.nan, numbers)

    def members(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        return np.stack([self.predict(blocks), np.full((len(blocks["1d"]), 1), float(len(self.seen)))])

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, {"seen": np.array(sorted(self.seen))}

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Remembers:
        del table
        learner = cls()
        learner.seen = set(arrays["seen"].tolist())
        return learner


def asked(n: int) -> tuple[Predictor, dict[str, Matrix], Learning]:
    labels = Labels((Task("y", "regression"),), np.arange(n, dtype=float)[:, None])
    encoding = Encoding(labels.tasks, np.zeros(1), np.ones(1))
    predictor = Predictor(
        "remembers",
        ByKind(Remembers, encoding.kinds),
        MoleculeFeatures(("1d",), FeatureOptions()),
        encoding,
    )
    nothing = np.zeros(n, dtype=bool)
    learning = Learning(labels.matrix, nothing, nothing, "regression", "mae")
    return predictor, {"1d": np.arange(n, dtype=np.float32)[:, None]}, learning


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-1, 3), min_size=4, max_size=30), st.integers(0, 1000))
def test_every_row_is_answered_once_by_a_learner_that_has_not_seen_it(folds: list[int], seed: int) -> None:
    numbers = np.array([0, 1, *folds])
    predictor, blocks, learning = asked(len(numbers))
    bits = np.random.default_rng(seed).integers(0, 256, (len(numbers), 8)).astype(np.uint8)
    found = cross_fit(predictor, blocks, learning, numbers, bits, stages=Stages())
    taken = np.flatnonzero(numbers >= 0)
    np.testing.assert_array_equal(found.predicted[:, 0], taken)  # not NaN: not seen; and in order
    sizes = np.array([(numbers[taken] != fold).sum() for fold in numbers[taken]])
    np.testing.assert_array_equal(found.members[1, :, 0], sizes)
    for place, row in enumerate(taken):
        others = [other for other in taken if numbers[other] != numbers[row]]
        own = np.unpackbits(bits[row])
        best = max(
            ((own & b).sum() / max((own | b).sum(), 1) for b in np.unpackbits(bits[others], axis=1)),
            default=0.0,
        )
        assert found.similarity[place] == pytest.approx(best, abs=1e-6)


def test_stages_keep_what_each_fold_gave(tmp_path: Any) -> None:
    predictor, blocks, learning = asked(12)
    folds, bits = np.arange(12) % 3, np.ones((12, 4), dtype=np.uint8)
    expected = cross_fit(predictor, blocks, learning, folds, bits, stages=Stages())
    for _ in range(2):
        stages = Stages(tmp_path / "run.partial", "digest")
        found = cross_fit(predictor, blocks, learning, folds, bits, stages=stages)
        np.testing.assert_array_equal(found.members, expected.members)
    assert stages.resumed == ["calibration-0", "calibration-1", "calibration-2"]


def test_a_scaffold_is_one_group_and_what_has_no_ring_is_alone() -> None:
    smiles = ["c1ccccc1C", "CCc1ccccc1", "C1CCNCC1", "CCO", "CCO", "[CH3:1]c1ccccc1"]
    groups = scaffold_groups(smiles)
    assert groups[0] == groups[1] == groups[5]
    assert len({int(groups[row]) for row in (0, 2, 3, 4)}) == 4
    assert all(Chem.MolFromSmiles(text) for text in smiles)


@pytest.mark.parametrize(
    ("wanted", "molecules", "folds"),
    [(None, 300, 5), (None, 3001, 3), (None, 20001, 0), (0, 300, 0), (7, 9, 7)],
)
def test_how_many_folds_calibrate(wanted: int | None, molecules: int, folds: int) -> None:
    assert calibration_folds(wanted, molecules) == folds


def test_nothing_known_is_like_nothing() -> None:
    assert nearest_similarity(np.zeros((0, 8), np.uint8), np.ones((2, 8), np.uint8)).tolist() == [0, 0]
