"""Modalities of one kind joined side by side, as the authors' code has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cytomol.corpus.lift import mean_by_row
from cytomol.corpus.schema import Corpus, Modality

__all__ = ["pool_modalities"]


def pool_modalities(corpus: Corpus) -> Corpus:
    """Return the corpus with one modality for all profiles of genes, and one for each kind of molecules'.

    A joined modality is called after its parts (``a+b``), has their columns side by side (``a/column``) and
    one row for each molecule or gene with any of them, repeats averaged, NaN where a part was not measured.
    A modality that is alone in its kind stays as it is.
    """
    groups: dict[str, list[Modality]] = {}
    for modality in corpus.modalities.values():
        key = "gene" if modality.entity == "gene" else f"molecule {modality.kind}"
        groups.setdefault(key, []).append(modality)
    joined = [parts[0] if len(parts) == 1 else _join(parts) for parts in groups.values()]
    return replace(corpus, modalities={modality.name: modality for modality in joined})


def _join(parts: Sequence[Modality]) -> Modality:
    tables = [mean_by_row(part) for part in parts]
    rows = np.unique(np.concatenate([found for found, _ in tables]))
    values = np.full((len(rows), sum(part.width for part in parts)), np.nan, np.float32)
    first = 0
    for part, (found, means) in zip(parts, tables, strict=True):
        values[np.searchsorted(rows, found), first : first + part.width] = means
        first += part.width
    return Modality(
        name="+".join(part.name for part in parts),
        kind=parts[0].kind,
        entity=parts[0].entity,
        rows=rows,
        values=values,
        columns=tuple(f"{part.name}/{column}" for part in parts for column in part.columns),
        parts=tuple((part.name, part.width) for part in parts),
    )
