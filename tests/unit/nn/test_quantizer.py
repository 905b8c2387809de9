"""Routing against brute force, and codes that stay alive."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cytomol.errors import ConfigError
from cytomol.nn.quantizer import DEAD_AFTER, CodeBook, FlatQuantizer, TreeQuantizer, quantizers


def brute_force(rows: Tensor, codes: Tensor, depth: int) -> list[list[int]]:
    """Walk each row down a dictionary of codes (level, node), by cosine distance."""
    book = {
        (level, node): codes[2**level - 2 + node] for level in range(1, depth + 1) for node in range(2**level)
    }
    paths = []
    for row in rows:
        node, path = 0, []
        for level in range(1, depth + 1):
            distance = [
                1 - float(row @ book[level, child]) / float(row.norm() * book[level, child].norm())
                for child in (2 * node, 2 * node + 1)
            ]
            node = 2 * node + (1 if distance[1] < distance[0] - 1e-7 else 0)
            path.append(node)
        paths.append(path)
    return paths


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(0, 12), st.integers(0, 10_000))
def test_routing_is_brute_force(depth: int, rows: int, seed: int) -> None:
    torch.manual_seed(seed)
    quantizer = TreeQuantizer(6, depth).eval()
    values = torch.randn(rows, 6)
    result = quantizer(values)
    assert result.path.shape == result.chosen.shape == (rows, depth)
    assert result.path.tolist() == brute_force(values, quantizer.codes.detach(), depth)


def test_flat_takes_the_nearest_of_all() -> None:
    torch.manual_seed(0)
    quantizer = FlatQuantizer(6, 4).eval()
    values = torch.randn(20, 6)
    cosine = torch.nn.functional.cosine_similarity(values[:, None], quantizer.codes[None], dim=2)
    assert torch.equal(quantizer(values).path[:, 0], cosine.argmax(dim=1))


@pytest.mark.parametrize("name", ["tree", "flat"])
def test_output_is_the_code_with_the_gradient_of_the_row(name: str) -> None:
    torch.manual_seed(0)
    quantizer = quantizers[name](6, 3)
    values = torch.randn(5, 6, requires_grad=True)
    chosen, _, output = quantizer(values)
    expected = quantizer.unit_codes()[chosen[:, -1]] * values.norm(dim=1, keepdim=True)
    torch.testing.assert_close(output, expected)
    direction = torch.randn(5, 6)
    (output * direction).sum().backward()
    torch.testing.assert_close(values.grad, direction)


@pytest.mark.parametrize("name", ["tree", "flat"])
def test_dead_codes_come_back(name: str) -> None:
    """Rows in two narrow bundles use few codes at first, and all codes of the first levels in the end."""
    torch.manual_seed(0)
    centres = torch.randn(2, 8)
    rows = (centres.repeat(600, 1) + 0.3 * torch.randn(1200, 8)).float()

    def used(reseed: bool) -> int:
        torch.manual_seed(1)
        quantizer = quantizers[name](8, 4, reseed=reseed)
        for _ in range(120):
            quantizer(rows)
        return len(quantizer.eval()(rows).chosen.unique())

    total = {"tree": 30, "flat": 16}[name]
    assert used(reseed=False) < 0.8 * total
    assert used(reseed=True) > 0.9 * total


def test_reseeding_is_deterministic_and_for_training_only() -> None:
    rows = torch.randn(3000, 8, generator=torch.Generator().manual_seed(0)).abs()

    def train(training: bool) -> TreeQuantizer:
        torch.manual_seed(1)
        quantizer = TreeQuantizer(8, 3).train(training)
        for _ in range(10):
            quantizer(rows)
        return quantizer

    assert torch.equal(train(training=True).codes, train(training=True).codes)
    torch.manual_seed(1)
    fresh = TreeQuantizer(8, 3)
    idle = train(training=False)
    assert torch.equal(idle.codes, fresh.codes)
    assert not idle.idle.any()
    assert not torch.equal(train(training=True).codes, fresh.codes)


class Slow:
    """Counts use and re-seeds with loops over codes and rows that take part."""

    def __init__(self, book: CodeBook) -> None:
        self.tree = isinstance(book, TreeQuantizer)
        self.sizes = book.level_sizes
        self.codes = book.codes.detach().clone()
        self.idle = book.idle.tolist()

    def choose(self, rows: Tensor) -> list[list[int]]:
        """Return the code of each row at each level, numbered over all levels."""
        if not self.tree:
            return [[int((self.codes @ row).argmax())] for row in rows]
        paths = brute_force(rows, self.codes, len(self.sizes))
        return [[2**level - 2 + node for level, node in enumerate(path, start=1)] for path in paths]

    def train(self, rows: Tensor) -> None:
        """Take one batch in."""
        rows = rows / rows.norm(dim=1, keepdim=True)
        chosen = self.choose(rows)
        level_of = [level for level, size in enumerate(self.sizes) for _ in range(size)]
        self.idle = [
            0 if any(codes[level_of[k]] == k for codes in chosen) else idle + len(rows)
            for k, idle in enumerate(self.idle)
        ]
        dead = [k for k, idle in enumerate(self.idle) if idle > DEAD_AFTER * self.sizes[level_of[k]]]
        before = self.codes.clone()

        def fit(row: int, code: int) -> float:
            return float(rows[row] @ before[code])

        if self.tree:
            pairs = []
            for k in dead:
                sibling = k + 1 if k % 2 == 0 else k - 1
                members = [i for i, codes in enumerate(chosen) if codes[level_of[k]] == sibling]
                if len(members) > 1:
                    pairs.append((k, min(members, key=lambda i: fit(i, sibling))))
        else:
            pairs = list(
                zip(dead, sorted(range(len(rows)), key=lambda i: fit(i, chosen[i][0])), strict=False)
            )
        for k, row in pairs:
            self.codes[k], self.idle[k] = rows[row], 0


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["tree", "flat"]),
    st.integers(1, 4),
    st.tuples(st.integers(0, 14), st.sampled_from([0.0, 0.5, 1.0, None])),
    st.sampled_from([0.2, 1.5, 40.0]),
    st.integers(0, 10_000),
)
def test_reseeding_is_the_slow_way(
    name: str, depth: int, batch: tuple[int, float | None], age: float, seed: int
) -> None:
    """Of no, few and all codes, whichever rows take part."""
    rows, share = batch
    torch.manual_seed(seed)
    book = quantizers[name](6, depth)
    book.idle.copy_((age * DEAD_AFTER * torch.rand(len(book.codes))).long())
    slow = Slow(book)
    for _ in range(3):
        values = torch.randn(rows, 6)
        part = None if share is None else torch.rand(rows) < share
        chosen, _, _ = book(values, part)
        slow.train(values if part is None else values[part])
        torch.testing.assert_close(book.codes.detach(), slow.codes)
        assert book.idle.tolist() == slow.idle
        assert chosen.tolist() == slow.choose(values)


def test_counters_are_saved() -> None:
    quantizer = TreeQuantizer(8, 3)
    quantizer(torch.randn(5, 8))
    other = TreeQuantizer(8, 3)
    other.load_state_dict(quantizer.state_dict())
    assert torch.equal(other.idle, quantizer.idle)
    assert other.idle.any()


def test_unknown_name() -> None:
    with pytest.raises(ConfigError, match=r"known: .*flat, .*tree"):
        quantizers["hexagonal"]


_ON_META = """
import sys, torch
from cytomol.nn.quantizer import TreeQuantizer
with torch.device("meta"):
    made = TreeQuantizer(8, 3)
assert made.codes.is_meta and made.codes.shape == (14, 8)
assert "torch._dynamo" not in sys.modules, "the compiler is loaded"
"""


def test_a_model_that_is_about_to_be_loaded_does_not_load_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", _ON_META], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


@pytest.mark.parametrize("name", quantizers.names())
def test_codes_begin_at_unit_length_and_patience_by_the_size_of_the_level(name: str) -> None:
    codes = quantizers[name](6, 2)
    torch.testing.assert_close(codes.codes.norm(dim=1), torch.ones(len(codes.codes)))
    of_levels = [DEAD_AFTER * size for size in codes.level_sizes for _ in range(size)]
    assert codes.patience.tolist() == of_levels
    assert codes.patience.dtype == torch.int64
