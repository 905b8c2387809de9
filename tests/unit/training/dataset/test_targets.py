"""Sums along walks against loops over molecules, steps and features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytomol.nn.batch import TargetSums
from cytomol.objectives.sufficiency import walk_cross_entropy
from cytomol.training.dataset.targets import BitTarget, DenseTarget


def _walks(seed: int, nodes: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    walk = rng.integers(0, nodes, (6, 4))
    weights = rng.random((6, 4)).astype(np.float32)
    weights[rng.random((6, 4)) < 0.2] = 0  # stuck
    return walk, weights


def _loop(
    walk: NDArray[np.int64],
    weights: NDArray[np.float32],
    first: int,
    values: NDArray[np.float32],
    usable: NDArray[np.bool_],
) -> dict[int, list[tuple[float, NDArray[np.float32]]]]:
    visits: dict[int, list[tuple[float, NDArray[np.float32]]]] = {}
    for i, (steps, path) in enumerate(zip(walk, weights, strict=True)):
        for node, weight in zip(steps, path, strict=True):
            row = node - first
            if 0 <= row < len(values) and weight > 0 and usable[row]:
                visits.setdefault(i, []).append((float(weight), values[row]))
    return visits


def _check(sums: TargetSums, visits: dict[int, list[tuple[float, NDArray[np.float32]]]], width: int) -> None:
    assert sums.rows.tolist() == sorted(visits)
    assert sums.value.shape == (len(visits), width)
    entries = 0
    for position, i in enumerate(sorted(visits)):
        weight, value, square = np.zeros(width), np.zeros(width), np.zeros(width)
        for w, features in visits[i]:
            seen = ~np.isnan(features)
            entries += int(seen.sum())
            weight[seen] += w
            value[seen] += w * features[seen]
            square[seen] += w * features[seen] ** 2
        assert np.allclose(np.broadcast_to(sums.weight[position], width), weight, atol=1e-5)
        assert np.allclose(sums.value[position], value, atol=1e-5)
        assert sums.square is not None
        assert np.allclose(sums.square[position], square, atol=1e-5)
    assert int(sums.entries) == entries


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=30, deadline=None)
def test_profiles(seed: int, validation: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((5, 7)).astype(np.float32)
    values[rng.random((5, 7)) < 0.3] = np.nan
    train, known = rng.random(5) < 0.5, rng.random(5) < 0.9
    walk, weights = _walks(seed, 12)
    sums = DenseTarget(4, values, train, known).sums(walk, weights, validation=validation)
    _check(sums, _loop(walk, weights, 4, values, known if validation else train), 7)


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=30, deadline=None)
def test_bits(seed: int, validation: bool) -> None:
    rng = np.random.default_rng(seed)
    bits = rng.random((6, 13)) < 0.4
    packed = np.packbits(bits, axis=1, bitorder="little")
    train, known = rng.random(6) < 0.5, rng.random(6) < 0.9
    walk, weights = _walks(seed, 9)
    sums = BitTarget(0, packed, 13, train, known).sums(walk, weights, validation=validation)
    _check(sums, _loop(walk, weights, 0, bits.astype(np.float32), known if validation else train), 13)


def test_nothing_visited_gives_empty_sums_and_no_loss() -> None:
    target = DenseTarget(100, np.ones((2, 3), np.float32), np.ones(2, np.bool_), np.ones(2, np.bool_))
    sums = target.sums(*_walks(0, 50), validation=False)
    assert sums.value.shape == (0, 3)
    assert float(walk_cross_entropy(torch.zeros(0, 3), sums)) == 0


def test_the_loss_of_sums_is_the_loss_over_nodes() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((5, 3)).astype(np.float32)
    everything = np.ones(5, np.bool_)
    walk, weights = _walks(1, 5)
    sums = DenseTarget(0, values, everything, everything).sums(walk, weights, validation=False)
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    total = entries = 0.0
    for i in range(6):
        for node, weight in zip(walk[i], weights[i], strict=True):
            if weight > 0:
                loss = torch.nn.functional.binary_cross_entropy_with_logits(
                    logits[i], torch.from_numpy(values[node]), reduction="sum"
                )
                total, entries = total + float(weight) * float(loss), entries + 3
    assert float(walk_cross_entropy(logits[sums.rows], sums)) == pytest.approx(total / entries, rel=1e-5)
