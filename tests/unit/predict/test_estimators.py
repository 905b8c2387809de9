from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline

from cytomol.artifact.backbone import Backbone
from cytomol.errors import ConfigError, InputError
from cytomol.learners import learners
from cytomol.predict.estimators import CellEncoder, PropertyClassifier, PropertyRegressor
from cytomol.predict.predictor import Predictor
from cytomol.predict.smiles_input import InputValueError, check_labels

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
AROMATIC = np.array(["yes" if "c" in s else "no" for s in SMILES])
LENGTH = np.array([len(s) / 2 for s in SMILES])
# Held-out molecules and baselines are finetune's, which has tests of its own, and cost six more fits.
ALONE: dict[str, Any] = {"calibration_folds": 0, "baselines": False}
QUICK: dict[str, Any] = {**ALONE, "epochs": 15, "hidden": 16, "lr": 1e-2, "batch_size": 16, "dropout": 0.0}


def classifier(options: dict[str, Any] | None = None, **given: Any) -> PropertyClassifier:
    return PropertyClassifier(**{"learner": "head", **given}, options={**QUICK, **(options or {})})


def regressor(options: dict[str, Any] | None = None, **given: Any) -> PropertyRegressor:
    return PropertyRegressor(**{"learner": "head", **given}, options={**QUICK, **(options or {})})


@pytest.mark.parametrize(
    ("model", "y"), [(classifier(), AROMATIC), (regressor(), LENGTH)], ids=["classifier", "regressor"]
)
@pytest.mark.parametrize("shape", ["list", "array", "object array", "series", "column", "frame"])
def test_every_shape_of_smiles_gives_the_same(model: Any, y: np.ndarray, shape: str) -> None:
    X: Any = {
        "list": SMILES,
        "array": np.array(SMILES),
        "object array": np.array(SMILES, dtype=object),
        "series": pd.Series(SMILES, index=range(5, 45)),
        "column": np.array(SMILES, dtype=object)[:, None],
        "frame": pd.DataFrame({"structure": SMILES}),
    }[shape]
    model = clone(model).set_params(options={**QUICK, "epochs": 2})
    expected = clone(model).fit(SMILES, y).predict(SMILES)
    np.testing.assert_array_equal(model.fit(X, y).predict(X), expected)
    assert model.n_features_in_ == 1
    assert hasattr(model, "feature_names_in_") == (shape == "frame")


@pytest.mark.parametrize("y", [AROMATIC, (AROMATIC == "yes").astype(int), AROMATIC == "yes"], ids=str)
def test_classes_may_be_text_numbers_or_truth_values(y: np.ndarray) -> None:
    model = classifier().fit(SMILES, y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert model.predict(SMILES).dtype == y.dtype
    probability = model.predict_proba(SMILES)
    assert probability.shape == (40, 2)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_[probability.argmax(axis=1)], model.predict(SMILES))
    assert model.score(SMILES, y) > 0.9
    assert is_classifier(model)


def test_regressor_learns_and_answers_in_the_unit_of_the_task() -> None:
    model = regressor({"epochs": 60}).fit(SMILES, 1000 + 50 * LENGTH)
    predicted = model.predict(SMILES)
    assert predicted.shape == (40,)
    assert model.score(SMILES, 1000 + 50 * LENGTH) > 0.7
    assert model.validation_score_ < 150
    assert is_regressor(model)


def test_many_tasks_with_missing_labels() -> None:
    y = np.column_stack([AROMATIC == "yes", [("N" in s) or ("n" in s) for s in SMILES]]).astype(float)
    y[::7, 0] = np.nan
    y[::5, 1] = np.nan
    model = classifier().fit(SMILES, y)
    assert model.predict_proba(SMILES).shape == (40, 2)
    assert [c.tolist() for c in model.classes_] == [[0, 1], [0, 1]]
    assert set(np.unique(model.predict(SMILES))) <= {0, 1}
    assert model.score(SMILES, y) > 0.9
    values = np.column_stack([LENGTH, LENGTH**2])
    values[::3, 1] = np.nan
    predicted = regressor().fit(SMILES, values).predict(SMILES[:5])
    assert predicted.shape == (5, 2)
    assert np.isfinite(predicted).all()


def test_cross_val_score_in_and_out_of_a_pipeline(untrained: dict[str, Path]) -> None:
    quick = classifier({"epochs": 5})
    assert np.isfinite(cross_val_score(quick, SMILES, AROMATIC, cv=3)).all()
    assert np.isfinite(cross_val_score(quick, SMILES, AROMATIC, cv=3, scoring="roc_auc")).all()
    encoder = CellEncoder(untrained["infoalign"])
    pipeline = make_pipeline(encoder, LogisticRegression(max_iter=200))
    scores = cross_val_score(pipeline, np.array(SMILES), AROMATIC, cv=3, error_score="raise")
    assert scores.mean() > 0.6
    y = np.column_stack([LENGTH, LENGTH])
    y[::6] = np.nan
    scores = cross_val_score(regressor({"epochs": 2}), SMILES, y, cv=KFold(3), error_score="raise")
    assert scores.shape == (3,)


