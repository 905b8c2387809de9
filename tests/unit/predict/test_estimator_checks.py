"""scikit-learn's own checks of estimators.

They fit on random numbers. Here each row of numbers becomes a molecule first, so that everything
behind the reading of X is checked as it is: parameters, fitted attributes, idempotence, pickling,
invariance to order and subset, labels of every type, messages. What concerns SMILES as input stands in
``test_estimators.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import validate_data

from cytomol.artifact.backbone import Backbone
from cytomol.predict import estimators
from cytomol.predict.estimators import CellEncoder, PropertyClassifier, PropertyRegressor

FRAGMENTS = ["C", "CC", "N", "O", "S", "C(F)", "C(Cl)", "C(=O)", "C(Br)"]


class NumbersAsMolecules(BaseEstimator):
    """Reads rows of numbers as chains of fragments."""

    def _smiles(self, X: Any, *, fitting: bool) -> list[str]:
        matrix = validate_data(self, X, reset=fitting, dtype="numeric")
        levels = np.clip(np.round(2 * matrix) + 4, 0, 8).astype(int)
        return ["C" + "".join(FRAGMENTS[level] for level in row) + "C" for row in levels]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.one_d_array = False
        for kind in (tags.classifier_tags, tags.regressor_tags):
            if kind is not None:
                kind.poor_score = True  # one epoch on molecules made of noise
        return tags


class Classifier(NumbersAsMolecules, PropertyClassifier):
    """PropertyClassifier whose molecules come from numbers."""


class Regressor(NumbersAsMolecules, PropertyRegressor):
    """PropertyRegressor whose molecules come from numbers."""


HEAD: dict[str, Any] = {"learner": "head", "options": {"epochs": 1, "hidden": 4}}
NEIGHBOURS: dict[str, Any] = {"learner": "neighbours"}


@pytest.fixture(autouse=True)
def _backbone(monkeypatch: pytest.MonkeyPatch, untrained: dict[str, Path]) -> None:
    monkeypatch.setattr(estimators, "load_backbone", lambda _: Backbone.load(untrained["infoalign"]))


class Encoder(NumbersAsMolecules, CellEncoder):
    """CellEncoder whose molecules come from numbers."""


@parametrize_with_checks(
    [Classifier(**HEAD), Regressor(**HEAD), Classifier(**NEIGHBOURS), Regressor(**NEIGHBOURS), Encoder("x")]
)
def test_with_numbers_read_as_molecules(estimator: Any, check: Any) -> None:
    check(estimator)


# These need no X, so they run on the estimators as they are. All others fit on numbers, which SMILES
# are not: they run above, with the numbers read as molecules.
WITHOUT_X = {
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
}


@pytest.mark.parametrize("estimator", [PropertyClassifier(), PropertyRegressor(), CellEncoder()], ids=repr)
def test_without_input(estimator: Any) -> None:
    checks = {check.func.__name__: check for _, check in estimator_checks_generator(estimator)}
    assert set(checks) >= WITHOUT_X
    for name in WITHOUT_X:
        checks[name](estimator)
