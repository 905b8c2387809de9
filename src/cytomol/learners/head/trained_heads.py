"""Trained heads as arrays: saved, checked when restored, and answered in 64 bits without torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.learners.head.norms import norm_of
from cytomol.learners.head.options import HeadOptions

__all__ = ["TrainedHeads", "saved_units"]

_ROWS = 4096  # at a time, which bounds the memory
_EPS = 1e-5  # torch's, which batch and layer normalisation add to a variance
_FIRST = "0.weight"
_MODULES = 4  # of a hidden layer: linear, normalisation, GELU, dropout


class _Module(Protocol):
    """What torch's modules have."""

    def state_dict(self) -> Mapping[str, Any]: ...


class TrainedHeads:
    """Heads of one shape, whose outputs are averaged.

    Parameters
    ----------
    states
        Arrays of each head under the names that :class:`~cytomol.nn.head.PropertyHead` has for them: of
        linear layers ``weight`` (outputs, inputs) and ``bias``, of normalisations ``weight``, ``bias`` and
        what they remember, float32.
    """

    def __init__(self, states: Sequence[Mapping[str, NDArray[Any]]] = ()) -> None:
        # the weights of an input side by side, as the inputs of few molecules are taken out of them
        self.states = [{**state, _FIRST: np.asfortranarray(state[_FIRST])} for state in states]
        self._exact: list[dict[str, NDArray[np.float64]]] = []

    @classmethod
    def of(cls, heads: Sequence[_Module]) -> Self:
        """Take the weights of heads that were trained, on the CPU."""
        return cls([{name: tensor.numpy() for name, tensor in head.state_dict().items()} for head in heads])

    def __len__(self) -> int:
        return len(self.states)

    @property
    def inputs(self) -> int:
        """Width of what the heads read."""
        return int(self.states[0][_FIRST].shape[1])

    def outputs(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return logits or values, (n, inputs) -> (heads, n, tasks).

        In 64 bits, so that an answer does not depend on which molecules are asked for together. Columns that
        are zero in every row are left out: of a fingerprint's most are, for few molecules.
        """
        if len(self._exact) != len(self.states):
            self._exact = [
                {name: array.astype(np.float64) for name, array in state.items() if name != _FIRST}
                for state in self.states
            ]
        firsts = [state[_FIRST].T for state in self.states]
        parts = []
        for start in range(0, max(len(X), 1), _ROWS):
            rows = X[start : start + _ROWS]
            used = np.flatnonzero(rows.any(axis=0))
            inputs = rows[:, used].astype(np.float64)
            parts.append(
                [
                    _answer(exact, inputs @ first[used].astype(np.float64))
                    for first, exact in zip(firsts, self._exact, strict=True)
                ]
            )
        return np.stack([np.concatenate(head) for head in zip(*parts, strict=True)])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what the heads are restored from."""
        return {
            f"head.{member}.{name}": np.ascontiguousarray(array).reshape(array.shape)
            for member, state in enumerate(self.states)
            for name, array in state.items()
        }

    @classmethod
    def restore(cls, saved: Checked, options: HeadOptions, *, kind: str, tasks: int) -> Self:
        """Return heads with their saved weights.

        Raises
        ------
        ModelDirectoryError
            If the weights are not those of such heads.
        """
        expected = dict(_shapes(options, saved.whole("inputs", 1, 10**8), tasks, kind=kind))
        states = []
        for member in range(options.ensemble):
            state = {}
            for name, shape in expected.items():
                key = f"head.{member}.{name}"
                if name.endswith("num_batches_tracked"):
                    # a number on its own is an array of one in some directories
                    one = "1" if key in saved.arrays and saved.arrays[key].ndim else ""
                    state[name] = saved.array(key, np.int64, one).reshape(())
                else:
                    low = 0 if name.endswith("running_var") else None
                    state[name] = saved.array(key, np.float32, shape, finite=True, low=low)
            states.append(state)
        known = {f"head.{member}.{name}" for member in range(options.ensemble) for name in expected}
        if extra := sorted(name for name in saved.arrays if name.startswith("head.") and name not in known):
            raise ModelDirectoryError(f"{saved.part}: the array {extra[0]} belongs to no head")
        return cls(states)


def saved_units(saved: Checked) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return center and scale of the tasks, and which were learnt, shape (tasks,) each.

    Raises
    ------
    ModelDirectoryError
        If they are not so.
    """
    center = saved.array("center", np.float64, "tasks", finite=True)
    scale = saved.array("scale", np.float64, "tasks", finite=True)
    return center, scale, saved.array("trained", np.uint8, "tasks", high=1).astype(bool)


def _shapes(options: HeadOptions, inputs: int, tasks: int, *, kind: str) -> Iterator[tuple[str, str]]:
    """Yield name and shape of every array of a head."""
    norm, hidden, layers = norm_of(options, kind), options.hidden, options.hidden_layers
    for layer in range(layers):
        place = _MODULES * layer
        yield f"{place}.weight", f"{hidden} {inputs}"
        yield f"{place}.bias", f"{hidden}"
        if norm != "none":
            yield f"{place + 1}.weight", f"{hidden}"
            yield f"{place + 1}.bias", f"{hidden}"
        if norm == "batch":
            yield f"{place + 1}.running_mean", f"{hidden}"
            yield f"{place + 1}.running_var", f"{hidden}"
            yield f"{place + 1}.num_batches_tracked", ""
        inputs = hidden
    yield f"{_MODULES * layers}.weight", f"{tasks} {inputs}"
    yield f"{_MODULES * layers}.bias", f"{tasks}"


def _answer(state: Mapping[str, NDArray[np.float64]], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a head's outputs (n, tasks), from the products of inputs and first weights (n, hidden)."""
    place = 0
    while True:
        x = x + state[f"{place}.bias"]
        if f"{place + _MODULES}.weight" not in state:
            return x
        x = _normalised(x, state, f"{place + 1}.")
        x *= 0.5 * (1 + erf(x / math.sqrt(2)))  # GELU (Hendrycks & Gimpel 2016)
        place += _MODULES
        x = x @ state[f"{place}.weight"].T


def _normalised(
    x: NDArray[np.float64], state: Mapping[str, NDArray[np.float64]], prefix: str
) -> NDArray[np.float64]:
    """Return a layer's outputs, normalised as the head does it when it is not trained."""
    if prefix + "weight" not in state:
        return x
    if prefix + "running_mean" in state:
        mean, variance = state[prefix + "running_mean"], state[prefix + "running_var"]
    else:
        mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(variance + _EPS) * state[prefix + "weight"] + state[prefix + "bias"]