def test_grid_search_sets_parameters() -> None:
    search = GridSearchCV(classifier(), {"learner": ["neighbours", "kernel"]}, cv=2, error_score="raise")
    search.estimator.set_params(options={**ALONE, "threads": 1})
    assert search.fit(SMILES, AROMATIC).best_params_["learner"] in {"neighbours", "kernel"}


def test_encoder_gives_the_backbones_embedding(untrained: dict[str, Path]) -> None:
    expected, _ = Backbone.load(untrained["chmr"]).embed(SMILES)
    encoder = CellEncoder(untrained["chmr"]).fit(SMILES)
    found = encoder.transform(SMILES)
    np.testing.assert_array_equal(found, expected)
    assert encoder.get_feature_names_out()[:2].tolist() == ["embedding0", "embedding1"]
    assert len(encoder.get_feature_names_out()) == found.shape[1]
    frame = CellEncoder(untrained["chmr"]).set_output(transform="pandas").fit_transform(SMILES)
    assert frame.columns[0] == "embedding0"
    again = CellEncoder(Backbone.load(untrained["chmr"])).fit_transform(SMILES)
    np.testing.assert_array_equal(again, found)


def test_heads_on_a_backbone(untrained: dict[str, Path], tmp_path: Path) -> None:
    model = classifier({"ensemble": 2}, backbone=untrained["chmr"]).fit(SMILES, AROMATIC)
    assert model.predictor_.features.blocks == ("embedding", "1d")
    assert len(model.predictor_.learner.first.heads) == 2
    predictor = Predictor.load(model.save(tmp_path / "m"))
    answer = predictor.predict(SMILES)
    found = np.array(answer.values)[:, 0]
    np.testing.assert_allclose(found, model.predict_proba(SMILES)[:, 1], rtol=1e-6)


@pytest.mark.parametrize("kind", ["classifier", "regressor", "encoder"])
def test_clone_parameters_and_pickle(kind: str, untrained: dict[str, Path]) -> None:
    model, y = {
        "classifier": (classifier({"epochs": 2}, backbone=untrained["infoalign"]), AROMATIC),
        "regressor": (regressor({"epochs": 2}), LENGTH),
        "encoder": (CellEncoder(untrained["infoalign"]), None),
    }[kind]
    method = "transform" if kind == "encoder" else "predict"
    parameters = model.get_params()
    assert clone(model).get_params() == parameters
    assert model.set_params(**parameters) is model
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        model.set_params(nonsense=1)
    if kind != "encoder":  # it learns nothing, so it need not be fitted
        with pytest.raises(NotFittedError):
            getattr(model, method)(SMILES)
    assert model.fit(SMILES, y) is model
    assert model.get_params() == parameters
    first = getattr(model, method)(SMILES)
    np.testing.assert_array_equal(getattr(pickle.loads(pickle.dumps(model)), method)(SMILES), first)
    np.testing.assert_array_equal(getattr(model.fit(SMILES, y), method)(SMILES), first)
    if kind == "encoder":
        np.testing.assert_array_equal(clone(model).transform(SMILES), first)
        return
    with pytest.raises(NotFittedError):
        getattr(clone(model), method)(SMILES)


def test_answers_do_not_depend_on_company_or_order() -> None:
    model = regressor({"epochs": 3}).fit(SMILES, LENGTH)
    together = model.predict(SMILES)
    np.testing.assert_allclose([model.predict([s])[0] for s in SMILES[:6]], together[:6], rtol=1e-9)
    np.testing.assert_allclose(model.predict(SMILES[::-1])[::-1], together, rtol=1e-9)


def test_fitting_leaves_global_random_numbers_alone() -> None:
    import torch

    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    classifier({"epochs": 1}).fit(SMILES, AROMATIC)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("learner", [name for name in learners.names() if "embedding" not in name])
def test_reaches_every_learner(learner: str) -> None:
    # small ones of the same make where the registered ones take long
    options = {**ALONE, "threads": 1, **({"epochs": 2, "hidden": 8} if learner == "head" else {})}
    model = PropertyRegressor(learner, options=options).fit(SMILES, LENGTH)
    assert model.predictor_.name == learner
    assert np.isfinite(model.predict(SMILES[:3])).all()


