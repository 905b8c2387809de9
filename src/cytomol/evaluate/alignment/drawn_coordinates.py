"""Places of many dimensions drawn in two: what the papers' figures show, as numbers."""

from __future__ import annotations

import importlib
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import agreeing
from cytomol.errors import ConfigError, InputError, MissingDependencyError

__all__ = ["FEWEST", "Drawing", "drawn"]

Drawing = Literal["tsne", "umap", "pacmap"]
FEWEST = 10
_PACKAGES = {"umap": "umap-learn", "pacmap": "pacmap"}


def drawn(places: NDArray[np.float32], way: Drawing = "tsne", *, seed: int = 0) -> NDArray[np.float32]:
    """Return two coordinates for each row, float32, shape (n, 2).

    Parameters
    ----------
    places
        Shape (n, d), without NaN.
    way
        "tsne" (scikit-learn), or "umap" or "pacmap" where that package is installed.
    seed
        Seed of everything random.

    Raises
    ------
    ConfigError
        If the way is unknown.
    MissingDependencyError
        If its package is absent.
    InputError
        If there are fewer than ten rows.

    References
    ----------
    van der Maaten and Hinton, JMLR 9 (2008); McInnes et al., arXiv 1802.03426; Wang et al., JMLR 22 (2021).

    Examples
    --------
    >>> drawn(np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)).shape
    (12, 2)
    """
    if way not in get_args(Drawing):
        raise ConfigError(f"unknown drawing {way!r}", hint=f"known: {', '.join(get_args(Drawing))}")
    if len(places) < FEWEST:
        rows = agreeing(len(places), "row", "is", "are")
        raise InputError(f"{rows} too few to be drawn", hint=f"at least {FEWEST}")
    return np.asarray(_reducer(way, len(places), seed).fit_transform(places), dtype=np.float32)


def _reducer(way: Drawing, rows: int, seed: int) -> Any:
    if way == "tsne":
        from sklearn.manifold import TSNE

        return TSNE(perplexity=min(30.0, (rows - 1) / 3), random_state=seed)
    try:
        package = importlib.import_module(way)
    except ImportError:
        raise MissingDependencyError(
            f"drawing by {way} needs the package {_PACKAGES[way]}",
            hint=f"pip install {_PACKAGES[way]}, or draw by tsne",
        ) from None
    if way == "umap":
        return package.UMAP(random_state=seed, n_neighbors=min(15, rows - 1))
    return package.PaCMAP(random_state=seed, n_neighbors=min(10, rows - 1))
