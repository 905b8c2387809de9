"""Calibrated probabilities: identity, Platt, Platt by similarity or isotonic, chosen by cross-validation.

Platt scaling is a logistic function of the logit with a rising slope (Platt, Advances in Large Margin
Classifiers 1999, 61): it keeps the order of the molecules, so ROC-AUC does not change. Isotonic regression
(Zadrozny & Elkan, KDD 2002, 694) is any rising step; where it is flat it makes equal what was in order, so
ROC-AUC may change by those ties. It overfits small samples (Niculescu-Mizil & Caruana, ICML 2005, 625) and is
therefore tried only where rows are many.

Platt by similarity lets the slope grow with the similarity to the nearest training molecule: far from the
training molecules, where the scores of a model are worth less, probabilities are drawn together towards the
share of class 1 there. It keeps the order of molecules of equal similarity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cytomol.checked import Checked
from cytomol.counted import agreeing
from cytomol.errors import ModelDirectoryError
from cytomol.predict.uncertainty.held_folds import folds_of

__all__ = ["Calibrator", "fit_calibrators", "log_loss", "logit"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_PLATT_ROWS = 20  # two numbers are fitted: ten rows for each
_SIMILARITY_ROWS = 100  # four numbers, two of them about a small difference
_SIMILARITY_CLASS_ROWS = 20
_CLASS_ROWS = 5  # of the rarer class, one for every fold of the cross-validation
_ISOTONIC_ROWS = 1000  # below about this many Platt does better (Niculescu-Mizil & Caruana 2005)
_ISOTONIC_CLASS_ROWS = 50  # with fewer its steps follow single molecules, and cross-validation may not see it
_MARGIN = 1e-6  # a forest says 0 and 1 outright; their logits must stay finite


@dataclass(frozen=True)
class Calibrator:
    """A map from predicted to calibrated probabilities of one task.

    Attributes
    ----------
    method
        "identity", "platt", "similarity" or "isotonic".
    values
        Nothing; slope and intercept; slope at similarity 0, what similarity adds to it, the same of the
        intercept; or the knots, first the predicted then the calibrated probabilities; float64, shape (0,),
        (2,), (4,) or (2 * knots,).
    pooled
        Whether it was fitted on the rows of all tasks, because this task had too few or one class only.
    """

    method: str
    values: Vector
    pooled: bool = False

    @classmethod
    def checked(cls, entry: Checked, values: Vector) -> Calibrator:
        """Return the calibrator that a directory holds.

        Raises
        ------
        ModelDirectoryError
            If the method is unknown or its numbers are not so many.
        """
        method = entry.word("method", ("identity", "platt", "similarity", "isotonic"))
        wanted = {"identity": 0, "platt": 2, "similarity": 4}.get(method, max(2, len(values) // 2 * 2))
        good = len(values) == wanted and bool(np.isfinite(values).all())
        if good and method == "isotonic":
            good = not bool((np.diff(values.reshape(2, -1)) < 0).any())
        if not good:
            numbers = agreeing(len(values), "number", "is", "are", comma=False)
            raise ModelDirectoryError(f"{entry.part}: {numbers} none of {method}")
        return cls(method, values, entry.flag("pooled"))

    def __call__(self, predicted: Vector, similarity: Vector | None = None) -> Vector:
        """Return calibrated probabilities, shape (n,); NaN stays NaN.

        ``similarity`` is that to the nearest training molecule, shape (n,); unknown counts as 0.
        """
        if self.method == "platt":
            slope, intercept = self.values
            return np.asarray(expit(slope * logit(predicted) + intercept), dtype=np.float64)
        if self.method == "similarity":
            near = np.zeros(len(predicted)) if similarity is None else np.nan_to_num(similarity)
            return np.asarray(expit(_by_similarity(logit(predicted), near) @ self.values), dtype=np.float64)
        if self.method == "isotonic":
            knots = self.values.reshape(2, -1)
            result = np.interp(predicted, knots[0], knots[1])
            return np.where(np.isnan(predicted), np.nan, result)
        return predicted


_IDENTITY = Calibrator("identity", np.zeros(0))


def logit(probability: Vector) -> Vector:
    """Return the logit, drawn in by 1e-6 at both ends so that 0 and 1 stay finite; strictly rising."""
    inner = probability * (1 - 2 * _MARGIN) + _MARGIN
    return np.asarray(np.log(inner) - np.log1p(-inner), dtype=np.float64)


def log_loss(probability: Vector, label: Vector) -> Vector:
    """Return the negative log-likelihood of each row, natural logarithm, cut at p = 1e-15."""
    likelihood = np.where(label == 1, probability, 1 - probability)
    return np.asarray(-np.log(np.maximum(likelihood, 1e-15)), dtype=np.float64)


def fit_calibrators(
    predicted: Matrix,
    labels: Matrix,
    *,
    similarity: Vector | None = None,
    groups: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> list[Calibrator]:
    """Choose and fit a calibrator for every task.

    A task with at least 20 rows, 5 of each class, chooses between identity, Platt and, where similarities
    are given, from 100 rows with 20 of each class Platt by similarity, and from 1000 rows with 50 of each
    class isotonic: the smallest cross-validated log loss wins among those whose cross-validated Brier score
    is not worse than that of the identity. Any other task takes a Platt calibrator fitted on the rows of
    all tasks together if cross-validation, by molecule, favours it, else the identity.

    Parameters
    ----------
    predicted
        Probabilities of class 1 of rows that the model was not fitted on, shape (n, tasks).
    labels
        0, 1 or NaN where not measured, shape (n, tasks).
    similarity
        Tanimoto coefficient with the nearest molecule that the model was fitted on, shape (n,).
    groups
        Number of the group (scaffold) of each row, shape (n,): none is divided by the folds.
    seed
        Seed of the folds.
    """
    usable = ~np.isnan(labels) & ~np.isnan(predicted)
    near = np.full(len(labels), np.nan) if similarity is None else similarity
    pooled: Calibrator | None = None
    calibrators: list[Calibrator] = []
    for task in range(labels.shape[1]):
        rows = usable[:, task]
        p, y, s = predicted[rows, task], labels[rows, task], near[rows]
        if _enough(y, _PLATT_ROWS, _CLASS_ROWS):
            groups_of_rows = None if groups is None else groups[rows]
            folds = folds_of(len(y), groups_of_rows, classes=y, seed=seed)
            calibrators.append(_choose(p, y, s, folds, _methods(y, s)))
        else:
            if pooled is None:
                pooled = _fit_pooled(predicted, labels, usable, folds_of(len(labels), groups, seed=seed))
            calibrators.append(pooled)
    return calibrators


def _methods(y: Vector, similarity: Vector) -> list[str]:
    """Return what a task of so many rows may choose besides the identity, simplest first."""
    methods = ["platt"]
    if np.isfinite(similarity).all() and _enough(y, _SIMILARITY_ROWS, _SIMILARITY_CLASS_ROWS):
        methods.append("similarity")
    if _enough(y, _ISOTONIC_ROWS, _ISOTONIC_CLASS_ROWS):
        methods.append("isotonic")
    return methods


def _enough(label: Vector, rows: int, of_each_class: int) -> bool:
    rarer = min(int((label == 1).sum()), int((label == 0).sum()))
    return len(label) >= rows and rarer >= of_each_class


def _fit_pooled(
    predicted: Matrix, labels: Matrix, usable: NDArray[np.bool_], fold_of_row: NDArray[np.int64]
) -> Calibrator:
    """Fit on the rows of all tasks; a molecule's rows stay in one fold."""
    p, y = predicted[usable], labels[usable]
    if not _enough(y, _PLATT_ROWS, _CLASS_ROWS):
        return _IDENTITY
    folds = np.broadcast_to(fold_of_row[:, None], labels.shape)[usable]
    chosen = _choose(p, y, np.full(len(y), np.nan), folds, ["platt"])
    return Calibrator(chosen.method, chosen.values, pooled=chosen.method != "identity")


