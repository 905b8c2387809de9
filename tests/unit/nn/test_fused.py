"""The fused layer against the same computation in double precision, by torch's own operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cytomol.nn import encoder as encoders
from cytomol.nn import fused, linear
from cytomol.nn import threads as sharing
from cytomol.nn.batch import GraphBatch
from cytomol.nn.choice import plain_operations
from cytomol.nn.encoder import GraphEncoder

ATOMS, BONDS = (119, 5, 12, 12, 10, 6, 6, 2, 2), (5, 6, 2)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Numbers of threads, whatever the machine has; few rows are enough for a second one."""
    monkeypatch.setattr(sharing, "threads_for", lambda rows: min(request.param, max(rows, 1)))
    return int(request.param)


def trees(atom_counts: list[int], seed: int = 0) -> GraphBatch:
    """Return random trees, edges sorted by target; a count of 0 is an invalid molecule."""
    draw = np.random.default_rng(seed)
    edges, first = [], 0
    for count in atom_counts:
        for atom in range(1, count):
            other = int(draw.integers(atom))
            edges += [(first + atom, first + other), (first + other, first + atom)]
        first += count
    index = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
    features = torch.from_numpy(np.stack([draw.integers(0, n, len(edges)) for n in BONDS], axis=1))
    order = torch.argsort(index[1], stable=True)
    return GraphBatch(
        atoms=torch.from_numpy(np.stack([draw.integers(0, n, first) for n in ATOMS], axis=1)),
        edge_index=index[:, order].contiguous(),
        edge_features=features[order],
        molecule=torch.repeat_interleave(torch.arange(len(atom_counts)), torch.tensor(atom_counts)),
        size=len(atom_counts),
    )


def build(**options: Any) -> GraphEncoder:
    """Return an encoder without zeros at the start, so that none hides a fault."""
    torch.manual_seed(0)
    encoder = GraphEncoder(ATOMS, BONDS, **{"width": 20, "layers": 3, "dropout": 0.0, **options})
    for name, parameter in encoder.named_parameters():
        if name.endswith(("eps", "virtual", "bias")) or name == "bonds.weight":
            torch.nn.init.normal_(parameter.data, std=0.1)
    for name, buffer in encoder.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    return encoder


def plain(encoder: GraphEncoder, graph: GraphBatch) -> Tensor:
    """Run an encoder without the fused functions."""
    with plain_operations():
        result: Tensor = encoder(graph)
        return result


def errors(ours: Tensor, theirs: Tensor, exact: Tensor) -> tuple[float, float]:
    """Return how far both are from the exact numbers, relative to the largest of these."""
    scale = float(exact.detach().abs().max()) or 1.0
    return float((ours - exact).detach().abs().max()) / scale, float(
        (theirs - exact).detach().abs().max()
    ) / scale


COUNTS = [[40, 0, 25, 1, 33], [1] * 90, [7, 100], [30] * 12]


@pytest.fixture
def onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fused functions multiply as on a processor where oneDNN is the faster library."""
    if not linear._has_onednn():
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(linear, "onednn_is_faster", lambda: True)
    monkeypatch.setattr(fused, "onednn_is_faster", lambda: True)


@pytest.mark.parametrize("counts", COUNTS)
def test_training_by_onednn_equals_double_precision(counts: list[int], threads: int, onednn: None) -> None:
    """Also where its factors get rows of zeros up to a round number."""
    test_training_equals_double_precision(counts, "sum", threads)


@pytest.mark.parametrize("readout", ["sum", "max"])
@pytest.mark.parametrize("counts", COUNTS)
def test_training_equals_double_precision(counts: list[int], readout: str, threads: int) -> None:
    graph = trees(counts)
    ours, torchs, exact = (build(readout=readout).train() for _ in range(3))
    exact.double()
    direction = torch.randn(len(counts), 20, generator=torch.Generator().manual_seed(1))
    outputs = ours(graph), plain(torchs, graph), plain(exact, graph)
    own, other = errors(*outputs)
    assert own <= max(1e-5, 3 * other)
    for output in outputs:
        (output * direction).sum().backward()
    largest = max(float(p.grad.abs().max()) for p in exact.parameters() if p.grad is not None)
    for (name, a), b, c in zip(ours.named_parameters(), torchs.parameters(), exact.parameters(), strict=True):
        assert all(p.grad is not None for p in (a, b, c)), name
        if float(c.grad.abs().max()) < 1e-9 * largest:  # in front of a batch norm: zero but for rounding
            assert float(a.grad.abs().max()) < 1e-5 * largest, name
            continue
        own, other = errors(a.grad, b.grad, c.grad)
        assert own <= max(1e-4, 3 * other), name
    for (name, a), c in zip(ours.named_buffers(), exact.buffers(), strict=True):
        torch.testing.assert_close(a.double(), c.double(), rtol=1e-5, atol=1e-5, msg=name)


@pytest.mark.parametrize("readout", ["sum", "max"])
@pytest.mark.parametrize("counts", COUNTS)
def test_evaluation_equals_double_precision(counts: list[int], readout: str, threads: int) -> None:
    graph, ours = trees(counts), build(readout=readout).eval()
    exact = build(readout=readout).double().eval()
    with torch.no_grad():
        own, other = errors(ours(graph), plain(ours, graph), plain(exact, graph))
    assert own <= max(1e-5, 3 * other)


@given(counts=st.lists(st.integers(0, 40), min_size=1, max_size=12), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_molecules_do_not_see_each_other(counts: list[int], seed: int) -> None:
    """In evaluation a molecule's code is the same alone and in any company."""
    encoder, graph = build().eval(), trees([*counts, 70], seed)
    with torch.no_grad():
        together = encoder(graph)
        inside = graph.molecule == len(counts)
        first = int((~inside).sum())
        edges = graph.edge_index[1] >= first
        alone = GraphBatch(
            atoms=graph.atoms[inside],
            edge_index=graph.edge_index[:, edges] - first,
            edge_features=graph.edge_features[edges],
            molecule=torch.zeros(70, dtype=torch.int64),
            size=1,
        )
        difference = (encoder(alone)[0] - together[-1]).abs().max()
        assert float(difference) <= 2e-5 * float(together[-1].abs().max())


