"""Trained heads as arrays: saved, checked when restored, and answered in 64 bits without torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.learners.head.norms import norm_of
from cytomol.learners.head.options import HeadOptions
from cytomol.learners.loops import Loop, prange

__all__ = ["TrainedHeads", "saved_units"]

_ROWS = 4096  # at a time, which bounds the memory
_EPS = 1e-5  # torch's, which batch and layer normalisation add to a variance
_FIRST = "0.weight"
_ROOT = math.sqrt(0.5)
_CHEAP = 4  # numbers whose activation is as much work as a walk down a tree
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
        self._exact: dict[str, NDArray[np.float64]] = {}

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
        if not self._exact:
            names = [name for name in self.states[0] if name != _FIRST]
            stacked = {name: np.stack([state[name] for state in self.states]) for name in names}
            self._exact = {name: array.astype(np.float64) for name, array in stacked.items()}
        parts = []
        for start in range(0, max(len(X), 1), _ROWS):
            rows = X[start : start + _ROWS]
            used = np.flatnonzero(rows.any(axis=0))
            inputs = rows[:, used].astype(np.float64)
            products = [inputs @ state[_FIRST].T[used].astype(np.float64) for state in self.states]
            parts.append(_answer(self._exact, np.stack(products)))
        return np.concatenate(parts, axis=1)

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


def _answer(states: Mapping[str, NDArray[np.float64]], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outputs of heads whose arrays are stacked, from the products of inputs and first weights.

    Shape (heads, n, hidden) -> (heads, n, tasks).
    """
    place = 0
    while True:
        x += states[f"{place}.bias"][:, None]
        if f"{place + _MODULES}.weight" not in states:
            return x
        by_row, gain, offset = _norm(states, f"{place + 1}.", (len(x), x.shape[2]))
        _activate(x.reshape(-1, x.shape[2]), by_row, gain, offset, work=x.size // _CHEAP)
        place += _MODULES
        x = x @ states[f"{place}.weight"].swapaxes(1, 2)


def _norm(
    states: Mapping[str, NDArray[np.float64]], prefix: str, shape: tuple[int, int]
) -> tuple[bool, NDArray[np.float64], NDArray[np.float64]]:
    """Return whether rows are normalised first, then gain and offset of every column, (heads, width) each."""
    if prefix + "weight" not in states:
        return False, np.ones(shape), np.zeros(shape)
    gain, offset = states[prefix + "weight"], states[prefix + "bias"]
    if prefix + "running_mean" not in states:
        return True, gain, offset
    gain = gain / np.sqrt(states[prefix + "running_var"] + _EPS)
    return False, gain, offset - states[prefix + "running_mean"] * gain


@Loop
def _activate(
    x: NDArray[np.float64], by_row: bool, gain: NDArray[np.float64], offset: NDArray[np.float64]
) -> None:
    """Normalise and apply GELU (Hendrycks & Gimpel 2016) in place, x of shape (heads * n, width)."""
    rows, width = x.shape
    each = rows // len(gain)
    for row in prange(rows):
        head = row // each
        mean, scale = 0.0, 1.0
        if by_row:
            for column in range(width):
                mean += x[row, column]
            mean /= width
            variance = 0.0
            for column in range(width):
                variance += (x[row, column] - mean) ** 2
            scale = 1.0 / math.sqrt(variance / width + _EPS)
        for column in range(width):
            value = (x[row, column] - mean) * scale * gain[head, column] + offset[head, column]
            x[row, column] = 0.5 * value * (1.0 + math.erf(value * _ROOT))
