"""Simple ways to match molecules and profiles, which a model has to beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytomol.learners.tanimoto import CountSimilarity
from cytomol.registry import Registry

__all__ = ["Lesson", "simple_matchers"]

Matrix = NDArray[np.float32]
Rows = NDArray[np.float64]
_PENALTIES = (10.0, 30.0, 100.0, 300.0, 1000.0)
_COMPONENTS, _AXES = 100, 20


class Lesson(NamedTuple):
    """What a simple matcher learns from, and whom it has to match.

    Attributes
    ----------
    counts, profiles
        Morgan counts of the molecules of the training profiles, and these, robustly scaled and without NaN,
        float, shape (profiles, width) each.
    asked, measured
        The same of the candidates.
    """

    counts: Matrix
    profiles: Rows
    asked: Matrix
    measured: Rows


Places = tuple[Rows, Rows]
Match = Callable[[Lesson], Places]
"""Returns places of the asked molecules and of the measured profiles, rows of length 1."""

simple_matchers: Registry[Match] = Registry("simple matcher")


def _unit(rows: Rows) -> Rows:
    """Return rows at length 1; a row of zeros stays."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


@simple_matchers.register("neighbour")
def neighbour(lesson: Lesson) -> Places:
    """Expect of a molecule the profile of the most similar training molecule (MinMax on Morgan counts)."""
    alike = CountSimilarity(lesson.counts.astype(np.uint8))(lesson.asked.astype(np.uint8))
    best = alike.max(axis=1, keepdims=True)
    share = (alike >= best).astype(np.float64)
    expected = share @ lesson.profiles / share.sum(axis=1, keepdims=True)
    middle = lesson.profiles.mean(axis=0)
    return _unit(expected - middle), _unit(lesson.measured - middle)


@simple_matchers.register("ridge")
def ridge(lesson: Lesson) -> Places:
    """Expect what ridge regression from Morgan bits foretells; the penalty by leave-one-out error."""
    from sklearn.linear_model import RidgeCV

    bits = np.minimum(lesson.counts, 1).astype(np.float64)
    fitted = RidgeCV(_PENALTIES).fit(bits, lesson.profiles)
    middle = lesson.profiles.mean(axis=0)
    expected = fitted.predict(np.minimum(lesson.asked, 1).astype(np.float64))
    return _unit(expected - middle), _unit(lesson.measured - middle)


@simple_matchers.register("cca")
def cca(lesson: Lesson) -> Places:
    """Compare on the axes of canonical correlation of profiles and principal components of Morgan counts."""
    from sklearn.cross_decomposition import CCA
    from sklearn.decomposition import PCA

    logs = np.log1p(lesson.counts)
    components = min(_COMPONENTS, *(size - 1 for size in logs.shape))
    reduced = PCA(components, random_state=0).fit(logs)
    left = reduced.transform(logs)
    right = PCA(min(components, lesson.profiles.shape[1]), random_state=0).fit(lesson.profiles)
    axes = min(_AXES, left.shape[1], right.n_components_)
    fitted = CCA(axes, max_iter=2000, tol=1e-4).fit(left, right.transform(lesson.profiles))
    molecules, profiles = fitted.transform(
        reduced.transform(np.log1p(lesson.asked)), right.transform(lesson.measured)
    )
    return _unit(molecules), _unit(profiles)
