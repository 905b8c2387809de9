"""AnnData files: observations are profiles, variables are features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.profiles import ProfileTable
from cytomol.corpus.readers.base import ProfileReader, readers
from cytomol.corpus.rows import name_rows
from cytomol.errors import InputError, MissingDependencyError
from cytomol.files import require_file

__all__ = ["AnnDataFile"]


@readers.register("anndata")
class AnnDataFile(ProfileReader):
    """``.h5ad``: features from ``X``, ids from the columns (and the index) of ``obs``."""

    suffixes = ("h5ad",)

    def table(self, path: Path, *, id_column: str | None = None) -> ProfileTable:
        """Read ids and features; the names of the observations are the column ``id``, unless they count."""
        path = require_file(path, what="AnnData file")
        try:
            import anndata
        except ImportError:
            raise MissingDependencyError(
                "reading AnnData needs the package anndata",
                where=str(path),
                hint="pip install 'cytomol[omics]'",
            ) from None
        try:
            data = anndata.read_h5ad(path)
        except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"is not a readable AnnData file: {error}", where=str(path)) from None
        if data.X is None:
            raise InputError("has no matrix X", where=str(path))
        if 0 in data.shape:
            raise InputError(f"holds {data.n_obs} observations of {data.n_vars} features", where=str(path))
        if not data.var_names.is_unique:
            name = data.var_names[data.var_names.duplicated()][0]
            raise InputError(f"feature {name!r} stands twice", where=str(path))
        matrix = np.asarray(data.X.toarray() if hasattr(data.X, "toarray") else data.X)
        metadata = pd.DataFrame({str(c): as_ids(data.obs[c]).to_numpy() for c in data.obs.columns})
        name_rows(metadata, data.obs_names, wanted=id_column == "id")
        with np.errstate(over="ignore"):
            values = matrix.astype(np.float32, copy=False)
        return ProfileTable(str(path), metadata, values, tuple(map(str, data.var_names)))