def test_random_state_changes_the_model() -> None:
    a, b = (
        classifier({"epochs": 2}, random_state=seed).fit(SMILES, AROMATIC).predict_proba(SMILES)
        for seed in (0, 1)
    )
    assert (a != b).any()


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("CCO", TypeError, "one text"),
        (np.ones((4, 3)), ValueError, r"3 feature\(s\) \(shape=\(4, 3\)\)"),
        (np.ones((4, 1)), TypeError, "row 1: float 1.0 where a SMILES belongs"),
        (["CCO", 7, "C", "N"], TypeError, "row 2: int 7"),
        ([], ValueError, "0 sample"),
        (7, TypeError, "int where a sequence"),
        (["CCO", "C1C", "N", "C"], ValueError, r"row 2: invalid molecule 'C1C'.*1 invalid"),
        (["CCO", None, "N", "C"], ValueError, r"row 2: invalid molecule '': empty SMILES"),
        (np.full((2, 2, 2), "C"), ValueError, "3 dimensions"),
    ],
    ids=str,
)
def test_wrong_molecules_are_refused(X: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        classifier().fit(X, ["a", "b", "a", "b"])
    assert isinstance(caught.value, InputError)
    if not isinstance(X, int):
        fitted = classifier({"epochs": 1}).fit(SMILES, AROMATIC)
        with pytest.raises(error, match=message):
            fitted.predict(X)


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (classifier(), None, "requires y to be passed"),
        (classifier(), ["a"] * 4, "one class only"),
        (classifier(), list("abca"), "Only binary classification is supported"),
        (classifier(), [0.5, 1.5, 2.0, 0.1], "Unknown label type: continuous"),
        (classifier(), [0, 1, np.nan, 1], "Input y contains NaN"),
        (classifier(), [[0.0], [2.0], [1.0], [1.0]], "0, 1 or NaN"),
        (classifier(), [0, 1], r"labels of shape \(2,\) for 4 molecules"),
        (regressor(), ["a", "b", "c", "d"], "are not numbers"),
        (regressor(), [1.0, np.inf, 2.0, 3.0], "infinity"),
        (regressor(), [1.0, np.nan, 2.0, 3.0], "Input y contains NaN"),
        (regressor(), [[np.nan]] * 4, "0 labelled molecule"),
    ],
    ids=str,
)
def test_wrong_labels_are_refused(model: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.fit(["CCO", "CCN", "CCC", "CCF"], y)


def test_invalid_molecules_may_be_kept() -> None:
    X = [*SMILES, "C1C", ""]
    model = classifier({"epochs": 2}, on_error="keep").fit(X, [*AROMATIC, "yes", "no"])
    assert np.isnan(model.predict_proba(X)[-2:]).all()
    assert model.predict(X)[-2:].tolist() == [None, None]
    values = regressor({"epochs": 2}, on_error="keep").fit(SMILES, LENGTH).predict(X)
    assert np.isnan(values).tolist() == [False] * 40 + [True, True]


@pytest.mark.parametrize(
    "model",
    [
        classifier(on_error="drop"),
        classifier(validation_fraction=0.0),
        classifier({"features": "graph"}),
        classifier({"features": "embedding"}),
        classifier({"nonsense": 1}),
        CellEncoder(None),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_wrong_options_are_refused(model: Any) -> None:
    with pytest.raises(ConfigError):
        model.fit(SMILES, AROMATIC)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["yes", None, "no"] * 4, dtype=object),
        ["yes", float("nan"), "no"] * 4,
        pd.Series(["yes", pd.NA, "no"] * 4, dtype="string"),
        pd.Series(pd.Categorical(["yes", None, "no"] * 4)),
        pd.DataFrame({"y": ["yes", None, "no"] * 4}),
    ],
    ids=["None", "NaN in a list", "NA", "category", "frame"],
)
def test_missing_labels_among_texts_are_named(labels: Any) -> None:
    with pytest.raises(InputValueError, match=r"y contains missing labels: .* in row 2"):
        check_labels(labels, 12)


@pytest.mark.parametrize(
    "labels",
    [[0, 1, None], np.array([0, 1, np.nan], dtype=object), pd.Series([0, 1, pd.NA], dtype="Int64")],
    ids=["list", "objects", "nullable"],
)
def test_missing_labels_among_numbers_are_not_measured(labels: Any) -> None:
    np.testing.assert_array_equal(check_labels(labels, 3), [0.0, 1.0, np.nan])


def test_one_column_of_text_is_one_column_of_classes() -> None:
    model = PropertyClassifier("head", options={"epochs": 1, "hidden": 4})
    smiles = ["CCO", "CCN", "CCC", "CCCl"] * 5
    model.fit(smiles, pd.DataFrame({"y": ["yes", "no", "no", "yes"] * 5}))
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.predict_proba(smiles[:3]).shape == (3, 2)


def test_labels_of_several_types_are_refused() -> None:
    with pytest.raises(InputValueError, match="mixes labels of several types: int, str"):
        check_labels(["a", 1, "b"], 3)


def test_minus_one_beside_0_and_1_may_mean_missing() -> None:
    model = PropertyClassifier("head", options={"epochs": 1, "hidden": 4})
    with pytest.raises(InputValueError, match="if -1 means not measured"):
        model.fit(["CCO", "CCN", "CCC", "CCCl"] * 3, [0, 1, -1, 1] * 3)
