"""Readout: the genes whose expression a molecule changes most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.context.criteria.base import Criterion, Inputs, criteria
from cytomol.context.edges import Edges

__all__ = ["ReadoutCriterion", "match_genes", "strongest"]


@criteria.register("readout")
class ReadoutCriterion(Criterion):
    """Join a molecule with the genes of the largest absolute expression in all of its modality.

    The weight is the absolute value divided by the 99th percentile of those kept, at most 1: dividing by the
    largest, which may be an outlier of 200 standard deviations, would leave all others next to nothing. With
    ``readout_weight="raw"`` it is the absolute value itself, as in the authors' code, and may exceed 1.
    """

    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return the edges of every expression modality of molecules whose columns name genes."""
        parts: list[Edges] = []
        facts: dict[str, dict[str, Any]] = {}
        fraction = inputs.options.readout_fraction  # of 0, there is no such edge
        for modality in inputs.corpus.modalities.values():
            if modality.kind != "expression" or modality.entity != "molecule" or not fraction:
                continue
            genes = match_genes(modality.columns, inputs.corpus.genes)
            named = int((genes >= 0).sum())
            facts[modality.name] = {"gene columns": named, "of": modality.width}
            if not named:
                continue
            values = modality.values  # noqa: PD011 (an array)
            rows, columns = strongest(values, fraction)
            rows, columns = rows[genes[columns] >= 0], columns[genes[columns] >= 0]
            size = np.abs(values[rows, columns])
            weight = size
            if inputs.options.readout_weight == "scaled" and len(size):
                weight = np.minimum(size / np.quantile(size, 0.99), 1)
            molecules = inputs.entity_nodes(modality)[rows]
            targets = inputs.offsets["gene"] + genes[columns]
            parts.append(Edges(molecules, targets, weight.astype(np.float32)))
            facts[modality.name]["least |value|"] = float(size.min()) if len(size) else None
        return Edges.concatenate(parts), facts


def match_genes(columns: Sequence[str], genes: pd.DataFrame) -> NDArray[np.int64]:
    """Return the gene that each column is named after, by the identifier that explains most columns.

    Parameters
    ----------
    columns
        Names of expression features.
    genes
        One row per gene; every column (``gene_id``, ``entrez_id``, symbols) is tried as identifier.

    Returns
    -------
    NDArray
        Row of the gene, int64, shape (columns,); -1 where no gene has that name. Columns that are merely
        numbered name no gene, although the numbers may exist as Entrez identifiers.
    """
    names = [str(name).strip() for name in columns]
    best = np.full(len(names), -1, np.int64)
    if any(names == [str(i + start) for i in range(len(names))] for start in (0, 1)):
        return best
    for identifier in genes.columns:
        known: dict[str, int] = {}
        for row, value in enumerate(genes[identifier]):
            if pd.notna(value):
                known.setdefault(_as_name(value), row)
        match = np.array([known.get(name, -1) for name in names], np.int64)
        if (match >= 0).sum() > (best >= 0).sum():
            best = match
    return best


def _as_name(value: object) -> str:
    """Write an identifier; whole numbers that pandas holds as floats lose their ".0"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def strongest(values: NDArray[np.float32], fraction: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the largest absolute values: ``fraction`` of all finite entries, at least one.

    Parameters
    ----------
    values
        Profiles, shape (profiles, width); entries that are not finite are no candidates.
    fraction
        Share of the entries wanted.

    Returns
    -------
    rows, columns
        Positions of exactly that many entries, fewer only where the rest is 0; of equal ones the first.
    """
    size = np.abs(values).ravel()
    finite = np.isfinite(size)
    size = np.where(finite, size, -1)
    wanted = int(min(max(round(fraction * int(finite.sum())), 1), size.size))
    if not wanted:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    least = np.partition(size, size.size - wanted)[size.size - wanted]
    above = np.flatnonzero(size > max(least, 0))
    equal = np.flatnonzero(size == least)[: wanted - len(above)] if least > 0 else above[:0]
    rows, columns = np.divmod(np.sort(np.concatenate([above, equal])), values.shape[1])
    return rows, columns
