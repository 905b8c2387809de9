"""What is fitted on a fold: the recipe with all its members, and what stands beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from benchmarks.quality.repeated.answers import Answers
from benchmarks.quality.repeated.material import ENCODER, Division, Material
from numpy.typing import NDArray

from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Labels
from cytomol.assays.splits import kfold_of_blocks
from cytomol.learners import Learner, Learning
from cytomol.learners.base import Matrix
from cytomol.learners.blocks import ENCODED
from cytomol.learners.forest import Forest
from cytomol.learners.matrix import learnable
from cytomol.learners.perceptron import Perceptron
from cytomol.learners.stack import Ensemble

__all__ = ["PARTS", "READS_ENCODER", "fit_part"]

_CROSS = 5
_PLAIN = ("counts", "maccs", "descriptors")


def fit_part(part: str, material: Material, division: Division, seed: int) -> Answers:
    """Fit one of :data:`PARTS` and let it answer the rows that it has not seen.

    Labels of test rows reach no learner; values are learnt in units of their spread over the training rows.
    """
    return PARTS[part](material, division, seed)


def _recipe(material: Material, division: Division, seed: int) -> Answers:
    """Fit the members on the training rows; they answer the valid and the test rows."""
    encoding, learning = _learning(material, division.train, division.valid, seed)
    model = Ensemble()
    model.fit(material.blocks, learning)
    assert model.held is not None, "the ensemble keeps what it said of the valid rows"
    seconds = {kind: model.details["seconds"][kind] for kind in model.kinds}
    test = model.members(_rows(material.blocks, division.test))
    said = encoding.decode(model.held), encoding.decode(test)
    return _answers(material, division, learning, said, seconds)


def _single(name: str, make: Callable[[], Learner]) -> Callable[[Material, Division, int], Answers]:
    def fit(material: Material, division: Division, seed: int) -> Answers:
        encoding, learning = _learning(material, division.train, division.valid, seed)
        began = time.perf_counter()
        model = make()
        model.fit(material.blocks, learning)
        seconds = {name: time.perf_counter() - began}
        held, test = (
            encoding.decode(model.predict(_rows(material.blocks, rows)))[None]
            for rows in (learning.valid, division.test)
        )
        return _answers(material, division, learning, (held, test), seconds)

    return fit


def _crossfit(material: Material, division: Division, seed: int) -> Answers:
    """Fit the members on all rows that may be learnt from; five more fits say what they say of those rows."""
    seen = division.train | division.valid
    encoding, learning = _learning(material, seen, np.zeros_like(seen), seed)
    rows = np.flatnonzero(seen)
    held = np.full((len(Ensemble().kinds), len(material.labels), material.labels.shape[1]), np.nan)
    parts = kfold_of_blocks(material.groups[rows], folds=_CROSS, seed=seed)[0]
    began = time.perf_counter()
    for part in range(_CROSS):
        out = np.zeros_like(seen)
        out[rows[parts == part]] = True
        model = Ensemble()
        model.fit(material.blocks, replace(learning, train=learning.train & ~out, valid=learning.train & out))
        held[:, learning.train & out] = model.held
    # its weights are learnt on the held-out answers later: here they are equal ones
    whole = Ensemble(weighting="equal")
    whole.fit(material.blocks, replace(learning, valid=learning.train))
    seconds = dict.fromkeys(whole.kinds, (time.perf_counter() - began) / len(whole.kinds))
    test = whole.members(_rows(material.blocks, division.test))
    said = encoding.decode(held[:, learning.train]), encoding.decode(test)
    return _answers(material, division, replace(learning, valid=learning.train), said, seconds)


PARTS: dict[str, Callable[[Material, Division, int], Answers]] = {
    "recipe": _recipe,
    "forest": _single("forest", Forest),
    "minimol": _single(f"mlp-{ENCODER}", lambda: Perceptron((*_PLAIN, ENCODED + ENCODER))),
    "crossfit": _crossfit,
}
"""What can be fitted on a fold, by name, in the order in which it is."""

READS_ENCODER = frozenset({"minimol"})
"""Parts whose material holds the encoder's vectors."""


def _learning(
    material: Material, train: NDArray[np.bool_], valid: NDArray[np.bool_], seed: int
) -> tuple[Encoding, Learning]:
    """Return how values become answers, and what a learner is told; one thread fits."""
    names = [f"task {number}" for number in range(material.labels.shape[1])]
    kind = "classification" if material.kind == "classification" else "regression"
    labels = Labels.of_kind(names, material.labels, kind)
    encoding = Encoding.fit(labels, train)
    columns, _ = encoding.encode(labels)
    columns[~(train | valid)] = np.nan
    told = ~np.isnan(columns).all(axis=1)
    scale = {"center": encoding.center, "scale": encoding.scale}
    return encoding, Learning(
        columns, train & told, valid & told, material.kind, material.metric, seed, 1, **scale
    )


def _rows(blocks: Mapping[str, Matrix], rows: NDArray[np.bool_]) -> dict[str, Matrix]:
    return {name: block[rows] for name, block in blocks.items()}


def _answers(
    material: Material,
    division: Division,
    learning: Learning,
    said: tuple[NDArray[np.float64], NDArray[np.float64]],
    seconds: Mapping[str, float],
) -> Answers:
    """Put together what models said of held-out and of test rows, and the seconds that each took."""
    known = material.labels[learning.train]
    teaches = [learnable(column[~np.isnan(column)], material.kind) for column in known.T]
    return Answers(
        models=np.array(list(seconds), dtype=str),
        seconds=np.array(list(seconds.values())),
        kind=material.kind,
        metric=material.metric,
        held=said[0],
        held_labels=material.labels[learning.valid],
        test=said[1],
        test_labels=material.labels[division.test],
        learnable=np.array(teaches),
        rows=np.array([each.sum() for each in (learning.train, learning.valid, division.test)]),
    )
