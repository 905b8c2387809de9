"""Heads as a directory holds them, checked before any memory is taken for them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.learners.head.named_heads import build_head
from cytomol.learners.head.options import HeadOptions
from cytomol.nn.head import PropertyHead

__all__ = ["restored_heads", "saved_units"]


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


def restored_heads(saved: Checked, options: HeadOptions, *, kind: str, tasks: int) -> list[PropertyHead]:
    """Return heads with their saved weights, ready to predict.

    Raises
    ------
    ModelDirectoryError
        If the weights are not those of such heads; nothing is built that the weights do not fill.
    """
    inputs = saved.whole("inputs", 1, 10**8)
    with torch.device("meta"):
        expected = build_head(options, inputs, tasks, kind=kind).state_dict()
    states = []
    for member in range(options.ensemble):
        state = {}
        for name, tensor in expected.items():
            key = f"head.{member}.{name}"
            shape = " ".join(map(str, tensor.shape))
            if name.endswith("num_batches_tracked"):
                # a number on its own is an array of one in some directories
                array = saved.array(
                    key, np.int64, "1" if key in saved.arrays and saved.arrays[key].ndim else shape
                )
            else:
                low = 0 if name.endswith("running_var") else None
                array = saved.array(key, np.float32, shape, finite=True, low=low)
            state[name] = torch.from_numpy(np.array(array).reshape(tensor.shape))
        states.append(state)
    known = {f"head.{member}.{name}" for member in range(options.ensemble) for name in expected}
    if extra := sorted(name for name in saved.arrays if name.startswith("head.") and name not in known):
        raise ModelDirectoryError(f"{saved.part}: the array {extra[0]} belongs to no head")
    heads = []
    for state in states:
        with torch.device("meta"):  # weights that are replaced at once need not be drawn
            head = build_head(options, inputs, tasks, kind=kind)
        head.load_state_dict(state, assign=True)
        heads.append(head.eval())
    return heads
