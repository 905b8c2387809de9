"""Tables of profiles read chunk by chunk, in the features of a backbone's modality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.modality import TrainedModality
from cytomol.corpus.readers import read_profiles

__all__ = ["ProfileChunk", "read_profile_chunks"]

CHUNK = 8192


@dataclass(frozen=True)
class ProfileChunk:
    """Some rows of a table of profiles.

    Attributes
    ----------
    start
        Row of the table, from 0, with which the chunk begins.
    metadata
        Ids and whatever else stands beside the features, as text, one row a profile.
    values
        The modality's features in its order, float32, shape (rows, width); NaN where not measured.
    """

    start: int
    metadata: pd.DataFrame
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values)


def read_profile_chunks(
    path: str | Path, modality: TrainedModality, *, layer: str | None = None, rows: int = CHUNK
) -> Iterator[ProfileChunk]:
    """Yield the profiles of a table (pycytominer CSV or Parquet, AnnData, GCT, GCTX), in its order.

    Parameters
    ----------
    path
        The table.
    modality
        Whose features are looked for, by name.
    layer
        Matrix to read, in formats that hold several (AnnData).
    rows
        Rows of a chunk.

    Raises
    ------
    InputError
        If the file is no table of profiles, or lacks features of the modality.
    """
    table = read_profiles(path, layer=layer)
    values = modality.aligned(table.features, table.columns, where=table.where)
    for start in range(0, len(table), rows):
        part = slice(start, start + rows)
        yield ProfileChunk(start, table.metadata.iloc[part].reset_index(drop=True), values[part])
