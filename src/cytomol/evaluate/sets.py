"""Benchmark sets: molecules, labels and the fold of every row, published ones or a user's own."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Labels, read_labels
from cytomol.assays.metrics import metrics
from cytomol.assays.splits import FOLDS, folds_from_column, read_split, split
from cytomol.errors import ConfigError, InputError
from cytomol.files import require_file
from cytomol.tables import read_molecules, read_table
from cytomol.tables.molecules import MoleculeTable, find_column

__all__ = ["SETS", "BenchmarkSet", "SetSource", "data_folder", "load_set"]

SETS = ("bbbp", "bace", "hiv", "clintox", "sider", "chembl2k", "broad6k", "toxcast", "biogenadme")
"""The nine published sets, by name."""

_ASSAYS, _SPLIT, _CARD = "assays.csv.gz", "split.csv.gz", "card.json"
_KINDS = ("classification", "regression")


@dataclass(frozen=True)
class BenchmarkSet:
    """Molecules with labels and folds; row i is row i of the file, whether its molecule is valid or not.

    Attributes
    ----------
    name
        Name in tables.
    smiles
        Molecules, n of them, as the file has them.
    labels
        Their labels, NaN where not measured.
    folds
        "train", "valid", "test" or "" (in no fold), shape (n,).
    metric
        Name of the metric that counts.
    """

    name: str
    smiles: list[str]
    labels: Labels
    folds: NDArray[np.str_]
    metric: str

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def scored_folds(self) -> tuple[str, ...]:
        """Folds that are scored: of valid and test those that have rows."""
        return tuple(fold for fold in FOLDS[1:] if (self.folds == fold).any())

    def training_labels(self) -> Labels:
        """Return the labels with those of the test fold (and of rows in no fold) taken out."""
        seen = (self.folds == FOLDS[0]) | (self.folds == FOLDS[1])
        return replace(self.labels, matrix=np.where(seen[:, None], self.labels.matrix, np.nan))


@dataclass(frozen=True)
class SetSource:
    """Where a set comes from; plain values, so that a job in another process can load it again.

    Attributes
    ----------
    name_or_path
        Name of a published set, folder in its layout, or table.
    data
        Folder of the published sets; None for that of ``CYTOMOL_DATA``.
    split, split_col
        File (``index,fold``) or column with the folds of a table; without both, scaffolds are split.
    smiles_col, targets
        Columns of a table, as in :func:`cytomol.assays.labels.read_labels`.
    """

    name_or_path: str
    data: str | None = None
    split: str | None = None
    split_col: str | None = None
    smiles_col: str | None = None
    targets: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Name of the set: its own, or that of the file without suffixes."""
        if self.name_or_path in SETS:
            return self.name_or_path
        stem = re.sub(r"\.(gz|csv|tsv|txt|parquet)\b", "", Path(self.name_or_path).resolve().name.lower())
        return re.sub(r"[^\w+-]+", "_", stem)

    def load(self) -> BenchmarkSet:
        """Read the set."""
        return load_set(
            self.name_or_path,
            data=self.data,
            split_file=self.split,
            split_col=self.split_col,
            smiles_col=self.smiles_col,
            targets=self.targets,
        )


def data_folder(data: str | Path | None = None) -> Path:
    """Return the folder of the published sets: ``data``, else ``benchmarks`` below ``CYTOMOL_DATA``.

    Raises
    ------
    ConfigError
        If neither is given.
    """
    if data is not None:
        folder = Path(data)
        return folder / "benchmarks" if (folder / "benchmarks").is_dir() else folder
    if root := os.environ.get("CYTOMOL_DATA"):
        return Path(root) / "benchmarks"
    raise ConfigError(
        "it is not known where the benchmark sets are",
        hint="give --data DIR or set CYTOMOL_DATA; fetch them with: cytomol data get NAME",
    )


