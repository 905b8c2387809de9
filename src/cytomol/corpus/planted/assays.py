"""Planted assays: some read the structure, some the cell's response; few molecules are labelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from cytomol.corpus.planted.biology import DEPTH, Biology
from cytomol.corpus.planted.library import core_chemotypes

__all__ = ["Folds", "choose_folds", "plant_assays"]

_MEASURED = 0.85  # share of (assay molecule, task) pairs that were measured
_NOISE = 0.12  # sd of assay noise, in units of the sd of the noiseless score
_HALOGENS = Chem.MolFromSmarts("[F,Cl,Br,I]")

_Property = Callable[[Chem.Mol], float]
_STRUCTURE_TASKS: dict[str, tuple[str, _Property, float]] = {
    "structure_lipophilic": (
        "Crippen logP",
        lambda mol: float(rdMolDescriptors.CalcCrippenDescriptors(mol)[0]),
        0.5,
    ),
    "structure_polar": ("topological polar surface", rdMolDescriptors.CalcTPSA, 0.4),
    "structure_halogen": ("halogen atoms", lambda mol: float(len(mol.GetSubstructMatches(_HALOGENS))), 0.4),
    "structure_aromatic": (
        "aromatic rings less half the donors",
        lambda mol: rdMolDescriptors.CalcNumAromaticRings(mol) - 0.5 * rdMolDescriptors.CalcNumHBD(mol),
        0.4,
    ),
}
"""Task -> (what it reads, that property of a molecule, share of positives)."""

_RESPONSE_TASKS = (
    "response_viability",
    "response_stress",
    "response_reporter",
    "response_secretion",
    "response_shape",
)
_POSITIVES = 0.35


@dataclass(frozen=True)
class Folds:
    """The molecules of the assays and their folds.

    Attributes
    ----------
    rows
        Molecule rows, int64, sorted.
    fold
        "train", "valid" or "test" for each.
    """

    rows: NDArray[np.int64]
    fold: NDArray[np.object_]


def _fold_sizes(size: int, labelled: int | None) -> dict[str, int]:
    train = labelled if labelled is not None else int(np.clip(0.12 * size, min(100, 0.4 * size), 1_000))
    return {
        "train": train,
        "valid": max(20, train // 3),
        "test": int(np.clip(0.2 * size, 60, 4_000)),
    }


def choose_folds(core: NDArray[np.integer], rng: np.random.Generator, labelled: int | None = None) -> Folds:
    """Choose the molecules that assays measured, no core in two folds.

    Four of eight cores are for training, one for validation, three for the test, over all chemotypes:
    the test asks what unseen cores do.
    """
    chemotype = core_chemotypes()
    cores = rng.permutation(np.unique(core))
    cores = cores[np.argsort(chemotype[cores], kind="stable")]  # neighbours share a chemotype
    fold_of_core = np.empty(len(chemotype), dtype=object)
    pattern = ("train", "test", "train", "test", "train", "valid", "test", "train")
    fold_of_core[cores] = [pattern[number % len(pattern)] for number in range(len(cores))]
    fold = fold_of_core[core]
    chosen = [
        rng.permutation(np.flatnonzero(fold == name))[:count]
        for name, count in _fold_sizes(len(core), labelled).items()
    ]
    rows = np.sort(np.concatenate(chosen))
    return Folds(rows, fold[rows])


def _unit(vector: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def _response_scores(
    response: NDArray[np.float32], biology: Biology, rng: np.random.Generator
) -> tuple[dict[str, NDArray[np.float64]], list[dict[str, object]]]:
    """Score = max(response . a, response . b): either of two pathways, of different families, trips it."""
    scores: dict[str, NDArray[np.float64]] = {}
    recipes: list[dict[str, object]] = []
    family = biology.targets["family"].to_numpy()
    for number, task in enumerate(_RESPONSE_TASKS):
        first = number % len(np.unique(family))
        other = rng.choice(np.flatnonzero(family != first) >> (DEPTH - 4))  # a mechanism of another family
        a = _unit(biology.leaf_response[family == first].mean(axis=0))
        b = _unit(biology.leaf_response[biology.targets["mechanism"] == other].mean(axis=0))
        scores[task] = np.maximum(*(np.einsum("nr,r->n", response, one) for one in (a, b)))
        recipes.append({"task": task, "driver": "response", "reads": f"family {first} or mechanism {other}"})
    return scores, recipes


def _structure_scores(smiles: list[str]) -> tuple[dict[str, NDArray[np.float64]], list[dict[str, object]]]:
    molecules = [Chem.MolFromSmiles(one) for one in smiles]
    scores = {
        task: np.array([compute(mol) for mol in molecules])
        for task, (_, compute, _) in _STRUCTURE_TASKS.items()
    }
    recipes: list[dict[str, object]] = [
        {"task": task, "driver": "structure", "reads": what}
        for task, (what, _, _) in _STRUCTURE_TASKS.items()
    ]
    return scores, recipes


def plant_assays(
    smiles: list[str], response: NDArray[np.float32], biology: Biology, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the labels of the assay molecules and what each task reads.

    Parameters
    ----------
    smiles
        The assay molecules, length n.
    response
        Their responses, float32 (n, response width).
    biology
        The planted biology.
    rng
        Source of randomness.

    Returns
    -------
    DataFrame
        ``smiles`` and one column per task: 0, 1 or NaN (not measured).
    DataFrame
        ``task``, ``driver`` ("structure" or "response"), ``reads``, ``threshold`` (of the score).
    """
    response_scores, recipes = _response_scores(response, biology, rng)
    structure_scores, more = _structure_scores(smiles)
    table: dict[str, object] = {"smiles": smiles}
    recipes += more
    for recipe, (task, score) in zip(recipes, {**response_scores, **structure_scores}.items(), strict=True):
        share = _STRUCTURE_TASKS[task][2] if task in _STRUCTURE_TASKS else _POSITIVES
        noisy = score + _NOISE * score.std() * rng.normal(size=len(score))
        threshold = float(np.quantile(noisy, 1 - share))
        label = (noisy > threshold).astype(float)
        label[rng.random(len(label)) > _MEASURED] = np.nan
        table[task] = label
        recipe["threshold"] = threshold
    return pd.DataFrame(table), pd.DataFrame(recipes)
