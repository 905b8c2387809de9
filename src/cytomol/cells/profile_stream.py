"""Tables of profiles read chunk by chunk, in the features of a backbone's modality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.modality import NamedFeatures, TrainedModality
from cytomol.corpus.feature_columns import ColumnReport
from cytomol.corpus.readers import FeaturePick, read_profile_parts
from cytomol.errors import InputError, note

__all__ = ["ProfileChunk", "count_profiles", "read_profile_chunks"]

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
    path: str | Path,
    modality: NamedFeatures,
    *,
    layer: str | None = None,
    rows: int = CHUNK,
    beside: tuple[str, ...] = (),
) -> Iterator[ProfileChunk]:
    """Yield the profiles of a table (pycytominer CSV or Parquet, AnnData, GCT, GCTX), in its order.

    Only some rows are in memory at a time, of GCT excepted, which is read whole. Columns that are neither
    features of the modality nor told to stand beside features (``Metadata_*``, ids, ...) are not read.
    Profiles of a backbone's modality are corrected for plate or library as its training profiles were.

    Parameters
    ----------
    path
        The table.
    modality
        Whose features are looked for, by name.
    layer
        Matrix to read, in formats that hold several (AnnData).
    rows
        Rows of a chunk; some may have fewer.
    beside
        Further columns wanted in the metadata.

    Raises
    ------
    InputError
        If the file is no table of profiles, or lacks features of the modality.
    """
    start, told = 0, False
    for part in read_profile_parts(path, _picked(path, modality), rows=rows, layer=layer, beside=beside):
        values, infinite = part.features, np.isinf(part.features)
        if infinite.any():
            if not told:
                row = start + int(np.flatnonzero(infinite.any(axis=1))[0]) + 1
                note(f"infinite values, first in row {row}: counted as not measured", where=str(path))
            told, values = True, np.where(infinite, np.float32(np.nan), values)
        if isinstance(modality, TrainedModality):
            values = modality.corrected(values, part.metadata)
        yield ProfileChunk(start, part.metadata, np.ascontiguousarray(values))
        start += len(values)


def count_profiles(path: str | Path, modality: NamedFeatures, *, layer: str | None = None) -> int:
    """Return how many profiles a table holds, from one of its features; see :func:`read_profile_chunks`."""
    pick = _picked(path, modality)
    parts = read_profile_parts(path, lambda report: pick(report)[:1], rows=CHUNK, layer=layer)
    return sum(len(part) for part in parts)


def _picked(path: str | Path, modality: NamedFeatures) -> FeaturePick:
    """Return what chooses the modality's features, whatever the rules for names make of them."""

    def pick(report: ColumnReport) -> tuple[str, ...]:
        looked_for = {*modality.columns, *report.features}
        features = tuple(name for name in report.names() if name in looked_for)
        if not features:
            raise InputError("holds no feature columns", where=str(path), hint=str(report))
        modality.aligned(np.empty((0, len(features)), np.float32), features, where=str(path))
        return tuple(modality.columns)

    return pick