def _choose(p: Vector, y: Vector, s: Vector, folds: NDArray[np.int64], methods: list[str]) -> Calibrator:
    """Return the method of the smallest held-out log loss, fitted on all rows; ties go to the simpler."""
    best, best_loss = _IDENTITY, float(log_loss(p, y).mean())
    identity_brier = float(np.square(p - y).mean())
    for method in methods:
        held_out = np.empty(len(p))
        for fold in np.unique(folds):
            out = folds == fold
            held_out[out] = _fit(method, p[~out], y[~out], s[~out])(p[out], s[out])
        loss, brier = float(log_loss(held_out, y).mean()), float(np.square(held_out - y).mean())
        if loss < best_loss and brier <= identity_brier:
            best, best_loss = _fit(method, p, y, s), loss
    return best


def _fit(method: str, p: Vector, y: Vector, s: Vector) -> Calibrator:
    if y.min() == y.max():  # whole groups left one class to learn from
        return _IDENTITY
    return _fit_similarity(p, y, s) if method == "similarity" else _FITS[method](p, y)


def _fit_platt(p: Vector, y: Vector) -> Calibrator:
    """Fit slope and intercept to Platt's softened targets; the identity if the slope is not above 0."""
    from sklearn.linear_model import LogisticRegression

    x = logit(p)
    if np.ptp(x) == 0:
        return _IDENTITY
    target = _softened(y)
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    model.fit(
        np.concatenate([x, x])[:, None],
        np.repeat([1, 0], len(x)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:  # it would turn the order around: predictions this poor are left as they are
        return _IDENTITY
    return Calibrator("platt", np.array([slope, intercept]))


def _softened(y: Vector) -> Vector:
    """Return Platt's targets: perfectly separated classes then have a finite slope (Platt 1999).

    A row of class 1 counts as (n1 + 1) / (n1 + 2) of a one and the rest of a zero, one of class 0 as
    1 / (n0 + 2) of a one.
    """
    positive = y == 1
    n1 = int(positive.sum())
    return np.where(positive, (n1 + 1) / (n1 + 2), 1 / (len(y) - n1 + 2))


def _by_similarity(x: Vector, similarity: Vector) -> Matrix:
    return np.column_stack([x, x * similarity, np.ones(len(x)), similarity])


def _fit_similarity(p: Vector, y: Vector, similarity: Vector) -> Calibrator:
    """Fit a slope and an intercept that follow similarity; the slope is nowhere below 0 and does not fall.

    With a slope that is 0 everywhere it is the identity, which keeps the order.
    """
    from scipy.optimize import minimize

    x, target = _by_similarity(logit(p), similarity), _softened(y)

    def loss(b: Vector) -> tuple[float, Vector]:
        z = x @ b
        value = float((np.logaddexp(0, z) - target * z).mean())
        return value, np.asarray(x.T @ (expit(z) - target) / len(y))

    bounds = [(0.0, None), (0.0, None), (None, None), (None, None)]
    b = minimize(loss, np.array([1.0, 0.0, 0.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    if b[0] + b[1] <= 0:
        return _IDENTITY
    return Calibrator("similarity", np.asarray(b, dtype=np.float64))


def _fit_isotonic(p: Vector, y: Vector) -> Calibrator:
    """Fit a rising map, kept off 0 and 1 by Laplace's rule: n rows cannot show less than 1 in n + 2."""
    from sklearn.isotonic import IsotonicRegression

    least = 1 / (len(y) + 2)
    model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(p, y)
    knots = np.concatenate([model.X_thresholds_, model.y_thresholds_])
    return Calibrator("isotonic", np.asarray(knots, dtype=np.float64))


_FITS: dict[str, Callable[[Vector, Vector], Calibrator]] = {"platt": _fit_platt, "isotonic": _fit_isotonic}
