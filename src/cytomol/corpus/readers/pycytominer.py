"""Tables as pycytominer writes them: CSV or Parquet, identifiers in columns ``Metadata_*``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import ColumnChoice
from cytomol.corpus.profiles import ProfileTable, split_profiles
from cytomol.corpus.readers.base import FeaturePick, ProfileReader, readers
from cytomol.corpus.readers.parquet_parts import parquet_columns, parquet_parts
from cytomol.corpus.readers.text_parts import text_columns, text_parts
from cytomol.corpus.tables import read_ids

__all__ = ["PycytominerTable"]


@readers.register("pycytominer")
class PycytominerTable(ProfileReader):
    """CSV, TSV or Parquet (also gzipped), one row per well or per treatment."""

    suffixes = ("csv", "tsv", "txt", "parquet")

    def columns(self, path: Path) -> list[str]:
        """Return the names of the columns, told from the header and the first rows."""
        return parquet_columns(path) if path.suffix.lower() == ".parquet" else text_columns(path)

    def table(
        self,
        path: Path,
        *,
        id_column: str | None = None,
        choice: ColumnChoice | None = None,
        layer: str | None = None,  # noqa: ARG002
        rows: NDArray[np.bool_] | None = None,  # noqa: ARG002
    ) -> ProfileTable:
        """Read features and what stands beside them; `cytomol.corpus.feature_columns` tells them apart."""
        frame = read_ids(path, (id_column,) if id_column else ())
        return split_profiles(frame, where=str(path), id_column=id_column, choice=choice)

    def parts(
        self,
        path: Path,
        pick: FeaturePick,
        *,
        rows: int,
        layer: str | None = None,  # noqa: ARG002
        beside: tuple[str, ...] = (),
    ) -> Iterator[ProfileTable]:
        """Yield the rows in their order, some at a time; parameters as of the base class."""
        part_by_part = parquet_parts if path.suffix.lower() == ".parquet" else text_parts
        return part_by_part(path, pick, rows=rows, beside=beside)
