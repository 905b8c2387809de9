"""Losses against the authors' own numbers.

`slow` is held to arrays that the authors' modules gave, where these are at hand (they are not ours to
commit); our losses are held to `slow` on cases of their own.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cytomol.nn.quantizer import TreeQuantizer
from cytomol.objectives.consistency import vicreg
from cytomol.objectives.contrast import info_nce
from cytomol.objectives.quantization import code_loss, reverse_code_loss
from cytomol.objectives.sufficiency import walk_cross_entropy
from cytomol.training.dataset.targets import DenseTarget

_specification = importlib.util.spec_from_file_location("slow", Path(__file__).with_name("slow.py"))
assert _specification is not None
assert _specification.loader is not None
slow: Any = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(slow)

TOLERANCE = 1e-6


def arrays(name: str) -> dict[str, NDArray[Any]]:
    path = Path(os.environ.get("CYTOMOL_DATA", "")) / "fidelity" / f"{name}.npz"
    if not path.is_file():
        pytest.skip("the authors' numbers are not at hand: set CYTOMOL_DATA to the folder that holds them")
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def levels(codes: NDArray[np.float32], depth: int) -> list[NDArray[np.float64]]:
    ends = np.cumsum([2**level for level in range(1, depth + 1)])
    return [part.astype(np.float64) for part in np.split(codes, ends)[:-1]]


def tree_of(codes: NDArray[np.float32], depth: int) -> TreeQuantizer:
    book = TreeQuantizer(codes.shape[1], depth, reseed=False)
    book.codes.data = torch.from_numpy(codes)
    return book


def our_tree_loss(rows: NDArray[np.float32], book: TreeQuantizer, eta: float) -> tuple[torch.Tensor, float]:
    table = torch.from_numpy(rows)
    chosen, path, _ = book(table)
    codes = book.unit_codes()
    weight = torch.full((len(rows),), 1 / len(rows))
    reverse = reverse_code_loss(
        table, codes, book.level_sizes, eta, reached=book.reached(path), unreached_to_first=True
    )
    return path, float((code_loss(table, codes, chosen, eta, weight) + reverse).detach())


@pytest.mark.real_data
def test_alignment_of_the_authors() -> None:
    given = arrays("alignment")
    rows, others = given["zi"], given["zj"]
    truth = {"info_nce": float(given["info_nce"]), "vicreg": float(given["vicreg"])}
    assert slow.info_nce(rows.astype(float), others.astype(float), 0.2) == pytest.approx(
        truth["info_nce"], rel=TOLERANCE
    )
    assert slow.vicreg(rows.astype(float), others.astype(float)) == pytest.approx(
        truth["vicreg"], rel=TOLERANCE
    )
    left, right = torch.from_numpy(rows), torch.from_numpy(others)
    assert float(info_nce(left, right, 0.2)) == pytest.approx(truth["info_nce"], rel=TOLERANCE)
    assert float(vicreg(left, right, hinges="sum").total()) == pytest.approx(truth["vicreg"], rel=TOLERANCE)


@pytest.mark.real_data
def test_tree_of_the_authors() -> None:
    given = arrays("tree_vq")
    book = tree_of(given["codes"], 6)
    found = []
    for rows, path, loss in zip(given["rows"], given["paths"], given["loss_by_modality"], strict=True):
        slow_path, slow_loss = slow.tree(rows.astype(float), levels(given["codes"], 6), 1.0)
        assert (slow_path == path).all()
        assert slow_loss == pytest.approx(float(loss), rel=TOLERANCE)
        our_path, our_loss = our_tree_loss(rows, book, 1.0)
        assert (our_path.numpy() == path).all()
        assert our_loss == pytest.approx(float(loss), rel=TOLERANCE)
        found.append(our_loss)
    assert np.mean(found) == pytest.approx(float(given["loss"]), rel=TOLERANCE)


@pytest.mark.real_data
def test_walk_loss_of_the_authors() -> None:
    given = arrays("walk_loss")
    parts = [given[name] for name in ("node_values", "walks", "weights", "logits")]
    truth = float(given["infoalign"])
    assert float(given["chmr"]) == truth
    values, walks, weights, logits = parts
    assert slow.walk_loss(
        values.astype(float), walks, weights.astype(float), logits.astype(float), count_stuck=True
    ) == pytest.approx(truth, rel=TOLERANCE)
    assert our_walk_loss(values, walks, weights, logits, count_stuck=True) == pytest.approx(
        truth, rel=TOLERANCE
    )


def our_walk_loss(
    values: NDArray[np.float32],
    walks: NDArray[np.int64],
    weights: NDArray[np.float32],
    logits: NDArray[np.float32],
    *,
    count_stuck: bool,
) -> float:
    everything = np.ones(len(values), np.bool_)
    target = DenseTarget(0, values, everything, everything, count_stuck=count_stuck)
    sums = target.sums(walks, weights, validation=False)
    return float(walk_cross_entropy(torch.from_numpy(logits)[sums.rows], sums))


@pytest.mark.parametrize("seed", range(5))
def test_alignment(seed: int) -> None:
    draw = np.random.default_rng(seed)
    n, width = int(draw.integers(2, 12)), int(draw.integers(2, 9))
    rows, others = draw.normal(size=(2, n, width)).astype(np.float32) * draw.uniform(0.05, 3)
    left, right = torch.from_numpy(rows), torch.from_numpy(others)
    wide = rows.astype(float), others.astype(float)
    assert float(info_nce(left, right, 0.2)) == pytest.approx(slow.info_nce(*wide, 0.2), rel=2e-5)
    assert float(vicreg(left, right, hinges="sum").total()) == pytest.approx(slow.vicreg(*wide), rel=2e-5)


def test_hinges_are_averaged_where_asked() -> None:
    rows, others = torch.zeros(3, 2), torch.zeros(3, 2)
    hinge = 1 - 1e-2  # every column is constant: its deviation is the root of 1e-4
    assert float(vicreg(rows, others, hinges="sum").variance) == pytest.approx(2 * hinge)
    assert float(vicreg(rows, others).variance) == pytest.approx(hinge)


@pytest.mark.parametrize("seed", range(5))
def test_tree(seed: int) -> None:
    draw = np.random.default_rng(seed)
    depth, n, width, eta = int(draw.integers(1, 5)), int(draw.integers(1, 15)), 5, float(draw.uniform(0, 2))
    rows = draw.normal(size=(n, width)).astype(np.float32)
    codes = draw.normal(size=(2 ** (depth + 1) - 2, width)).astype(np.float32)
    path, loss = slow.tree(rows.astype(float), levels(codes, depth), eta)
    our_path, our_loss = our_tree_loss(rows, tree_of(codes, depth), eta)
    assert (our_path.numpy() == path).all()
    assert our_loss == pytest.approx(loss, rel=1e-5)


def test_codes_that_no_row_reaches_are_left_out_within() -> None:
    """One row goes one way: of the four codes of level 2, two are reached, and they alone count."""
    book = tree_of(np.eye(6, dtype=np.float32), 2)
    rows = torch.tensor([[0.1, 0.9, 0.0, 0.0, 0.3, 0.2]])
    path = book(rows).path
    assert path.tolist() == [[1, 2]]
    reached = book.reached(path)
    assert reached.tolist() == [[True, True, False, False, True, True]]
    direction = (rows / rows.norm())[0]
    distance = [1 - float(direction[code]) for code in range(6)]
    codes = book.unit_codes().detach()
    within = float(reverse_code_loss(rows, codes, book.level_sizes, 0.0, reached=reached))
    assert within == pytest.approx((np.mean(distance[:2]) + np.mean(distance[4:])) / 2)
    coded = reverse_code_loss(rows, codes, book.level_sizes, 0.0, reached=reached, unreached_to_first=True)
    assert float(coded) == pytest.approx((np.mean(distance[:2]) + np.mean(distance[2:])) / 2)


@pytest.mark.parametrize("count_stuck", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_walk_loss(seed: int, count_stuck: bool) -> None:
    draw = np.random.default_rng(seed)
    values = draw.uniform(size=(9, 4)).astype(np.float32)
    values[draw.random(values.shape) < 0.3] = np.nan
    walks = draw.integers(0, 9, size=(6, 4))
    weights = np.cumprod(draw.uniform(0.3, 1, size=(6, 4)), axis=1).astype(np.float32)
    weights[:2, 1:], walks[:2] = 0, walks[:2, :1]  # stuck from the start
    logits = draw.normal(size=(6, 4)).astype(np.float32)
    expected = slow.walk_loss(
        values.astype(float), walks, weights.astype(float), logits.astype(float), count_stuck=count_stuck
    )
    assert our_walk_loss(values, walks, weights, logits, count_stuck=count_stuck) == pytest.approx(
        expected, rel=1e-5
    )