def load_set(
    name_or_path: str | Path,
    *,
    data: str | Path | None = None,
    split_file: str | Path | None = None,
    split_col: str | None = None,
    smiles_col: str | None = None,
    targets: Sequence[str] | None = None,
) -> BenchmarkSet:
    """Load a published set by name, a folder in the layout of those, or a table of one's own.

    Parameters
    ----------
    name_or_path
        A name of :data:`SETS`; a folder with ``assays.csv.gz``, ``split.csv.gz`` and ``card.json``; or a
        CSV, TSV or Parquet file.
    data
        Folder of the published sets; by default ``benchmarks`` below ``CYTOMOL_DATA``.
    split_file, split_col
        File or column with the folds of a table; without both the scaffolds are split as ``finetune``
        does.
    smiles_col, targets
        Columns of a table; by default ``smiles`` and every other numeric column.

    Raises
    ------
    ConfigError
        If there is no such set, or a split is given for a set that has its own.
    InputError
        If a file is absent or cannot be read.
    """
    wanted = str(name_or_path)
    name = SetSource(wanted).name
    folder = data_folder(data) / wanted if wanted in SETS else Path(wanted)
    own = _Columns(split_file, split_col, smiles_col, targets)
    if wanted in SETS or (folder / _ASSAYS).is_file():
        if own != _Columns():
            raise ConfigError("has its own split and columns", where=wanted, hint="give a table instead")
        return _load_folder(name, folder)
    if not folder.exists() and not folder.suffix:
        near = difflib.get_close_matches(wanted, SETS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(f"no benchmark set {wanted!r}", hint=f"{hint}known: {', '.join(SETS)}; or a table")
    return _load_table(name, folder, own)


@dataclass(frozen=True)
class _Columns:
    """What the user says of the columns and the split of a table."""

    split_file: str | Path | None = None
    split_col: str | None = None
    smiles_col: str | None = None
    targets: Sequence[str] | None = None


def _load_folder(name: str, folder: Path) -> BenchmarkSet:
    if not (folder / _ASSAYS).is_file():
        raise InputError(
            f"benchmark set {name!r} not found", where=str(folder), hint=f"fetch it: cytomol data get {name}"
        )
    card = _read_card(folder / _CARD)
    where = str(folder / _ASSAYS)
    frame = read_table(folder / _ASSAYS)  # numbers as such: toxcast has five million cells
    column = frame[find_column(frame, "smiles", where=where)]
    smiles = ["" if absent else str(text) for text, absent in zip(column, column.isna(), strict=True)]
    targets = [column for column in frame.columns if column != "smiles"]
    labels = read_labels(frame, targets, ignore=["smiles"], task_type=card["kind"], where=where)
    folds = read_split(folder / _SPLIT, len(smiles))
    return _checked(BenchmarkSet(name, smiles, labels, folds, card["metric"]))


def _read_card(path: Path) -> dict[str, str]:
    """Read the kind of the tasks and the metric that counts."""
    try:
        card = json.loads(require_file(path, what="card of the set").read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"is not JSON: {error}", where=str(path)) from None
    kind, metric = (card.get(key) if isinstance(card, dict) else None for key in ("kind", "metric"))
    if kind not in _KINDS:
        raise InputError(f"has the kind {kind!r}", where=str(path), hint=f"kinds: {', '.join(_KINDS)}")
    if not isinstance(metric, str) or metric not in metrics or metrics[metric].kind != kind:
        known = ", ".join(key for key in metrics if metrics[key].kind == kind)
        raise InputError(f"has the metric {metric!r}", where=str(path), hint=f"for {kind}: {known}")
    return {"kind": kind, "metric": metric}


def _load_table(name: str, path: Path, own: _Columns) -> BenchmarkSet:
    if own.split_file is not None and own.split_col is not None:
        raise ConfigError("--split and --split-col both give a split", hint="use one of them")
    table = read_molecules(path, smiles_col=own.smiles_col)
    if own.split_col is not None:
        find_column(table.frame, own.split_col, where=table.where, option="--split-col")
    ignore = [table.smiles_col, *([own.split_col] if own.split_col is not None else [])]
    labels = read_labels(table.frame, own.targets, ignore=ignore, where=table.where)
    if own.split_file is not None:
        folds = read_split(own.split_file, len(table))
    elif own.split_col is not None:
        folds = folds_from_column(table.frame[own.split_col], where=table.where, column=own.split_col)
    else:
        folds = _scaffold_folds(table)
    return _checked(BenchmarkSet(name, table.smiles, labels, folds, labels.metric))


def _checked(data: BenchmarkSet) -> BenchmarkSet:
    """Refuse a split that nothing can be learned from or scored on."""
    measured = ~np.isnan(data.labels.matrix).all(axis=1)
    for fold in (FOLDS[0], FOLDS[2]):
        if not (measured & (data.folds == fold)).any():
            raise InputError(f"the {fold} fold has no labelled molecule", where=data.labels.where)
    return data


def _scaffold_folds(table: MoleculeTable) -> NDArray[np.str_]:
    """Split the valid molecules by scaffold; the others are in no fold."""
    from cytomol.chem.parse import parse_smiles

    smiles = table.smiles
    valid = np.array([parse_smiles(text).mol is not None for text in smiles], dtype=bool)
    if not valid.any():
        raise InputError("holds no valid molecule", where=table.where, hint="is --smiles-col right?")
    folds = np.full(len(smiles), "", dtype="<U5")
    folds[valid] = split([text for text, ok in zip(smiles, valid, strict=True) if ok], "scaffold")
    return folds
