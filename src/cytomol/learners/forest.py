"""Random forests and extremely randomised trees, one a task."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.learners.base import Learning, Matrix, learners
from cytomol.learners.matrix import MatrixLearner, learnable, task_rows
from cytomol.learners.trees import FlatTrees

__all__ = ["Forest"]


class Forest(MatrixLearner):
    """A forest per task, fitted by scikit-learn.

    Parameters
    ----------
    blocks
        Names of the feature blocks.
    kind
        "random" (Breiman, Mach. Learn. 2001) or "extra" (Geurts et al., Mach. Learn. 2006).
    trees
        Trees of a forest; a third of them, 100 at most, where there are more than 100 tasks.
    options
        Further options of scikit-learn's forest.
    """

    name: ClassVar[str] = "forest"
    summary: ClassVar[str] = "random forest per task on counts, MACCS keys and descriptors"

    def __init__(
        self,
        blocks: tuple[str, ...] | None = None,
        kind: Literal["random", "extra"] = "random",
        trees: int = 500,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(blocks)
        self.options = dict(options or {})
        self.kind = kind
        self.trees = trees
        self.flat: FlatTrees | None = None

    def fit_matrix(self, X: Matrix, learning: Learning) -> None:
        """Grow the forest of every task that can be learnt."""
        tasks = learning.labels.shape[1]
        forests: list[Any | None] = []
        for task in range(tasks):
            rows = task_rows(learning, task)
            y = learning.labels[rows, task]
            forests.append(
                self._forest(learning, tasks).fit(X[rows], y) if learnable(y, learning.kind) else None
            )
        self.flat = FlatTrees.of_forests(forests)

    def _forest(self, learning: Learning, tasks: int) -> Any:
        from sklearn import ensemble

        name = ("ExtraTrees" if self.kind == "extra" else "RandomForest") + (
            "Classifier" if learning.kind == "classification" else "Regressor"
        )
        options: dict[str, Any] = {"max_features": "sqrt"}
        if learning.kind == "regression":
            options = {"max_features": 0.33}
        return getattr(ensemble, name)(
            self.trees if tasks <= 100 else min(-(-self.trees // 3), 100),
            n_jobs=learning.threads or -1,
            random_state=learning.seed,
            **{**options, **self.options},
        )

    def predict_matrix(self, X: Matrix) -> NDArray[np.float64]:
        """Return the mean over the trees of each task."""
        assert self.flat is not None
        return self.flat.predict(X)

    def own_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the trees."""
        assert self.flat is not None
        return {"kind": self.kind, "trees": self.trees}, self.flat.arrays()

    def restore_own(self, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the trees."""
        saved = Checked(table, arrays, "forest")
        self.kind = "extra" if saved.word("kind", ("random", "extra")) == "extra" else "random"
        self.trees = saved.whole("trees", 1, 10**9)
        self.flat = FlatTrees.from_arrays(arrays)


learners.register("forest")(Forest)
learners.register("extra-trees")(partial(Forest, kind="extra"))
