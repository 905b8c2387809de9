"""Matches written as they come: a long table, or an AnnData file with a row for each query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cytomol.cells.match.match import MatchedRows
from cytomol.cells.match.match_library import Library
from cytomol.errors import MissingDependencyError
from cytomol.files import atomic_file
from cytomol.tables.read import format_of
from cytomol.tables.write_chunks import open_chunks

__all__ = ["Answered", "write_matches"]


@dataclass
class Answered:
    """How a table of queries was answered.

    Attributes
    ----------
    queries, invalid, noted
        Rows of the table, those without a place, and those whose order says little.
    first_error
        Row and reason of the first without a place.
    """

    queries: int = 0
    invalid: int = 0
    noted: int = 0
    first_error: str = ""

    def add(self, part: MatchedRows) -> None:
        """Count some queries."""
        about = part.queries.about
        wrong = (about["error"] != "").to_numpy(bool)
        if wrong.any() and not self.first_error:
            row = int(np.flatnonzero(wrong)[0])
            self.first_error = f"row {part.queries.start + row + 1}: {about['error'].iloc[row]}"
        self.queries += len(about)
        self.invalid += int(wrong.sum())
        self.noted += sum(bool(note) for note in part.matches.notes)


def write_matches(
    path: str | Path,
    parts: Iterable[MatchedRows],
    library: Library,
    *,
    keep: Sequence[str] = (),
    query_smiles: bool = True,
    origin: dict[str, str] | None = None,
    force: bool = False,
) -> Answered:
    """Write matches, whole or not at all; a table is written as they come, AnnData when all are there.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv`` (also ``.gz``), ``.parquet`` or ``.h5ad``.
    parts
        The matches, in the order of the queries.
    library
        The candidates.
    keep, query_smiles
        Further columns, as of `MatchedRows.frame`.
    origin
        What an AnnData file says of its making.
    force
        Replace an existing file.
    """
    answered = Answered()
    if format_of(Path(path)) == "h5ad":
        _write_anndata(Path(path), parts, library, answered, origin or {}, force=force)
        return answered
    with open_chunks(path, force=force) as writer:
        for part in parts:
            answered.add(part)
            writer.write(part.frame(library, keep, query_smiles=query_smiles))
    return answered


def _write_anndata(
    path: Path,
    parts: Iterable[MatchedRows],
    library: Library,
    answered: Answered,
    origin: dict[str, str],
    *,
    force: bool,
) -> None:
    """Write a row for each query: places, and what is told of candidates, in ``obsm``."""
    try:
        import anndata
    except ImportError:
        raise MissingDependencyError(
            "writing AnnData needs the package anndata", where=str(path), hint="pip install 'cytomol[omics]'"
        ) from None
    abouts, matrices = [], dict[str, list[Any]]()
    for part in parts:
        answered.add(part)
        abouts.append(part.queries.about.assign(note=part.matches.notes))
        rows = part.matches.rows
        texts = library.texts(np.maximum(rows, 0).ravel())
        told = {name: texts[name].to_numpy(object).reshape(rows.shape) for name in ("id", "smiles")}
        found = {
            "X_cell": part.queries.places,
            "match_row": rows + 1,  # from 1, as in the tables; 0 where there are no more
            "match_similarity": part.matches.similarity,
            "match_spreads": part.matches.spreads,
            **{f"match_{name}": np.where(rows >= 0, column, "") for name, column in told.items()},
        }
        for name, matrix in found.items():
            matrices.setdefault(name, []).append(matrix)
    about = pd.concat(abouts, ignore_index=True).astype(str)
    about.index = pd.Index([str(row + 1) for row in range(len(about))], name="query_row")
    obsm: dict[str, Any] = {name: np.concatenate(matrix) for name, matrix in matrices.items()}
    for name in ("match_id", "match_smiles"):
        texts = pd.DataFrame(obsm[name], index=about.index).rename(columns=lambda rank: str(rank + 1))
        obsm[name] = texts.astype(str)
    data = anndata.AnnData(obs=about.add_prefix("Metadata_"), obsm=obsm)
    data.uns["cytomol"] = origin | {"candidates_with_a_place": library.valid}
    with atomic_file(path, force=force) as temporary:
        data.write_h5ad(temporary)
