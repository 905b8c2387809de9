"""What the scikit-learn estimators share: SMILES as input, training, validation molecules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from cytomol.artifact.backbone import Backbone, load_backbone
from cytomol.assays.labels import Labels
from cytomol.assays.same_molecule import molecule_groups
from cytomol.chem.encoders import MoleculeEncoder
from cytomol.chem.parse import parse_smiles
from cytomol.errors import ConfigError
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import finetune
from cytomol.predict.predictor import Predictor
from cytomol.predict.smiles_input import InputValueError, check_smiles, require_valid

__all__ = ["OnError", "PropertyEstimator", "SmilesEstimator", "check_on_error", "floats"]

OnError = Literal["raise", "keep"]


class SmilesEstimator(BaseEstimator):  # type: ignore[misc]
    """Input of the estimators: one column of SMILES."""

    def _smiles(self, X: Any, *, fitting: bool) -> list[str]:
        smiles = check_smiles(X)
        if fitting:
            self.n_features_in_ = 1
            columns = getattr(X, "columns", None)
            if columns is not None and all(isinstance(name, str) for name in columns):
                self.feature_names_in_ = np.asarray(columns, dtype=object)
            elif hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        return smiles

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = True
        return tags


class PropertyEstimator(SmilesEstimator):
    """Training and prediction that classifier and regressor share."""

    _kind: Literal["classification", "regression"]

    def __init__(
        self,
        learner: str = "auto",
        backbone: str | Path | Backbone | None = None,
        *,
        features: str | None = None,
        ensemble: int | None = None,
        epochs: int | None = None,
        patience: int | None = None,
        unfreeze: Literal["none", "all", "staged"] | None = None,
        encoders: Sequence[str | MoleculeEncoder] = (),
        options: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.1,
        random_state: Any = 0,
        on_error: OnError = "raise",
    ) -> None:
        self.learner = learner
        self.backbone = backbone
        self.features = features
        self.ensemble = ensemble
        self.epochs = epochs
        self.patience = patience
        self.unfreeze = unfreeze
        self.encoders = encoders
        self.options = options
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.on_error = on_error

    def _fit(self, smiles: list[str], values: NDArray[np.float64], strata: NDArray[Any] | None) -> None:
        """Fit a predictor to labels, float64 with NaN where not measured, shape (n, tasks)."""
        check_on_error(self.on_error)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        # one fit and the refit: who wants intervals across scaffolds asks for them
        head = {
            name: getattr(self, name) for name in ("features", "ensemble", "epochs", "patience", "unfreeze")
        }
        options = {
            "learner": self.learner,
            "seed": seed,
            "calibration_folds": 0,
            "baselines": False,
            **{name: value for name, value in head.items() if value is not None},
            **(self.options or {}),
        }
        config = FinetuneConfig.build(options, where=type(self).__name__)
        names = [f"task{i}" for i in range(values.shape[1])]
        backbone = self.backbone
        if backbone is not None and not isinstance(backbone, Backbone):
            backbone = load_backbone(backbone)
        if self.on_error == "raise":
            require_valid(smiles, [parse_smiles(text).reason for text in smiles])
        result = finetune(
            smiles,
            Labels.of_kind(names, values, self._kind, "y"),
            config,
            backbone=backbone,
            encoders=self.encoders,
            folds=_validation_folds(smiles, values, strata, self.validation_fraction, seed),
        )
        self.predictor_: Predictor = result.predictor
        self.validation_score_: float | None = result.scores["valid"]["mean"]

    def _values(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of class 1, or values, shape (n, tasks); NaN for invalid molecules."""
        check_is_fitted(self)
        smiles = self._smiles(X, fitting=False)
        answer = self.predictor_.predict(smiles)
        if self.on_error == "raise":
            require_valid(smiles, answer.errors)
        return answer.values

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the fitted model as a model directory, for ``cytomol predict`` or ``Predictor``."""
        check_is_fitted(self)
        return self.predictor_.save(path, force=force)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


def floats(labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return labels as numbers, of the same shape; text that is no number is refused."""
    try:
        return labels.astype(np.float64)
    except (ValueError, TypeError):
        raise InputValueError(f"labels of type {labels.dtype} are not numbers") from None


def check_on_error(on_error: str) -> None:
    """Refuse what is neither "raise" nor "keep"."""
    if on_error not in {"raise", "keep"}:
        raise ConfigError(f"on_error is {on_error!r}", hint='use "raise" or "keep"')


def _validation_folds(
    smiles: list[str],
    values: NDArray[np.float64],
    strata: NDArray[Any] | None,
    fraction: float,
    seed: int,
) -> NDArray[np.str_]:
    """Hold some labelled rows out at random, of each class its share, to choose by.

    Rows of one molecule go where the first of them goes.
    """
    if not 0 < fraction < 1:
        raise ConfigError(f"validation_fraction is {fraction}", hint="use a share between 0 and 1")
    folds = np.full(len(values), "train", dtype="<U5")
    generator = np.random.default_rng(seed)
    labelled = np.flatnonzero(~np.isnan(values).all(axis=1))
    if len(labelled) < 3:
        raise InputValueError(
            f"{len(labelled)} labelled molecule(s) (n_samples={len(values)}, 1 sample is too few)",
            hint="at least 3 are needed, one of them to validate",
        )
    groups = [labelled] if strata is None else [np.flatnonzero(strata == s) for s in np.unique(strata)]
    for group in groups:
        # at least one row of the group stays in training
        held_out = min(max(1, round(fraction * len(group))), len(group) - 1)
        folds[generator.permutation(group)[:held_out]] = "valid"
    molecules = molecule_groups(smiles)
    _, first, number = np.unique(molecules, return_index=True, return_inverse=True)
    together = np.where(molecules < 0, folds, folds[first[number]])
    # unless that leaves one of both without a row, or training without a class
    whole = all((together[group] == "train").any() for group in groups)
    return together if whole and (together[labelled] == "valid").any() else folds
