"""A job that matches chunks of a long table of queries, here or in other processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cytomol.cells.match.match import match_places, queries_at_once
from cytomol.cells.match.match_index import PlaceIndex
from cytomol.cells.match.match_library import Library
from cytomol.cells.match.match_table import MatchTable
from cytomol.cells.matcher.open_space import open_space
from cytomol.cells.profile_stream import ProfileChunk
from cytomol.cells.space import Space, Way
from cytomol.nn.allocator import keep_few_kernels
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_answer import Answer
from cytomol.tables.row_errors import RowErrors

__all__ = ["MatchJob"]


@dataclass
class MatchJob:
    """Matches chunks of queries with placed candidates.

    Attributes
    ----------
    model, modality, way
        See :func:`~cytomol.cells.matcher.open_space.open_space`.
    queries
        The table that the chunks are of.
    library, indexed
        Folder of the placed candidates, and whether their index is asked.
    top
        Candidates for each query.
    keep, query_smiles
        Further columns; see :meth:`~cytomol.cells.match.match.MatchedRows.frame`.
    batch_size, workers
        Molecules in a pass, and processes that featurize.
    ready
        The space, where it is loaded already; it is not sent to other processes.
    """

    model: str
    modality: str | None
    way: Way
    queries: MatchTable
    library: Path
    indexed: bool
    top: int
    keep: tuple[str, ...] = ()
    query_smiles: bool = True
    batch_size: int = 256
    workers: int | None = None
    ready: Space | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs."""
        return {**self.__dict__, "ready": None}

    def open(self) -> Callable[[MoleculeTable | ProfileChunk, int], Answer]:
        """Load the model and open the candidates."""
        if self.ready is None:
            keep_few_kernels()
            self.ready = open_space(self.model, self.modality, self.way)
        space, library = self.ready, Library.read(self.library)
        index = PlaceIndex(library) if self.indexed else None

        def answer(chunk: MoleculeTable | ProfileChunk, first: int) -> Answer:
            placed = self.queries.place(
                chunk, space, first=first, batch_size=self.batch_size, workers=self.workers
            )
            frames = [
                match_places(part, library, self.top, index).frame(
                    library, self.keep, query_smiles=self.query_smiles
                )
                for part in placed.cut(queries_at_once(self.top))
            ]
            nothing = MoleculeTable(pd.DataFrame(), "", self.queries.path)
            errors = RowErrors(nothing, "keep", first)
            errors.add(placed.about["error"].tolist())
            return Answer(pd.concat(frames, ignore_index=True), {}, errors)

        return answer
