"""Scaled blocks side by side: where each lies, and what scaling is fitted on."""

from __future__ import annotations

import numpy as np

from cytomol.learners.blocks import ScaledBlocks

RNG = np.random.default_rng(0)
BLOCKS = {
    "embedding": RNG.normal(3, 2, (12, 4)).astype(np.float32),
    "1d": RNG.integers(0, 2, (12, 6)).astype(np.float32),
    "descriptors": RNG.normal(0, 50, (12, 3)).astype(np.float32),
}
HOW = {"descriptors": "quantile", "embedding": "standard"}
TRAIN = np.arange(12) < 8


def test_blocks_lie_where_they_are_said_to_lie() -> None:
    blocks = ScaledBlocks(("embedding", "1d", "descriptors"))
    blocks.fit(BLOCKS, TRAIN, {})
    matrix = blocks.transform(BLOCKS)
    for name, block in BLOCKS.items():
        np.testing.assert_array_equal(matrix[:, blocks.place(name, BLOCKS)], block)
    np.testing.assert_array_equal(blocks.transform(BLOCKS, only=["1d"]), BLOCKS["1d"])


def test_scaling_is_fitted_on_the_training_rows_alone() -> None:
    first, second = ScaledBlocks(tuple(BLOCKS)), ScaledBlocks(tuple(BLOCKS))
    first.fit(BLOCKS, TRAIN, HOW)
    other = {name: np.where(TRAIN[:, None], block, 1e4).astype(np.float32) for name, block in BLOCKS.items()}
    second.fit(other, TRAIN, HOW)
    np.testing.assert_array_equal(first.transform(BLOCKS), second.transform(BLOCKS))
    scaled = first.transform(BLOCKS, only=["embedding"])[TRAIN]
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-4)


def test_what_is_kept_scales_the_same() -> None:
    blocks = ScaledBlocks(tuple(BLOCKS))
    blocks.fit(BLOCKS, TRAIN, HOW, embedding_scale=0.3)
    again = ScaledBlocks.restore(blocks.names, blocks.arrays())
    np.testing.assert_array_equal(again.transform(BLOCKS), blocks.transform(BLOCKS))
    np.testing.assert_allclose(again.transform(BLOCKS, only=["embedding"])[TRAIN].std(axis=0), 0.3, rtol=1e-4)
