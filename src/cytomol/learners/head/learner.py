"""The head as a learner: one or more small networks on features, their outputs averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cytomol.checked import Checked
from cytomol.errors import ConfigError
from cytomol.learners.base import Learner, Learning, Matrix, learners
from cytomol.learners.blocks import ScaledBlocks
from cytomol.learners.forest import Forest
from cytomol.learners.head.forest_beside import forest_probability, grow_forest
from cytomol.learners.head.options import HeadOptions
from cytomol.learners.head.trained_heads import TrainedHeads, saved_units
from cytomol.learners.matrix import under_prefix

if TYPE_CHECKING:  # loading torch takes longer than answering a molecule: only training needs it
    from cytomol.learners.head.fit import FitResult

__all__ = ["Head"]


class Head(Learner):
    """One or more heads of different seeds on scaled features; the papers' heads are its presets.

    Parameters
    ----------
    options
        How heads are built and trained.
    blocks
        Feature blocks that they read.

    Attributes
    ----------
    fits
        What the training of each head did; empty for a restored learner.
    best_epochs
        Epoch of each head whose weights stayed, counted from 1.
    """

    name: ClassVar[str] = "head"
    summary: ClassVar[str] = "small networks on the embedding and fingerprints, as in the papers"
    reads_encoders: ClassVar[bool] = True
    uses_bounds: ClassVar[bool] = True

    def __init__(self, options: HeadOptions | None = None, blocks: tuple[str, ...] = ("1d",)) -> None:
        self.options = options or HeadOptions()
        self.blocks = blocks
        self.kind = "classification"
        self.scaled = ScaledBlocks(blocks)
        self.heads = TrainedHeads()
        self.forest: Forest | None = None
        self.trained: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self.center: NDArray[np.float64] = np.zeros(0)
        self.scale: NDArray[np.float64] = np.ones(0)
        self.fits: list[FitResult] = []
        self.best_epochs: list[int] = []

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Train the heads one after the other, each from its own seed."""
        self._check(learning)
        self.kind = learning.kind
        self.trained = np.asarray(~np.isnan(learning.labels[learning.train]).all(axis=0))
        self._keep_units(learning)
        how: dict[str, str] = {"descriptors": self.options.descriptor_scaling}
        if self.options.standardize_embedding:
            how["embedding"] = "standard"
        self.scaled = ScaledBlocks(self.blocks)
        self.scaled.fit(blocks, learning.train, how, embedding_scale=self.options.embedding_scale)
        inputs = self.scaled.transform(blocks)
        probability = self._grow_forest(inputs, blocks, learning) if self.options.forest_gamma else None
        moving = None
        if self.options.changes_backbone:
            others = [name for name in self.blocks if name != "embedding"]
            moving = self.scaled.scalers.get("embedding"), self.scaled.transform(blocks, only=others)
        from cytomol.learners.head.train_members import train_members

        heads, self.fits = train_members(
            self.options,
            inputs,
            learning,
            center=self.center,
            scale=self.scale,
            probability=probability,
            moving=moving,
        )
        self.heads = TrainedHeads.of(heads)
        self.best_epochs = [fit.best_epoch for fit in self.fits]

    def _grow_forest(
        self, inputs: Matrix, blocks: Mapping[str, Matrix], learning: Learning
    ) -> NDArray[np.float64]:
        """Grow the forest beside the heads and return its probabilities."""
        bits = inputs[:, self.scaled.place("1d", blocks)]
        self.forest = grow_forest(
            bits, learning.labels, learning.train, self.options, threads=learning.threads
        )
        return forest_probability(self.forest, bits)

    def refit(self, blocks: Mapping[str, Matrix], learning: Learning) -> Head:
        """Return heads trained on all training rows for as many epochs as were best with early stopping."""
        options = self.options
        if options.keep == "best" and self.best_epochs:
            epochs = max(1, round(float(np.mean(self.best_epochs))))
            options = options.updated(keep="last", patience=0, epochs=epochs)
        new = Head(options, self.blocks)
        new.fit(blocks, learning)
        return new

    def _check(self, learning: Learning) -> None:
        """Refuse what does not go together.

        Raises
        ------
        ConfigError
            If values are to be learnt beside a forest, or there is no backbone to change.
        """
        if self.options.forest_gamma and learning.kind != "classification":
            raise ConfigError(
                "a forest beside the head is for classes, and there are tasks that are values",
                where="forest_gamma",
                hint="leave it out",
            )
        if self.options.forest_gamma and "1d" not in self.blocks:
            raise ConfigError(
                "a forest beside the head needs 1d among the features",
                where="forest_gamma",
                hint="give --features 1d+embedding",
            )
        if self.options.changes_backbone and learning.live is None:
            where = "embedding_mode" if self.options.unfreeze == "none" else "unfreeze"
            what = "keep in training mode" if self.options.unfreeze == "none" else "unfreeze"
            raise ConfigError(f"there is no backbone to {what}", where=where, hint="give --backbone DIR")

    def _keep_units(self, learning: Learning) -> None:
        """Note what turns an output into a label: nothing, or the unit of the table if that is learnt."""
        columns = learning.labels.shape[1]
        self.center, self.scale = np.zeros(columns), np.ones(columns)
        raw = self.kind == "regression" and self.options.target_scaling == "raw"
        if raw and learning.scale is not None and learning.center is not None:
            self.center, self.scale = -learning.center / learning.scale, 1 / learning.scale

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the answer of the heads' mean output."""
        return self.answer(blocks)[0]

    def members(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the answer of each head."""
        return self.answer(blocks)[1]

    def answer(self, blocks: Mapping[str, Matrix]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the answer of the heads' mean output, and those of each head."""
        inputs = self.scaled.transform(blocks)
        outputs = self.heads.outputs(inputs)
        if self.forest is not None:
            probability = forest_probability(self.forest, inputs[:, self.scaled.place("1d", blocks)])
            outputs = self.options.forest_gamma * outputs + probability
        return self._answers(outputs.mean(axis=0)), self._answers(outputs)

    def _answers(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn outputs, shape (..., columns), into probabilities or labels; NaN where nothing was learnt."""
        values = expit(outputs) if self.kind == "classification" else outputs
        result = values * self.scale + self.center
        result[..., ~self.trained] = np.nan
        return np.asarray(result, dtype=np.float64)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the heads' weights, the scaling of their inputs, and the forest beside them."""
        table: dict[str, Any] = {
            "blocks": list(self.blocks),
            "kind": self.kind,
            "inputs": self.heads.inputs,
            "best_epochs": self.best_epochs,
            "options": self.options.model_dump(mode="json", include=set(HeadOptions.model_fields)),
        }
        arrays = self.heads.arrays()
        arrays |= {f"scaling.{name}": array for name, array in self.scaled.arrays().items()}
        arrays |= {"center": self.center, "scale": self.scale, "trained": self.trained.astype(np.uint8)}
        if self.forest is not None:
            table["forest"], trees = self.forest.state()
            arrays |= {f"forest.{name}": array for name, array in trees.items()}
        return table, arrays

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`state`."""
        saved = Checked(table, arrays, "head")
        learner = cls(HeadOptions.build(saved.mapping("options"), where="config.json"), saved.words("blocks"))
        learner.kind = saved.word("kind", ("classification", "regression"))
        learner.best_epochs = saved.wholes("best_epochs", 0, 10**9) if "best_epochs" in table else []  # 0.1
        learner.scaled = ScaledBlocks.restore(learner.blocks, under_prefix(arrays, "scaling."))
        learner.center, learner.scale, learner.trained = saved_units(saved)
        learner.heads = TrainedHeads.restore(
            saved, learner.options, kind=learner.kind, tasks=len(learner.center)
        )
        if "forest" in table:
            learner.forest = Forest.restore(table["forest"], under_prefix(arrays, "forest."))
        return learner


learners.register("head")(Head)
