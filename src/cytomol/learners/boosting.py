"""Gradient boosting with LightGBM, one model a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cytomol.learners.base import Learning, Matrix, learners
from cytomol.learners.matrix import MatrixLearner, learnable, task_rows

__all__ = ["Boosting"]

_OPTIONS = {
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 10,
    "feature_fraction": 0.2,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "max_bin": 63,
    "verbose": -1,
    "deterministic": True,
    "force_col_wise": True,
    # bits of rare environments are columns that a task of few rows must still see
    "feature_pre_filter": False,
}


class Boosting(MatrixLearner):
    """Boosted trees per task (Ke et al., NeurIPS 2017); absolute error in regression.

    Parameters
    ----------
    blocks
        Names of the feature blocks.
    rounds
        Trees of a task; a third where there are more than 100 tasks.
    """

    name: ClassVar[str] = "boosting"
    summary: ClassVar[str] = "LightGBM per task on counts, MACCS keys and descriptors"

    def __init__(self, blocks: tuple[str, ...] | None = None, rounds: int = 300) -> None:
        super().__init__(blocks)
        self.rounds = rounds
        self.boosters: list[Any | None] = []

    def fit_matrix(self, X: Matrix, learning: Learning) -> None:
        """Boost every task that can be learnt; the bins are those of all training rows."""
        import lightgbm

        tasks = learning.labels.shape[1]
        rounds = self.rounds if tasks <= 100 else -(-self.rounds // 3)
        options = {
            **_OPTIONS,
            "objective": "binary" if learning.kind == "classification" else "l1",
            "seed": learning.seed,
            "num_threads": learning.threads,
        }
        train = np.flatnonzero(learning.train)
        table = lightgbm.Dataset(X[train], params=options, free_raw_data=False).construct()
        place = np.full(len(X), -1)
        place[train] = np.arange(len(train))
        self.boosters = []
        for task in range(tasks):
            rows = task_rows(learning, task)
            y = learning.labels[rows, task]
            if not learnable(y, learning.kind):
                self.boosters.append(None)
                continue
            part = table.subset(place[rows].tolist(), params=options).construct()
            part.set_label(y)
            self.boosters.append(lightgbm.train(options, part, num_boost_round=rounds))

    def predict_matrix(self, X: Matrix) -> NDArray[np.float64]:
        """Return probabilities or values of each task."""
        result = np.full((len(X), len(self.boosters)), np.nan)
        for task, booster in enumerate(self.boosters):
            if booster is not None:
                result[:, task] = booster.predict(X)
        return result

    def own_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return LightGBM's own text of each model, as bytes."""
        arrays = {
            f"booster.{task}": np.frombuffer(booster.model_to_string().encode(), dtype=np.uint8)
            for task, booster in enumerate(self.boosters)
            if booster is not None
        }
        return {"rounds": self.rounds, "tasks": len(self.boosters)}, arrays

    def restore_own(self, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the models."""
        import lightgbm

        self.rounds = table["rounds"]
        self.boosters = [None] * table["tasks"]
        for task in range(table["tasks"]):
            if f"booster.{task}" in arrays:
                text = arrays[f"booster.{task}"].tobytes().decode()
                self.boosters[task] = lightgbm.Booster(model_str=text)


learners.register("boosting")(Boosting)