def test_dropout_drops_its_share_and_keeps_the_expectation() -> None:
    torch.manual_seed(0)
    mlp = torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Linear(16, 8)
    )
    norm, dropout = encoders.BatchNorm(8), encoders.Dropout(0.3)
    rows, base = torch.randn(20_000, 8), torch.zeros(20_000, 8)
    with_drop = fused.perceive(rows, base, mlp, norm, dropout, rectified=False)
    without = fused.perceive(rows, base, mlp, norm, encoders.Dropout(0.0), rectified=False)
    kept = with_drop != 0
    assert abs(float(kept.float().mean()) - 0.7) < 0.005
    torch.testing.assert_close(with_drop[kept], without[kept] / 0.7, rtol=1e-4, atol=1e-5)


def test_dropped_elements_have_no_gradient() -> None:
    torch.manual_seed(0)
    mlp = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 4)
    )
    norm, dropout = encoders.BatchNorm(4), encoders.Dropout(0.5)
    result = fused.perceive(torch.randn(200, 4), torch.zeros(200, 4), mlp, norm, dropout, rectified=False)
    given_gradient = (result.detach() == 0).float()  # only where nothing passes
    result.backward(given_gradient)
    for parameter in [*mlp.parameters(), *norm.parameters()]:
        assert parameter.grad is not None
        assert not parameter.grad.any()


@pytest.mark.parametrize("readout", ["sum", "max"])
@pytest.mark.parametrize("training", [True, False])
def test_half_products_stay_as_near_as_torchs_autocast(training: bool, readout: str) -> None:
    """bfloat16 has 8 bits: compare with what autocast makes of torch's own operations."""
    graph = trees([40, 25, 60, 33])
    results = []
    for half, run in ((True, lambda e, g: e(g)), (True, plain), (False, plain)):
        encoder = build(width=64, readout=readout).train(training)
        with torch.set_grad_enabled(training), torch.autocast("cpu", torch.bfloat16, enabled=half):
            output = run(encoder, graph).float()
        assert output.dtype == torch.float32
        gradients = []
        if training:
            output.sum().backward()
            gradients = [p.grad for n, p in encoder.named_parameters() if n.endswith("mlp.0.weight")]
        results.append([output.detach(), *gradients])
    for ours, theirs, exact in zip(*results, strict=True):
        own, other = errors(ours, theirs, exact)
        assert 0 < own <= 2 * other


def test_same_seed_same_numbers() -> None:
    graph, results = trees([40, 25, 60]), []
    for _ in range(2):
        encoder = build(dropout=0.5).train()
        torch.manual_seed(3)
        output = encoder(graph)
        output.sum().backward()
        results.append([output.detach(), *(p.grad for p in encoder.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("change", ["weight", "moment", "load", "train"])
def test_what_was_folded_follows_the_weights(change: str) -> None:
    graph, encoder = trees([40, 30]), build().eval()
    with torch.no_grad():
        before = encoder(graph)
        if change == "weight":
            encoder.virtual_mlps[0][0].weight.mul_(1.5)
        elif change == "moment":
            encoder.layers[1].norm.running_var.mul_(2)
        elif change == "load":
            encoder.load_state_dict({k: v * 1.1 for k, v in encoder.state_dict().items()})
        else:
            encoder.train()
            encoder.layers[0].mlp[0].weight.data.mul_(1.5)
            encoder.eval()
        after = encoder(graph)
        assert not torch.equal(before, after)
        torch.testing.assert_close(after, plain(encoder, graph), rtol=1e-4, atol=1e-3)


def test_evaluation_in_inference_mode() -> None:
    graph, encoder = trees([40, 30]), build().eval()
    with torch.inference_mode():
        encoder(graph)
    with torch.no_grad():
        torch.testing.assert_close(encoder(graph), plain(encoder, graph), rtol=1e-4, atol=1e-3)


def test_nan_is_not_swallowed() -> None:
    encoder = build().train()
    encoder.layers[0].mlp[0].weight.data[0, 0] = torch.nan
    assert encoder(trees([40, 30])).isnan().any()
    with torch.no_grad():
        assert encoder.eval()(trees([40, 30])).isnan().any()
