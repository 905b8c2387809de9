"""One profile per molecule: repeats averaged, profiles of genes lifted to the molecules that target them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cytomol.corpus.schema import Corpus, Modality
from cytomol.errors import InputError

__all__ = ["lift_gene_profiles", "mean_by_row", "molecule_profiles", "molecule_targets"]

_COLUMNS = 8  # features averaged at a time: in float64, a table's sums and counts are many times the table


def molecule_profiles(corpus: Corpus, name: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return one profile per molecule: the mean of its repeats, missing values left out.

    Profiles of genes are lifted to molecules by :func:`lift_gene_profiles`.

    Parameters
    ----------
    corpus
        The corpus.
    name
        Name of the modality.

    Returns
    -------
    rows
        Molecules that have a profile, sorted and unique, int64, shape (m,).
    values
        Their profiles, float32, shape (m, width); NaN where nothing was measured.
    """
    modality = _modality(corpus, name)
    if modality.entity == "gene":
        return lift_gene_profiles(corpus, name)
    return mean_by_row(modality)


def lift_gene_profiles(corpus: Corpus, name: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return, for each molecule with a profiled target, the mean profile of the genes it targets.

    The published pretraining sets list gene profiles by targeting molecule in the same sense; here
    a molecule with several targets gets their mean. Repeats of a gene are averaged first.

    Parameters
    ----------
    corpus
        The corpus; every molecule-gene relation counts, links of weight <= 0 do not.
    name
        Name of a modality of genes.

    Returns
    -------
    rows
        Molecules, sorted and unique, int64, shape (m,).
    values
        Lifted profiles, float32, shape (m, width).

    Raises
    ------
    InputError
        If the modality does not exist or is not one of genes.
    """
    modality = _modality(corpus, name)
    if modality.entity != "gene":
        raise InputError("holds profiles of molecules, which need no lifting", where=f"modality {name}")
    genes, profiles = mean_by_row(modality)
    position = np.full(len(corpus.genes), -1, np.int64)
    position[genes] = np.arange(len(genes))
    molecule, gene = molecule_targets(corpus)
    profiled = position[gene] >= 0
    rows, group = np.unique(molecule[profiled], return_inverse=True)
    return rows.astype(np.int64), _group_mean(group, position[gene[profiled]], profiles, len(rows))


def molecule_targets(corpus: Corpus) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct pairs of molecule and targeted gene over all relations (weight > 0).

    Returns
    -------
    molecule, gene
        Rows of the corpus, int64, shape (pairs,), sorted by molecule, then gene.
    """
    pairs = [np.empty((0, 2), np.int64)]
    for relation in corpus.relations.values():
        kept = relation.weight > 0
        match relation.source_entity, relation.target_entity:
            case "molecule", "gene":
                pairs.append(np.stack([relation.source[kept], relation.target[kept]], axis=1))
            case "gene", "molecule":
                pairs.append(np.stack([relation.target[kept], relation.source[kept]], axis=1))
    distinct = np.unique(np.concatenate(pairs), axis=0)
    return distinct[:, 0], distinct[:, 1]


def _modality(corpus: Corpus, name: str) -> Modality:
    if name not in corpus.modalities:
        raise InputError(
            f"no modality {name}", hint=f"this corpus has {', '.join(corpus.modalities) or 'none'}"
        )
    return corpus.modalities[name]


def mean_by_row(modality: Modality) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the entities that have a profile, sorted, and the mean of the repeats of each."""
    rows, group = np.unique(modality.rows, return_inverse=True)
    if len(rows) == len(modality):
        order = np.argsort(modality.rows)
        return modality.rows[order], modality.values[order]
    members = np.arange(len(modality), dtype=np.int64)
    return rows.astype(np.int64), _group_mean(group, members, modality.values, len(rows))


def _group_mean(
    group: NDArray[np.int64], member: NDArray[np.int64], values: NDArray[np.float32], groups: int
) -> NDArray[np.float32]:
    """Average ``values[member]`` within each group, without NaN; float32, shape (groups, width)."""
    ones = np.ones(len(group), np.float64)
    gather = sparse.csr_matrix((ones, (group, member)), shape=(groups, len(values)))
    mean = np.full((groups, values.shape[1]), np.nan, np.float32)
    for first in range(0, values.shape[1], _COLUMNS):
        part = values[:, first : first + _COLUMNS]
        measured = ~np.isnan(part)
        total = gather @ np.where(measured, part, 0).astype(np.float64)
        count = gather @ measured.astype(np.float64)
        known = count > 0
        np.divide(total, count, out=total, where=known)
        np.copyto(mean[:, first : first + _COLUMNS], total, where=known, casting="same_kind")
    return mean
