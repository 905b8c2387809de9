"""AnnData files: observations are profiles, variables are features."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import ColumnChoice, some
from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.profiles import ProfileTable, choose_columns, split_matrix
from cytomol.corpus.read_rows import name_rows
from cytomol.corpus.readers.base import FeaturePick, ProfileReader, readers
from cytomol.counted import counted
from cytomol.errors import InputError, MissingDependencyError
from cytomol.files import check_expansion, check_hdf5, require_file

__all__ = ["AnnDataFile"]


@readers.register("anndata")
class AnnDataFile(ProfileReader):
    """``.h5ad``: features from ``X`` or a layer, ids from the columns (and the index) of ``obs``."""

    suffixes = ("h5ad",)
    layered = True

    def table(
        self,
        path: Path,
        *,
        id_column: str | None = None,
        choice: ColumnChoice | None = None,
        layer: str | None = None,
        rows: NDArray[np.bool_] | None = None,  # noqa: ARG002
    ) -> ProfileTable:
        """Read ids and features; the names of the observations are the column ``id``, unless they count."""
        path = require_file(path, what="AnnData file")
        with _opened(path):
            import anndata  # that it is there has been seen to
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*names are not unique")
                data = anndata.read_h5ad(path)
        except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"is not a readable AnnData file: {error}", where=str(path)) from None
        matrix = _matrix(data, layer, str(path))
        if 0 in data.shape:
            raise _empty(data.n_obs, data.n_vars, str(path))
        metadata = pd.DataFrame({str(c): as_ids(data.obs[c]).to_numpy() for c in data.obs.columns})
        name_rows(metadata, data.obs_names, wanted=id_column == "id")
        with np.errstate(over="ignore"):
            values = matrix.astype(np.float32, copy=False)
        names, notes = _unique(list(map(str, data.var_names)), str(path))
        return split_matrix(ProfileTable(str(path), metadata, values, names, notes=notes), choice)

    def parts(
        self,
        path: Path,
        pick: FeaturePick,
        *,
        rows: int,
        layer: str | None = None,
        beside: tuple[str, ...] = (),
    ) -> Iterator[ProfileTable]:
        """Yield the rows in their order; the matrix stays on disk, the table of observations does not."""
        where = str(path)
        with _opened(path) as file:
            if file is None:  # as early versions of anndata wrote it
                yield from super().parts(path, pick, rows=rows, layer=layer, beside=beside)
                return
            obs, var, matrix = _elements(file, layer, where)
            texts = {str(c): as_ids(obs[c]).to_numpy() for c in obs.columns}
            metadata = pd.DataFrame(texts, index=pd.RangeIndex(len(obs)))
            name_rows(metadata, obs.index)
            names, _ = _unique(list(map(str, var.index)), where)
            report = choose_columns(names, None, where, None, beside=tuple(map(str, metadata)))
            wanted = pick(report)
            moved = [name for name in names if name not in {*report.features, *wanted, *metadata}]
            place = {name: number for number, name in enumerate(names)}
            for start in range(0, len(obs), rows):
                block = matrix[start : start + rows]
                block = np.asarray(block.toarray() if hasattr(block, "toarray") else block)
                with np.errstate(over="ignore"):
                    block = block.astype(np.float32, copy=False)
                about = metadata.iloc[start : start + rows].reset_index(drop=True)
                for name in moved:
                    about[name] = as_ids(pd.Series(block[:, place[name]].astype(np.float64).round(6)))
                yield ProfileTable(where, about, block[:, [place[name] for name in wanted]], wanted)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Give the open file; None where it is not in the layout that anndata writes since 0.7."""
    path = require_file(path, what="AnnData file")
    try:
        import anndata  # noqa: F401 (its absence is told in one way)
        import h5py
    except ImportError:
        raise _no_anndata(str(path)) from None
    try:
        with h5py.File(path, "r") as file:
            check_hdf5(file, where=str(path))
            told = "obs" in file and "var" in file and "encoding-type" in file["obs"].attrs
            yield file if told else None
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"is not a readable AnnData file: {error}", where=str(path)) from None


def _elements(file: Any, layer: str | None, where: str) -> tuple[pd.DataFrame, pd.DataFrame, Any]:
    """Return observations, variables and the matrix, whose rows are read when they are asked for."""
    try:
        from anndata.io import read_elem, sparse_dataset
    except ImportError:
        from anndata.experimental import read_elem, sparse_dataset
    layers = list(file.get("layers", ()))
    hint = f"choose a layer with --layer: {', '.join(layers)}" if layers else "the file has no layers either"
    if layer is not None and layer not in layers:
        raise InputError(f"has no layer {layer!r}", where=where, hint=hint)
    if layer is None and ("X" not in file or file["X"].attrs.get("encoding-type") == "null"):
        raise InputError("has no matrix X", where=where, hint=hint)
    obs, var = read_elem(file["obs"]), read_elem(file["var"])
    if 0 in (len(obs), len(var)):
        raise _empty(len(obs), len(var), where)
    found = file["X"] if layer is None else file["layers"][layer]
    return obs, var, found if hasattr(found, "shape") else sparse_dataset(found)


def _no_anndata(where: str) -> MissingDependencyError:
    return MissingDependencyError(
        "reading AnnData needs the package anndata", where=where, hint="pip install 'cytomol[omics]'"
    )


def _empty(observations: int, features: int, where: str) -> InputError:
    held = counted(observations, "observation", comma=False)
    return InputError(
        f"is empty: it holds {held} of {counted(features, 'feature', comma=False)}", where=where
    )


def _matrix(data: Any, layer: str | None, where: str) -> NDArray[Any]:
    """Return ``X`` or a layer as an array; say which layers there are where it is not to be had."""
    layers = [str(name) for name in data.layers if name is not None]  # None is X, from anndata 0.13 on
    hint = f"choose a layer with --layer: {', '.join(layers)}" if layers else "the file has no layers either"
    if layer is None:
        chosen = data.X
        if chosen is None:
            raise InputError("has no matrix X", where=where, hint=hint)
    elif layer in layers:
        chosen = data.layers[layer]
    else:
        raise InputError(f"has no layer {layer!r}", where=where, hint=hint)
    if not hasattr(chosen, "toarray"):
        return np.asarray(chosen)
    becomes = chosen.shape[0] * chosen.shape[1] * chosen.dtype.itemsize
    check_expansion(
        becomes, Path(where).stat().st_size, where=where, hint="write fewer features if you trust it"
    )
    return np.asarray(chosen.toarray())


def _unique(names: list[str], where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names of features, repeats numbered as scanpy does (ATF1, ATF1-1), and a note on these."""
    taken, seen, unique, repeated = set(names), set[str](), [], []
    for name in names:
        new, number = name, 0
        while new in seen or (number and new in taken):
            number += 1
            new = f"{name}-{number}"
        if number:
            repeated.append(f"{name} as {new}")
        seen.add(new)
        unique.append(new)
    if not repeated:
        return tuple(unique), ()
    return tuple(unique), (
        f"{where}: {counted(len(repeated), 'feature')} under the name of another, numbered: {some(repeated)}",
    )
