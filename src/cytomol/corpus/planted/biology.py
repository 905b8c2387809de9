"""The planted biology: a binary tree of mechanisms, genes at its leaves, and the rule from structure to leaf.

Levels of the tree: 2 steps from the root choose the family (4), 4 the mechanism (16), 5 the target (32).
A leaf acts on the cell by a response vector: the sum over the steps of a signed direction that belongs
to the branching point, each level weaker than the one above. So two targets respond the more alike, the
deeper their paths part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.planted.fragments import PHARMACOPHORES
from cytomol.corpus.planted.library import CHEMOTYPES, core_chemotypes

__all__ = ["DEPTH", "RESPONSE_WIDTH", "Biology", "molecule_biology", "plant_biology"]

DEPTH = 5
RESPONSE_WIDTH = 12
"""Width of the response: 11 dimensions of mechanism, one of unspecific stress (the last)."""

_CLASSES = 8
_LEVEL_SCALE = (1.1, 1.0, 0.9, 0.7, 0.4)
_OWN_CLASS = 0.5  # share of the cores of a chemotype whose class is that of the chemotype; the rest are mixed
_ORTHOGONAL_LEVELS = 3  # levels whose branching points all have directions of their own
_UNEXPLAINED = 0.03  # binding molecules whose target structure does not explain
_IDIOSYNCRASY = 0.12  # sd of the part of a response that belongs to the molecule alone


@dataclass(frozen=True)
class Biology:
    """What holds for every molecule and gene.

    Attributes
    ----------
    targets
        One row per leaf: ``target``, ``path`` ("01101"), ``family``, ``mechanism``, and the structural
        rule that leads there: ``core_class``, ``pharmacophore`` (index).
    leaf_response
        Response to each leaf's full inhibition, float32 (32, RESPONSE_WIDTH).
    core_class
        Class of each core, int8 (cores,).
    leaf_of
        Leaf of (core class, pharmacophore), int8 (8, 4).
    """

    targets: pd.DataFrame
    leaf_response: NDArray[np.float32]
    core_class: NDArray[np.int8]
    leaf_of: NDArray[np.int8]


def path_bits(leaf: NDArray[np.integer] | int) -> NDArray[np.int8]:
    """Return the steps from the root to ``leaf``, most significant first, int8 (..., DEPTH)."""
    leaf = np.asarray(leaf)
    return ((leaf[..., None] >> np.arange(DEPTH - 1, -1, -1)) & 1).astype(np.int8)


def _core_classes(cores: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int8]:
    """Give half the cores the class of their chemotype and deal the classes of the others among them.

    A chemotype hints at the class, and no more: what a new core does cannot be read off its looks.
    """
    chemotype = core_chemotypes()
    core_class = rng.permutation(_CLASSES)[chemotype]
    mixed = []
    for number in range(len(CHEMOTYPES)):
        members = rng.permutation(cores[chemotype[cores] == number])
        mixed.append(members[round(_OWN_CLASS * len(members)) :])
    pool = np.concatenate(mixed)
    core_class[pool] = rng.permutation(core_class[pool])
    return core_class.astype(np.int8)


def _leaf_table() -> NDArray[np.int8]:
    """Return the leaf of every (core class, pharmacophore): each leaf once.

    With class bits c0 c1 c2 and pharmacophore bits p0 p1 the path is
    c0, c1^p0, p1, p0, c2: every family holds every pharmacophore and four classes, so neither alone
    tells the family.
    """
    core_class, pharmacophore = np.meshgrid(
        np.arange(_CLASSES), np.arange(len(PHARMACOPHORES)), indexing="ij"
    )
    c0, c1, c2 = core_class >> 2, core_class >> 1 & 1, core_class & 1
    p0, p1 = pharmacophore >> 1, pharmacophore & 1
    steps = (c0, c1 ^ p0, p1, p0, c2)
    leaf = sum(step << (DEPTH - 1 - level) for level, step in enumerate(steps))
    return np.asarray(leaf).astype(np.int8)


def _leaf_responses(rng: np.random.Generator) -> NDArray[np.float32]:
    width = RESPONSE_WIDTH - 1
    leaves = np.arange(2**DEPTH)
    steps = path_bits(leaves)
    response = np.zeros((len(leaves), RESPONSE_WIDTH))
    basis, _ = np.linalg.qr(rng.normal(size=(width, width)))
    for level, scale in enumerate(_LEVEL_SCALE):
        directions = rng.normal(size=(2**level, width))
        if level < _ORTHOGONAL_LEVELS:
            directions = basis[2**level - 1 : 2 ** (level + 1) - 1]
        directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        sign = 2.0 * steps[:, level] - 1
        response[:, :width] += scale * sign[:, None] * directions[leaves >> (DEPTH - level)]
    return response.astype(np.float32)


def plant_biology(cores: NDArray[np.int64], rng: np.random.Generator) -> Biology:
    """Return the tree of mechanisms, its responses, and the rule from structure to leaf.

    Parameters
    ----------
    cores
        The cores in use, rows of ``CORE_TABLE``.
    rng
        Source of randomness.
    """
    core_class, leaf_of = _core_classes(cores, rng), _leaf_table()
    leaves = np.arange(2**DEPTH)
    rule_class, rule_pharmacophore = np.empty_like(leaves), np.empty_like(leaves)
    for (of_class, of_pharmacophore), leaf in np.ndenumerate(leaf_of):
        rule_class[leaf], rule_pharmacophore[leaf] = of_class, of_pharmacophore
    targets = pd.DataFrame(
        {
            "target": leaves,
            "path": ["".join(map(str, bits)) for bits in path_bits(leaves)],
            "family": leaves >> (DEPTH - 2),
            "mechanism": leaves >> 1,
            "core_class": rule_class,
            "pharmacophore": rule_pharmacophore,
        }
    )
    return Biology(targets, _leaf_responses(rng), core_class, leaf_of)


def molecule_biology(
    molecules: pd.DataFrame, biology: Biology, rng: np.random.Generator
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Return what each molecule does to the cell.

    Parameters
    ----------
    molecules
        Table of :func:`~cytomol.corpus.planted.library.sample_molecules`.
    biology
        The planted biology.
    rng
        Source of randomness.

    Returns
    -------
    DataFrame
        ``core_class``, ``target`` (leaf, -1 for inactive molecules), ``mechanism``, ``family`` (-1
        likewise), ``path`` ("" likewise), ``efficacy`` (0 for inactive molecules), ``explained`` (False
        where the target does not follow from the structure).
    ndarray
        Responses, float32 (molecules, RESPONSE_WIDTH).
    """
    count = len(molecules)
    core_class = biology.core_class[molecules["core"].to_numpy()]
    binds = molecules["binds"].to_numpy()
    leaf = np.where(
        binds, biology.leaf_of[core_class, np.maximum(molecules["pharmacophore"].to_numpy(), 0)], -1
    ).astype(np.int8)
    unexplained = binds & (rng.random(count) < _UNEXPLAINED)
    leaf[unexplained] = rng.integers(2**DEPTH, size=int(unexplained.sum()))

    lipophilicity = molecules["lipophilicity"].to_numpy()
    centred = (lipophilicity - 1.9) / 1.25  # mean and sd over the library
    efficacy = 0.75 + 0.35 * np.tanh(0.8 * centred + 0.5 * rng.normal(size=count))
    efficacy = np.where(leaf >= 0, efficacy, 0.0).astype(np.float32)
    response = _IDIOSYNCRASY * rng.normal(size=(count, RESPONSE_WIDTH)).astype(np.float32)
    response += efficacy[:, None] * biology.leaf_response[leaf] * (leaf >= 0)[:, None]
    response[:, -1] += 1.2 * np.maximum(centred - 0.3, 0)
    paths = np.append(biology.targets["path"].to_numpy(dtype=object), "")
    table = pd.DataFrame(
        {
            "core_class": core_class,
            "target": leaf,
            "mechanism": np.where(leaf >= 0, leaf >> 1, -1).astype(np.int8),
            "family": np.where(leaf >= 0, leaf >> (DEPTH - 2), -1).astype(np.int8),
            "path": paths[leaf],
            "efficacy": efficacy,
            "explained": ~unexplained,
        }
    )
    return table, response.astype(np.float32)
