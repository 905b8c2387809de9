"""The multi-task perceptron: heads of several seeds on scaled features, logits averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cytomol.checked import Checked
from cytomol.learners.base import Learning, Matrix, learners
from cytomol.learners.head.options import HeadOptions
from cytomol.learners.head.trained_heads import TrainedHeads, saved_units
from cytomol.learners.matrix import MatrixLearner

if TYPE_CHECKING:  # loading torch takes longer than answering a molecule: only training needs it
    import torch

    from cytomol.learners.head.fit import FitData
    from cytomol.nn.head import PropertyHead

__all__ = ["Perceptron"]

_KINDS = ("classification", "regression")
_MOST_STEPS = 4000
_FEWEST_EPOCHS = 8


class Perceptron(MatrixLearner):
    """Heads that predict all tasks at once from one matrix.

    Every head is trained for a fixed number of epochs with a learning rate that rises and falls; nothing is
    chosen by the few labels of a validation fold.

    Parameters
    ----------
    blocks
        Names of the feature blocks.
    options
        Options of :class:`~cytomol.learners.head.options.HeadOptions` that differ.
    """

    name: ClassVar[str] = "mlp"
    uses_bounds: ClassVar[bool] = True
    summary: ClassVar[str] = "multi-task perceptrons, five seeds, on counts, MACCS keys and descriptors"

    def __init__(
        self, blocks: tuple[str, ...] | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(blocks)
        self.options = {
            "schedule": "onecycle",
            "keep": "last",
            "patience": 0,
            "epochs": 20,
            "lr": 2e-3,
            "hidden": 600,
            "hidden_layers": 2,
            "batch_size": 128,
            "ensemble": 5,
            **(options or {}),
        }
        self.heads = TrainedHeads()
        self.kind = "classification"
        self.center: NDArray[np.float64] = np.zeros(0)
        self.scale: NDArray[np.float64] = np.ones(0)
        self.trained: NDArray[np.bool_] = np.zeros(0, dtype=bool)

    def fit_matrix(self, X: Matrix, learning: Learning) -> None:
        """Train the heads one after the other."""
        import torch

        from cytomol.learners.head.fit import FitData

        values = learning.labels[learning.train]
        self.kind, tasks = learning.kind, values.shape[1]
        self.trained = np.asarray(~np.isnan(values).all(axis=0))
        self.center, self.scale = np.zeros(tasks), np.ones(tasks)
        if self.kind == "regression":
            self.center[self.trained] = np.nanmean(values[:, self.trained], axis=0)
            self.scale[self.trained] = np.nanstd(values[:, self.trained], axis=0)
            self.scale[self.scale < 1e-12] = 1.0
        measured = ~np.isnan(learning.labels).all(axis=1)
        data = FitData(
            inputs=torch.from_numpy(X),
            targets=torch.from_numpy(((learning.labels - self.center) / self.scale).astype(np.float32)),
            train=torch.from_numpy(np.flatnonzero(learning.train & measured)),
            valid=torch.from_numpy(np.flatnonzero(learning.valid & measured)),
            kind=self.kind,
            metric=learning.metric,
            scale=self.scale,
            bounds=None if learning.bounds is None else torch.from_numpy(learning.bounds),
        )
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        config = self._config(len(data.train))
        self.heads = TrainedHeads.of(self.train_heads(data, config, learning, device))

    def train_heads(
        self, data: FitData, config: HeadOptions, learning: Learning, device: torch.device
    ) -> list[PropertyHead]:
        """Train heads of several seeds, one after the other; they come back on the CPU."""
        from cytomol.learners.head.fit import fit_head, seeded
        from cytomol.learners.head.named_heads import build_head

        heads = []
        for member in range(config.ensemble):
            # seeds far apart, so that runs of neighbouring seeds share no head
            with seeded(1000 * learning.seed + member, learning.threads):
                head = build_head(config, data.inputs.shape[1], data.targets.shape[1], kind=data.kind)
                fit_head(head, data, config, device=device)
            heads.append(head.cpu())
        return heads

    def _config(self, rows: int) -> HeadOptions:
        """Return the options of training, with fewer epochs where they would be many steps."""
        config = HeadOptions.build(dict(self.options), where=self.name)
        steps = max(1, math.ceil(rows / config.batch_size))
        epochs = max(_FEWEST_EPOCHS, _MOST_STEPS // steps)
        return config.updated(epochs=min(config.epochs, epochs))

    def predict_matrix(self, X: Matrix) -> NDArray[np.float64]:
        """Return the answer of the mean logit or value of the heads."""
        return self._in_units(self.heads.outputs(X).mean(axis=0))

    def members(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the answers of each head."""
        assert self.scaled is not None
        return self._in_units(self.heads.outputs(self.scaled.transform(blocks)))

    def _in_units(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        values = expit(outputs) if self.kind == "classification" else outputs
        result = values * self.scale + self.center
        result[..., ~self.trained] = np.nan
        return np.asarray(result, dtype=np.float64)

    def own_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the weights of the heads and the scale of the tasks."""
        arrays = self.heads.arrays()
        arrays |= {"center": self.center, "scale": self.scale, "trained": self.trained.astype(np.uint8)}
        table = {"options": self.options, "kind": self.kind, "inputs": self.heads.inputs}
        return table, arrays

    def restore_own(self, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the weights of the heads."""
        saved = Checked(table, arrays, "perceptron")
        self.options, self.kind = saved.mapping("options"), saved.word("kind", _KINDS)
        self.center, self.scale, self.trained = saved_units(saved)
        config = HeadOptions.build(dict(self.options), where=self.name)
        self.heads = TrainedHeads.restore(saved, config, kind=self.kind, tasks=len(self.center))


_PLAIN = ("counts", "maccs", "descriptors")
learners.register("mlp")(Perceptron)
learners.register("mlp-embedding")(partial(Perceptron, ("embedding", *_PLAIN)))
