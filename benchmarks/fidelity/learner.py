"""The one cheap learner: a linear model of all tasks on blocks of features, its strength chosen on valid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics, score_tasks

__all__ = ["STRENGTHS", "Scored", "blocks_side_by_side", "score_linear"]

STRENGTHS = (0.3, 3.0, 30.0, 300.0)
"""Inverse strengths of the penalty that valid chooses among."""

_ITERATIONS = 60


@dataclass(frozen=True)
class Scored:
    """Scores of each task on each scored fold, NaN where there is none, and the strength that valid chose."""

    by_fold: dict[str, NDArray[np.float64]]
    strength: float


def blocks_side_by_side(
    blocks: Sequence[NDArray[np.float32]], standardise: Sequence[bool], train: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Put blocks side by side, each centred and of mean square norm 1 over the training rows.

    Without that a dense block would drown a sparse one: the penalty is one for all columns.

    Parameters
    ----------
    blocks
        Each of shape (n, its width).
    standardise
        Which of them have their columns brought to one variance first.
    train
        Training rows, shape (n,).
    """
    parts = []
    for block, scaled in zip(blocks, standardise, strict=True):
        values = block.astype(np.float64) - block[train].mean(axis=0, dtype=np.float64)
        if scaled:
            spread = values[train].std(axis=0)
            values /= np.where(spread > 1e-8, spread, np.inf)
        norm = np.sqrt(np.square(values[train]).sum(axis=1).mean())
        parts.append((values / max(norm, 1e-12)).astype(np.float32))
    return np.concatenate(parts, axis=1)


def score_linear(
    X: NDArray[np.float32], labels: NDArray[np.float64], folds: NDArray[np.str_], metric: str
) -> Scored:
    """Fit on train at every strength, keep the one whose mean over tasks is best on valid, score both folds.

    Parameters
    ----------
    X
        Features, shape (n, columns).
    labels
        NaN where not measured, shape (n, tasks).
    folds
        "train", "valid", "test" or "", shape (n,).
    metric
        "roc_auc" (logistic regression) or "mae" (least squares on standardised labels).
    """
    train = folds == "train"
    fit = _logistic if metric == "roc_auc" else _least_squares
    best: Scored | None = None
    best_score = -np.inf
    for strength, predicted in zip(STRENGTHS, fit(X, train, labels[train]), strict=True):
        scores = {
            fold: score_tasks(labels[folds == fold], predicted[folds == fold], metric)[1]
            for fold in ("valid", "test")
        }
        mean = float(np.nanmean(scores["valid"])) if np.isfinite(scores["valid"]).any() else 0.0
        signed = mean if metrics[metric].higher_is_better else -mean
        if signed > best_score:
            best, best_score = Scored(scores, strength), signed
    assert best is not None
    return best


def _logistic(
    X: NDArray[np.float32], train: NDArray[np.bool_], labels: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return logits of all rows at each strength; each fit starts where the weaker one ended."""
    rows, all_rows = torch.from_numpy(X[train]), torch.from_numpy(X)
    known = torch.from_numpy(~np.isnan(labels))
    y = torch.from_numpy(np.nan_to_num(labels).astype(np.float32))
    W = torch.zeros(X.shape[1], labels.shape[1], requires_grad=True)
    active, measured = np.nansum(labels, axis=0), (~np.isnan(labels)).sum(axis=0)
    share = np.clip((active + 0.5) / (measured + 1), 0.01, 0.99)
    b = torch.tensor(np.log(share / (1 - share)), dtype=torch.float32, requires_grad=True)
    predicted = []
    for strength in STRENGTHS:
        optimizer = torch.optim.LBFGS(
            [W, b], max_iter=_ITERATIONS, history_size=10, line_search_fn="strong_wolfe"
        )

        def loss(optimizer: torch.optim.LBFGS = optimizer, strength: float = strength) -> torch.Tensor:
            optimizer.zero_grad()
            each = torch.nn.functional.binary_cross_entropy_with_logits(rows @ W + b, y, reduction="none")
            total = each[known].sum() + W.square().sum() / (2 * strength)
            total.backward()
            return total

        optimizer.step(loss)
        with torch.no_grad():
            predicted.append((all_rows @ W + b).double().numpy())
    return predicted


def _least_squares(
    X: NDArray[np.float32], train: NDArray[np.bool_], labels: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return predictions of all rows at each strength."""
    predicted = [np.full((len(X), labels.shape[1]), np.nan) for _ in STRENGTHS]
    rows = X[train]
    for task in range(labels.shape[1]):
        known = ~np.isnan(labels[:, task])
        y = labels[known, task]
        center, spread = y.mean(), max(float(y.std()), 1e-12)
        own = rows[known].astype(np.float64)
        gram, product = own.T @ own, own.T @ ((y - center) / spread)
        for number, strength in enumerate(STRENGTHS):
            weights = np.linalg.solve(gram + np.eye(len(gram)) / strength, product)
            predicted[number][:, task] = X @ weights * spread + center
    return predicted
