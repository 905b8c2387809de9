"""Heads as arrays answer what torch's modules do, and are checked when they are restored."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.learners.head.named_heads import build_head
from cytomol.learners.head.norms import NormName
from cytomol.learners.head.options import HeadOptions
from cytomol.learners.head.trained_heads import TrainedHeads
from cytomol.nn.head import PropertyHead

NORMS = get_args(NormName)
INPUTS, TASKS = 12, 3


def options(norm: str = "batch", **changes: Any) -> HeadOptions:
    return HeadOptions.build({"hidden": 7, "hidden_layers": 2, "ensemble": 2, "norm": norm, **changes})


def trained(chosen: HeadOptions, seed: int = 0) -> list[PropertyHead]:
    """Return heads whose every number is drawn, what normalisations remember too."""
    torch.manual_seed(seed)
    heads = []
    for _ in range(chosen.ensemble):
        head = build_head(chosen, INPUTS, TASKS, kind="classification").eval()
        for tensor in head.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape) + 0.1)
        heads.append(head)
    return heads


@settings(max_examples=60, deadline=None)
@given(
    norm=st.sampled_from(NORMS),
    layers=st.integers(1, 3),
    rows=st.integers(0, 6),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**16),
)
def test_answers_are_those_of_the_modules(norm: str, layers: int, rows: int, share: float, seed: int) -> None:
    heads = trained(options(norm, hidden_layers=layers), seed)
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, INPUTS)).astype(np.float32) * (rng.random((rows, INPUTS)) < share)
    found = TrainedHeads.of(heads).outputs(X)
    assert found.shape == (2, rows, TASKS)
    assert found.dtype == np.float64
    for head, answer in zip(heads, found, strict=True):
        with torch.no_grad():
            exact = head.double()(torch.from_numpy(X).double()).numpy()
        np.testing.assert_allclose(answer, exact, rtol=1e-12, atol=1e-12)


def test_many_rows_are_answered_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = TrainedHeads.of(trained(options()))
    X = np.random.default_rng(0).standard_normal((25, INPUTS)).astype(np.float32)
    alone = heads.outputs(X)
    monkeypatch.setattr("cytomol.learners.head.trained_heads._ROWS", 4)
    np.testing.assert_allclose(heads.outputs(X), alone, rtol=1e-13)


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_saved_comes_back(norm: str) -> None:
    chosen = options(norm)
    heads = TrainedHeads.of(trained(chosen))
    saved = Checked({"inputs": heads.inputs}, heads.arrays(), "head")
    again = TrainedHeads.restore(saved, chosen, kind="classification", tasks=TASKS)
    assert [set(state) for state in again.states] == [set(state) for state in heads.states]
    assert all(array.flags.c_contiguous for array in heads.arrays().values())
    X = np.random.default_rng(0).standard_normal((4, INPUTS)).astype(np.float32)
    np.testing.assert_array_equal(again.outputs(X), heads.outputs(X))


def test_a_counter_of_one_place_is_a_number() -> None:
    chosen = options()
    heads = TrainedHeads.of(trained(chosen))
    arrays = {
        name: array.reshape(1) if name.endswith("tracked") else array
        for name, array in heads.arrays().items()
    }
    again = TrainedHeads.restore(
        Checked({"inputs": INPUTS}, arrays, "head"), chosen, kind="classification", tasks=TASKS
    )
    assert again.states[0]["1.num_batches_tracked"].shape == ()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("head.0.0.weight", None, "head.0.0.weight is missing"),
        ("head.0.0.weight", np.zeros((7, 13), np.float32), "head.0.0.weight"),
        ("head.1.8.bias", np.zeros(TASKS), "float32"),
        ("head.0.1.running_var", np.full(7, -1, np.float32), "below 0"),
        ("head.0.4.bias", np.full(7, np.inf, np.float32), "infinite"),
        ("head.2.0.weight", np.zeros((7, INPUTS), np.float32), "belongs to no head"),
        ("head.0.1.num_batches_tracked", np.zeros(2, np.int64), "num_batches_tracked"),
    ],
)
def test_what_is_no_head_is_refused(name: str, value: Any, message: str) -> None:
    chosen = options()
    arrays = {**TrainedHeads.of(trained(chosen)).arrays(), name: value}
    if value is None:
        del arrays[name]
    with pytest.raises(ModelDirectoryError, match=message):
        TrainedHeads.restore(
            Checked({"inputs": INPUTS}, arrays, "head"), chosen, kind="classification", tasks=TASKS
        )


def test_answering_needs_no_torch() -> None:
    code = "import cytomol.learners.stack, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
