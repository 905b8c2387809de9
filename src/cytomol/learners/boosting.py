"""Gradient boosting with LightGBM, one model a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.learners.base import Learning, Matrix, learners
from cytomol.learners.boosted_trees import BoostedTrees
from cytomol.learners.boosting_text import BoostedText
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
        self.trees: BoostedTrees | None = None

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
        texts: list[str | None] = []
        for task in range(tasks):
            rows = task_rows(learning, task)
            y = learning.labels[rows, task]
            if not learnable(y, learning.kind):
                texts.append(None)
                continue
            part = table.subset(place[rows].tolist(), params=options).construct()
            part.set_label(y)
            texts.append(lightgbm.train(options, part, num_boost_round=rounds).model_to_string())
        self.trees = BoostedTrees.of_texts(texts, probability=learning.kind == "classification")

    def predict_matrix(self, X: Matrix) -> NDArray[np.float64]:
        """Return probabilities or values of each task."""
        assert self.trees is not None
        return self.trees.predict(X)

    def own_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the trees."""
        assert self.trees is not None
        table = {
            "rounds": self.rounds,
            "tasks": len(self.trees.tasks) - 1,
            "probability": self.trees.probability,
        }
        return table, self.trees.arrays()

    def restore_own(self, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the trees; of directories that hold LightGBM's text, 0.1's and those before 0.2, too."""
        saved = Checked(table, arrays, "boosting")
        self.rounds = saved.whole("rounds", 1, 10**9)
        tasks = saved.whole("tasks", 0, 10**6)
        if "probability" in table:
            self.trees = BoostedTrees.from_arrays(arrays, probability=saved.flag("probability"))
            if len(self.trees.tasks) != tasks + 1:
                raise ModelDirectoryError(f"boosting: trees of {len(self.trees.tasks) - 1} of {tasks} tasks")
            return
        texts = [
            saved.array(name, np.uint8, f"bytes{task}").tobytes().decode("ascii", "replace")
            if (name := f"booster.{task}") in arrays
            else None
            for task in range(tasks)
        ]
        first = next((text for text in texts if text is not None), None)
        probability = first is not None and BoostedText.read(first).probability
        self.trees = BoostedTrees.of_texts(texts, probability=probability)


learners.register("boosting")(Boosting)
