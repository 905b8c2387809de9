"""A table of links becomes a relation: which columns, whose ids, which weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.genes import GeneIndex, join_genes
from cytomol.corpus.identifiers import as_ids, entity_of_column
from cytomol.corpus.join import JoinKey, MoleculeIndex, join_molecules
from cytomol.corpus.problems import JoinReport, Problems
from cytomol.corpus.schema import Entity, Relation
from cytomol.corpus.tables import read_ids, relation_weights
from cytomol.errors import InputError

__all__ = ["end_columns", "read_relation"]


def read_relation(
    path: Path,
    *,
    name: str,
    source: Entity | None,
    target: Entity | None,
    molecules: MoleculeIndex,
    genes: GeneIndex,
    problems: Problems,
    key: JoinKey = "auto",
) -> Relation:
    """Read links between molecules and genes; links whose ends are unknown are left out, with a note.

    Parameters
    ----------
    path
        Table with columns ``source``, ``target`` and, if links differ in strength, ``weight``.
    name
        Name of the relation.
    source, target
        What the columns hold; None tells it by which table knows more of the ids.
    molecules, genes
        Where ids are looked up.
    problems
        Receives what does not join.
    key
        How molecules are looked up.

    Raises
    ------
    InputError
        If a column is missing, the table is empty, a weight lies outside [-1, 1], or nothing joins.
    """
    frame = read_ids(path, ("source", "target"))
    if len(frame) == 0:
        raise InputError("holds no rows", where=str(path))
    columns = end_columns(frame, source, target, where=str(path))
    weight = relation_weights(frame, where=str(path), problems=problems)
    ends = []
    for column, entity in zip(columns, (source, target), strict=True):
        found = _find_end(
            as_ids(frame[column]),
            entity,
            where=f"{path}, column {column}",
            molecules=molecules,
            genes=genes,
            key=key,
        )
        problems.join(found[2])
        ends.append(found)
    rows, partners = ends[0][1], ends[1][1]
    kept = (rows >= 0) & (partners >= 0)
    if not kept.any() and (rows >= 0).any() and (partners >= 0).any():
        problems.error(InputError("no link has both its ends in the corpus", where=str(path)))
    return Relation(name, ends[0][0], ends[1][0], rows[kept], partners[kept], weight[kept])


def end_columns(
    frame: pd.DataFrame, source: Entity | None, target: Entity | None, *, where: str
) -> tuple[str, str]:
    """Return the columns of the two ends: ``source`` and ``target``, else two named like ids of these."""
    taken: list[str] = []
    for name, entity in (("source", source), ("target", target)):
        fitting = [c for c in frame.columns if entity is not None and entity_of_column(c) == entity]
        chosen = next((c for c in [name, *fitting] if c in frame and c not in taken), None)
        if chosen is None:
            raise InputError(
                f"has no column {name!r}",
                where=where,
                hint=f"a relation has columns source, target, weight; here: {', '.join(frame.columns[:12])}",
            )
        taken.append(chosen)
    return taken[0], taken[1]


def _find_end(
    ids: pd.Series[Any],
    entity: Entity | None,
    *,
    where: str,
    molecules: MoleculeIndex,
    genes: GeneIndex,
    key: JoinKey,
) -> tuple[Entity, NDArray[np.int64], JoinReport]:
    """Return what one end of the links is, its rows, and how it joined."""
    options: list[tuple[Entity, NDArray[np.int64], JoinReport]] = []
    frame = pd.DataFrame({"end": ids})
    if entity != "gene":
        # With the entity unknown only ids are compared: a gene symbol can be a valid SMILES.
        how: JoinKey = key if entity == "molecule" else "id"
        found = join_molecules(frame, molecules, where=where, column="end", key="id", hints=False)
        if how != "id" and not found[1].complete:
            found = join_molecules(frame, molecules, where=where, column="end", key=how, hints=False)
        options.append(("molecule", *found))
    if entity != "molecule":
        options.append(("gene", *join_genes(frame, genes, where=where, column="end")))
    chosen, rows, report = max(options, key=lambda option: option[2].joined)
    return chosen, rows, replace(report, where=where)
