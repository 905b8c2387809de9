"""scikit-learn estimators that take SMILES: an encoder, a classifier and a regressor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cytomol.artifact.backbone import Backbone, load_backbone
from cytomol.assays.metrics import score_tasks
from cytomol.errors import ConfigError
from cytomol.predict.estimator_base import OnError, PropertyEstimator, SmilesEstimator, check_on_error, floats
from cytomol.predict.smiles_input import InputValueError, check_labels, check_smiles, require_valid

__all__ = ["CellEncoder", "PropertyClassifier", "PropertyRegressor"]


def _hint_on_classes(classes: NDArray[Any]) -> str:
    """Say what three classes and more may be."""
    if len(classes) == 3 and set(classes.tolist()) == {-1, 0, 1}:
        return "if -1 means not measured, put NaN in its place and give y the shape (n, 1)"
    return "give one column of 0 and 1 per class"


class CellEncoder(TransformerMixin, SmilesEstimator):  # type: ignore[misc]
    """Transformer from SMILES to the embeddings of a pretrained model.

    Nothing is learnt from data, so it may transform without having been fitted.

    Parameters
    ----------
    backbone
        Model directory (pretrained or fine-tuned), or a loaded backbone; "default" is the backbone that
        comes with cytomol.
    batch_size
        Molecules that the encoder sees at once; it does not change the result.
    on_error
        What an invalid molecule does: "raise", or "keep" a row of NaN.

    Attributes
    ----------
    backbone_
        The loaded backbone. What it knows beside the embedding, it is asked for itself: expected profiles by
        ``cytomol.cells.impute.imputer.Imputer.of(encoder.backbone_)``, the places of molecules and profiles
        by ``cytomol.cells.space.CellSpace.of(trained_modality(encoder.backbone_, name))``.
    n_features_in_
        Always 1: the column of SMILES.

    See Also
    --------
    PropertyClassifier, PropertyRegressor : heads that are trained on the embedding.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> encoder = CellEncoder()
    >>> encoder.transform(["CCO", "c1ccccc1"]).shape == (2, encoder.backbone_.embedding_width)
    True
    >>> model = make_pipeline(CellEncoder("model"), Ridge())
    >>> model.fit(["CCO", "CCN", "CCC"], [0.1, 0.4, 0.2]).predict(["CCCl"]).shape
    (1,)
    """

    def __init__(
        self,
        backbone: str | Path | Backbone = "default",
        *,
        batch_size: int = 256,
        on_error: OnError = "raise",
    ) -> None:
        self.backbone = backbone
        self.batch_size = batch_size
        self.on_error = on_error

    def fit(self, X: Any, y: Any = None) -> Self:
        """Load the backbone; nothing is learned from ``X``, shape (n,) or (n, 1)."""
        del y
        self._smiles(X, fitting=True)
        self._load()
        return self

    def _load(self) -> Backbone:
        check_on_error(self.on_error)
        if self.backbone is None:
            raise ConfigError(
                "there is no backbone", where="CellEncoder", hint='give a model directory, or "default"'
            )
        self.backbone_ = (
            self.backbone if isinstance(self.backbone, Backbone) else load_backbone(self.backbone)
        )
        return self.backbone_

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return embeddings, float32, shape (n, width), row i for molecule i."""
        smiles = self._smiles(X, fitting=False)
        backbone = self.backbone_ if hasattr(self, "backbone_") else self._load()
        store = backbone.store(smiles)
        if self.on_error == "raise":
            require_valid(smiles, store.errors)
        return backbone.embed(store, batch_size=self.batch_size)[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.requires_fit = False
        return tags

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return the names embedding0, embedding1, ... of the columns."""
        del input_features
        check_is_fitted(self)
        names = [f"embedding{i}" for i in range(self.backbone_.embedding_width)]
        return np.asarray(names, dtype=object)


class PropertyClassifier(ClassifierMixin, PropertyEstimator):  # type: ignore[misc]
    """Binary classifier of molecules, one task or many with missing labels.

    Parameters
    ----------
    learner
        What is fitted, by name: "cytomol", the recipe of the benchmarks; "head", a small network; "forest"
        and others. "auto": the recipe, or the head where one of its options is given.
    backbone
        Model directory or loaded backbone; None leaves the embedding out.
    features, ensemble, epochs, patience, unfreeze
        Options of the head: what it reads, how many there are, when training ends, and what of the backbone
        is trained too; None leaves each as it is.
    encoders
        Other encoders whose vectors are learnt from too (see :func:`cytomol.predict.finetune.finetune`).
    options
        Further options of :class:`cytomol.predict.config.FinetuneConfig`, by name.
    validation_fraction
        Share of the training molecules that decides when to stop.
    random_state
        Seed; the same seed gives the same model.
    on_error
        What an invalid molecule does: "raise", or "keep" (left out of training, NaN in predictions).

    Attributes
    ----------
    classes_
        The two classes (one task), or a list of [0, 1] per task.
    predictor_
        The fitted predictor.
    validation_score_
        Mean ROC-AUC on the validation molecules; None if no task has both classes there.

    Notes
    -----
    With many tasks, labels are 0, 1 or NaN (not measured) and ``predict_proba`` has shape (n, tasks).
    ``cross_val_score`` on labels with NaN needs a splitter object (``cv=KFold(5)``), since
    scikit-learn looks at the labels to choose one.

    Examples
    --------
    >>> model = PropertyClassifier("neighbours")
    >>> model = model.fit(["CCO", "CCN", "CCC", "CCCl"] * 5, ["yes", "no", "no", "yes"] * 5)
    >>> model.predict_proba(["CCO"]).shape
    (1, 2)
    """

    _kind = "classification"

    def fit(self, X: Any, y: Any) -> Self:
        """Train on SMILES, shape (n,) or (n, 1), and labels, shape (n,) or (n, tasks)."""
        smiles = self._smiles(X, fitting=True)
        labels = check_labels(y, len(smiles))
        self._single = labels.ndim == 1
        if self._single:
            values, strata = self._encode(labels)
        else:
            values, strata = floats(labels), None
            if not (np.isnan(values) | (values == 0) | (values == 1)).all():
                raise InputValueError("labels of many tasks are 0, 1 or NaN")
            self.classes_: Any = [np.array([0, 1])] * values.shape[1]
        self._fit(smiles, values, strata)
        return self

    def _encode(self, labels: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return labels of two classes as 0 and 1, shape (n, 1) and (n,)."""
        if labels.dtype.kind == "f":
            if np.isnan(labels).any():
                raise InputValueError(
                    "Input y contains NaN", hint="give y the shape (n, 1) to leave labels out"
                )
            if (labels != np.floor(labels)).any():
                raise InputValueError("Unknown label type: continuous", hint="use PropertyRegressor")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) > 2:
            raise InputValueError(
                f"Only binary classification is supported. The target has {len(self.classes_)} classes",
                hint=_hint_on_classes(self.classes_),
            )
        if len(self.classes_) < 2:
            raise InputValueError(
                f"y holds one class only: {self.classes_.tolist()[0]!r}", hint="there must be two"
            )
        return codes.astype(np.float64)[:, None], codes

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities, shape (n, 2) in the order of ``classes_``, or (n, tasks) of class 1."""
        positive = self._values(X)
        if self._single:
            return np.column_stack([1 - positive[:, 0], positive[:, 0]])
        return positive

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the more likely class, shape (n,) or (n, tasks); NaN or None for invalid molecules."""
        positive = self._values(X)
        unknown = np.isnan(positive)
        if not self._single:
            chosen = (positive > 0.5).astype(np.int64)
            return np.where(unknown, np.nan, chosen) if unknown.any() else chosen
        chosen = self.classes_[(positive[:, 0] > 0.5).astype(np.int64)]
        if unknown.any():
            chosen = chosen.astype(object)
            chosen[unknown[:, 0]] = None
        return np.asarray(chosen)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy (one task), or the mean ROC-AUC over tasks with both classes (many)."""
        if self._single:
            return float(super().score(X, y, sample_weight))
        if sample_weight is not None:
            raise ConfigError("sample weights cannot be used with many tasks")
        return score_tasks(floats(check_labels(y, len(check_smiles(X)))), self._values(X), "roc_auc")[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class PropertyRegressor(RegressorMixin, PropertyEstimator):  # type: ignore[misc]
    """Regressor of molecules, one task or many with missing labels; parameters as PropertyClassifier.

    Targets are standardised by their training mean and standard deviation inside, and the L1 loss is
    minimised.

    Attributes
    ----------
    predictor_
        The fitted predictor.
    validation_score_
        Mean absolute error on the validation molecules.

    Examples
    --------
    >>> model = PropertyRegressor("neighbours")
    >>> model = model.fit(["CCO", "CCN", "CCC", "CCCl"] * 5, [0.1, 0.4, 0.2, 0.9] * 5)
    >>> model.predict(["CCO", "CCN"]).shape
    (2,)
    """

    _kind = "regression"

    def fit(self, X: Any, y: Any) -> Self:
        """Train on SMILES, shape (n,) or (n, 1), and values, shape (n,) or (n, tasks)."""
        smiles = self._smiles(X, fitting=True)
        values = floats(check_labels(y, len(smiles)))
        self._single = values.ndim == 1
        if self._single and np.isnan(values).any():
            raise InputValueError("Input y contains NaN", hint="give y the shape (n, 1) to leave labels out")
        self._fit(smiles, values[:, None] if self._single else values, None)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return values, shape (n,) or (n, tasks); NaN for invalid molecules."""
        values = self._values(X)
        return values[:, 0] if self._single else values

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R squared (one task), or its mean over tasks, over measured values (many)."""
        if self._single:
            return float(super().score(X, y, sample_weight))
        if sample_weight is not None:
            raise ConfigError("sample weights cannot be used with many tasks")
        return score_tasks(floats(check_labels(y, len(check_smiles(X)))), self._values(X), "r2")[0]
