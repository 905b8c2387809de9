"""Our own predictor: perceptrons, trees, boosting, a Gaussian process and nearest neighbours, stacked."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.metrics import score_tasks
from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError
from cytomol.learners.base import Learner, Learning, Matrix, learners
from cytomol.learners.blocks import ENCODED, encoded_blocks
from cytomol.learners.boosting import Boosting
from cytomol.learners.feature_scaling import ColumnScaler, same_scaling
from cytomol.learners.forest import Forest
from cytomol.learners.kernel import Kernel
from cytomol.learners.matrix import MatrixLearner, measured_exactly
from cytomol.learners.neighbours import Neighbours
from cytomol.learners.perceptron import Perceptron
from cytomol.learners.stack_weights import stack, weighted_mean

__all__ = ["KINDS", "Ensemble"]

_SECONDS, _SECONDS_OF_A_ROW, _SECONDS_OF_A_COLUMN = 8.0, 0.019, 1.5
_SHARE_OF_A_PERCEPTRON = 0.4  # that each further encoder adds
_PLAIN = ("counts", "maccs", "descriptors")
KINDS = ("mlp", "mlp-embedding", "extra-trees", "forest", "boosting", "kernel", "neighbours")
"""Members of the recipe."""

_OF_CLASSES = ("forest",)
"""Members that values do without: there it moved no score and took longer than all others together."""

_MAKERS: dict[str, Callable[..., Learner]] = {
    "mlp": Perceptron,
    "mlp-embedding": partial(Perceptron, ("embedding", *_PLAIN)),
    "extra-trees": partial(Forest, kind="extra", trees=100),
    "forest": partial(Forest, trees=100),
    "boosting": Boosting,
    "kernel": Kernel,
    "neighbours": Neighbours,
}
_CLASSES: dict[str, type[Learner]] = {
    "mlp": Perceptron,
    "mlp-embedding": Perceptron,
    "extra-trees": Forest,
    "forest": Forest,
    "boosting": Boosting,
    "kernel": Kernel,
    "neighbours": Neighbours,
}


def _maker(kind: str) -> Callable[..., Learner]:
    """Return what makes a member; "mlp-NAME" reads the vectors of the encoder NAME."""
    return _MAKERS.get(kind) or partial(Perceptron, (*_PLAIN, ENCODED + kind.removeprefix("mlp-")))


class Ensemble(Learner):
    """Members of different kinds, averaged with weights that validation rows chose.

    All read fingerprints and descriptors; "mlp-embedding" reads the backbone's embedding too, and is left
    out where there is no backbone; "forest" votes on classes alone. For each other encoder among the blocks
    there is one more member, "mlp-NAME", which reads its vectors.

    Parameters
    ----------
    blocks
        Names of the blocks that the members read.
    kinds
        Members; the default is :data:`KINDS`.
    weighting
        "stacked": weights by validation rows; "equal": none.
    refit
        Fit the members again on training and validation rows once the weights stand.
    """

    name: ClassVar[str] = "cytomol"
    summary: ClassVar[str] = (
        "perceptrons on the cell-aware embedding, trees, a Gaussian process and neighbours, stacked"
    )

    optional_embedding: ClassVar[bool] = True
    reads_encoders: ClassVar[bool] = True

    def __init__(
        self,
        blocks: tuple[str, ...] = ("embedding", *_PLAIN),
        kinds: Sequence[str] = KINDS,
        weighting: str = "stacked",
        *,
        refit: bool = False,
    ) -> None:
        self.blocks = blocks
        self.kinds = tuple(kinds)
        self.weighting = weighting
        self.refit_members = refit
        self.kind = "classification"
        self.weights: NDArray[np.float64] = np.zeros(0)
        self.fitted: list[Learner] = []
        self.held: NDArray[np.float64] | None = None
        self.details: dict[str, Any] = {}
        self.passes = ("cytomol",) if refit and weighting == "stacked" else ()
        self.before: tuple[Ensemble, float] | None = None

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Fit the members on the training rows, then their weights on the validation rows."""
        started, self.kind = time.perf_counter(), learning.kind
        if "embedding" not in self.blocks:
            self.kinds = tuple(kind for kind in self.kinds if kind != "mlp-embedding")
        if self.kind != "classification":
            self.kinds = tuple(kind for kind in self.kinds if kind not in _OF_CLASSES)
        encoded = [f"mlp-{name.removeprefix(ENCODED)}" for name in encoded_blocks(self.blocks)]
        self.kinds = tuple(dict.fromkeys((*self.kinds, *encoded)))
        self.fitted, seconds = self._fit_members(blocks, learning)
        held = {name: block[learning.valid] for name, block in blocks.items()}
        self.held = self.members(held)
        labels = measured_exactly(learning)[learning.valid]
        if self.weighting == "stacked":
            self.weights = stack(self.held, labels, self.kind)
        else:
            self.weights = np.full(len(self.kinds), 1 / len(self.kinds))
        self.details = {
            "weights": dict(zip(self.kinds, self.weights.round(4).tolist(), strict=True)),
            "seconds": seconds,
            "valid": {
                kind: score_tasks(labels, answer, learning.metric)[0]
                for kind, answer in zip(self.kinds, self.held, strict=True)
            },
        }
        if self.refit_members:
            self.before = self._without_refit(), time.perf_counter() - started
            self.fitted, _ = self._fit_members(
                blocks, replace(learning, train=learning.train | learning.valid)
            )

    def _fit_members(
        self, blocks: Mapping[str, Matrix], learning: Learning
    ) -> tuple[list[Learner], dict[str, float]]:
        """Return new members fitted on the training rows, and the seconds that each took."""
        fitted: list[Learner] = []
        seconds = {}
        for done, kind in enumerate(self.kinds):
            began = time.perf_counter()
            learning.step(done, len(self.kinds), kind)
            member = _maker(kind)()
            member.fit(blocks, replace(learning, step=_no_step))
            fitted.append(member)
            seconds[kind] = round(time.perf_counter() - began, 2)
        learning.step(len(self.kinds), len(self.kinds), "members")
        _share_scalers(fitted)
        return fitted, seconds

    def refit(self, blocks: Mapping[str, Matrix], learning: Learning) -> Ensemble:
        """Return members fitted on the training rows, with the weights that this one has."""
        new = self._without_refit()
        new.fitted, _ = self._fit_members(blocks, learning)
        return new

    def _without_refit(self) -> Ensemble:
        """Return the ensemble as it is now, which is that of a fit without refit."""
        before = copy.copy(self)
        before.refit_members, before.passes = False, ()
        return before

    def seconds(self, rows: int, columns: int) -> float | None:
        """Return about how long a fit takes on two processors, as the benchmark's rows have it."""
        alone = _SECONDS + _SECONDS_OF_A_ROW * rows + _SECONDS_OF_A_COLUMN * columns
        return alone * (1 + _SHARE_OF_A_PERCEPTRON * len(encoded_blocks(self.blocks)))

    def passed(self) -> Mapping[str, tuple[Learner, float]]:
        """Return the ensemble before its members were fitted again."""
        return dict.fromkeys(self.passes, self.before) if self.before is not None else {}

    def members(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the answers of the members, shape (members, m, columns)."""
        return np.stack([member.predict(blocks) for member in self.fitted])

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Return the weighted mean of the members."""
        return self.answer(blocks)[0]

    def answer(self, blocks: Mapping[str, Matrix]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the weighted mean, and the answers of the members."""
        members = self.members(blocks)
        return weighted_mean(members, self.weights, self.kind), members

    def held_out(
        self,
        blocks: Mapping[str, Matrix],
        learning: Learning,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what the members said of the validation rows before they were fitted again on them."""
        if self.held is None:  # restored, and its members have not seen these rows
            return super().held_out(blocks, learning)
        return weighted_mean(self.held, self.weights, self.kind), self.held

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the members' states, each under its kind, and their weights."""
        tables: dict[str, Any] = {}
        arrays: dict[str, NDArray[Any]] = {"weights": self.weights}
        if self.refit_members and self.held is not None:
            arrays["held"] = self.held
        for kind, member in zip(self.kinds, self.fitted, strict=True):
            tables[kind], own = member.state()
            arrays |= {f"{kind}/{name}": array for name, array in own.items()}
        table = {
            "blocks": list(self.blocks),
            "kinds": list(self.kinds),
            "weighting": self.weighting,
            "refit": self.refit_members,
            "kind": self.kind,
            "members": tables,
        }
        return table, arrays

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`state`."""
        saved = Checked(table, arrays, "ensemble")
        weighting = saved.word("weighting", ("stacked", "equal"))
        model = cls(saved.words("blocks"), saved.words("kinds"), weighting, refit=saved.flag("refit"))
        model.kind = saved.word("kind", ("classification", "regression"))
        model.weights = saved.array("weights", np.float64, "members", finite=True, low=0)
        if "held" in arrays:
            model.held = saved.array("held", np.float64, "members rows columns")
        members = Checked(saved.mapping("members"), arrays, "ensemble")
        if len(model.kinds) != len(model.weights) or not model.kinds:
            weights = counted(len(model.weights), "weight", comma=False)
            members_named = counted(len(model.kinds), "member", comma=False)
            raise ModelDirectoryError(f"ensemble: {weights} of {members_named}")
        for kind in model.kinds:
            if kind not in _CLASSES and not kind.startswith("mlp-"):
                raise ModelDirectoryError(f"ensemble: {kind[:40]!r} is no kind of member")
            own = members.below(kind, f"{kind}/")
            model.fitted.append(_CLASSES.get(kind, Perceptron).restore(own.table, own.arrays))
        _share_scalers(model.fitted)
        return model


def _share_scalers(members: Sequence[Learner]) -> None:
    """Let members that scale a block alike have one scaler, which then scales it once for all of them."""
    known: dict[str, list[ColumnScaler]] = {}
    for member in members:
        if not isinstance(member, MatrixLearner) or member.scaled is None:
            continue
        for name, scaler in member.scaled.scalers.items():
            alike = [one for one in known.setdefault(name, []) if same_scaling(one, scaler)]
            member.scaled.scalers[name] = alike[0] if alike else scaler
            known[name] += [] if alike else [scaler]


def _no_step(_done: int, _total: int, _what: str) -> None:
    """Members are the steps of an ensemble; theirs are not told."""


learners.register("cytomol")(Ensemble)
learners.register("cytomol-refit")(partial(Ensemble, refit=True))
