"""Two ideas that the recipe does not have, as models for :mod:`benchmarks.quality.levers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem

from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.learners.tanimoto import CountSimilarity

__all__ = ["Annotated", "annotated_neighbours", "correlations", "solve_tasks"]

_COUNTS = FeatureOptions(graph=False, morgan_radius=2, maccs=False, counts=True)
_FEWEST = 4
_LEAST_SIMILAR = 0.35
_TOLERANCE = 1e-3
_MOST_ITERATIONS = 100


@dataclass(frozen=True)
class Annotated:
    """Molecules of a corpus whose targets are known.

    Attributes
    ----------
    counts
        Morgan counts, uint8, shape (m, width).
    connectivity
        First block of each InChIKey, shape (m,).
    genes
        Which genes a molecule is annotated with, bool, shape (m, genes); rare genes are left out.
    """

    counts: NDArray[np.uint8]
    connectivity: NDArray[np.str_]
    genes: NDArray[np.bool_]

    @classmethod
    def read(cls, corpus: Path, without: Sequence[str]) -> Annotated:
        """Read a corpus folder, leaving out all that has the connectivity of the molecules ``without``."""
        molecules = pd.read_parquet(corpus / "molecules.parquet")
        relations = pd.read_parquet(corpus / "relations" / "compound_targets_gene.parquet")
        molecules["connectivity"] = molecules["inchikey"].str[:14]
        known = molecules["mol_id"].isin(set(relations["source"]))
        kept = molecules[known & ~molecules["connectivity"].isin(set(_connectivity(without)))]
        relations = relations[relations["source"].isin(set(kept["mol_id"]))]
        share = relations.groupby("target")["source"].nunique()
        often = share.index[share >= _FEWEST]
        relations = relations[relations["target"].isin(often)]
        genes = np.zeros((len(kept), len(often)), dtype=np.bool_)
        rows = pd.Index(kept["mol_id"]).get_indexer(pd.Index(relations["source"]))
        genes[rows, often.get_indexer(pd.Index(relations["target"]))] = True
        counts = featurize(kept["smiles"].tolist(), _COUNTS).dense("counts").astype(np.uint8)
        return cls(counts, kept["connectivity"].to_numpy(dtype=str), genes)


def annotated_neighbours(
    smiles: Sequence[str], counts: NDArray[np.uint8], known: Annotated
) -> NDArray[np.float32]:
    """Return, per gene, the highest Tanimoto coefficient with another molecule annotated with it.

    A molecule's own annotations are not looked at, in training as in testing. Below 0.35 it is 0: two
    molecules that are as alike as any say nothing of a target.

    Returns
    -------
    NDArray[np.float32]
        Shape (n, genes).
    """
    similar = CountSimilarity(known.counts)(counts)
    similar[np.array(_connectivity(smiles))[:, None] == known.connectivity[None, :]] = 0
    similar[similar < _LEAST_SIMILAR] = 0
    columns = [similar[:, known.genes[:, gene]].max(axis=1) for gene in range(known.genes.shape[1])]
    return np.stack(columns, axis=1).astype(np.float32)


def _connectivity(smiles: Sequence[str]) -> list[str]:
    molecules = (Chem.MolFromSmiles(text) for text in smiles)
    return ["" if molecule is None else Chem.MolToInchiKey(molecule)[:14] for molecule in molecules]


def correlations(labels: NDArray[np.float64], shrink: float = 20.0) -> NDArray[np.float64]:
    """Return the correlation of tasks over molecules that share them, made positive definite.

    Parameters
    ----------
    labels
        NaN where not measured, shape (n, tasks).
    shrink
        Molecules without correlation that are added to each pair.
    """
    measured = ~np.isnan(labels)
    spread = np.nanstd(labels, axis=0)
    z = np.where(measured, (labels - np.nanmean(labels, axis=0)) / np.where(spread > 0, spread, 1), 0.0)
    shared = measured.T.astype(np.float64) @ measured
    values, vectors = np.linalg.eigh(z.T @ z / (shared + shrink))
    positive = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(positive))
    return np.asarray(positive / scale[:, None] / scale[None, :])


def solve_tasks(
    K: NDArray[np.float64], tasks: NDArray[np.float64], labels: NDArray[np.float64], noise: float
) -> NDArray[np.float64]:
    """Solve a Gaussian process over molecules and tasks at once by conjugate gradients.

    The covariance of two measured values is that of their molecules times that of their tasks (Bonilla et
    al., NIPS 2007), so that what one task measured imputes what another did not.

    Parameters
    ----------
    K
        Covariance of molecules, shape (n, n).
    tasks
        Covariance of tasks, shape (t, t).
    labels
        Centred labels, NaN where not measured, shape (n, t).
    noise
        Variance of a measurement.

    Returns
    -------
    NDArray[np.float64]
        Weights W, shape (n, t): the posterior mean for other molecules is ``K_other @ W @ tasks``.
    """
    measured = ~np.isnan(labels)
    weights = np.zeros(labels.shape)
    residual = np.where(measured, labels, 0.0)
    direction, size = residual.copy(), float((residual**2).sum())
    first = size
    for _ in range(_MOST_ITERATIONS):
        if size <= _TOLERANCE**2 * first:
            break
        turned = measured * (K @ direction @ tasks) + noise * direction
        step = size / float((direction * turned).sum())
        weights += step * direction
        residual = residual - step * turned
        before, size = size, float((residual**2).sum())
        direction = residual + size / before * direction
    return weights
