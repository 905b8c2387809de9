"""Coordinates: determined by the seed, and like lies by like."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from cytomol.errors import ConfigError, InputError, MissingDependencyError
from cytomol.evaluate.alignment.drawn_coordinates import drawn


def _clouds() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(20, 6)), rng.normal(size=(20, 6)) + 30]).astype(np.float32)


def test_like_lies_by_like_and_the_seed_decides() -> None:
    places = drawn(_clouds(), seed=3)
    assert places.shape == (40, 2)
    np.testing.assert_array_equal(places, drawn(_clouds(), seed=3))
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert ((distance.argmin(axis=1) < 20) == (np.arange(40) < 20)).all()


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(InputError, match="9 rows are too few"):
        drawn(_clouds()[:9])
    with pytest.raises(ConfigError, match="known: tsne, umap, pacmap"):
        drawn(_clouds(), "pca")  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["umap", "pacmap"])
def test_a_package_that_is_absent_is_named(way: str) -> None:
    if importlib.util.find_spec(way) is not None:
        assert drawn(_clouds(), way).shape == (40, 2)  # type: ignore[arg-type]
        return
    with pytest.raises(MissingDependencyError, match="needs the package"):
        drawn(_clouds(), way)  # type: ignore[arg-type]
