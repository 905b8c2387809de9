"""Tables of molecules, genes and weights in the form that the schema wants."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.join import as_ids, entity_of_column, plain_name
from cytomol.corpus.problems import Problems
from cytomol.errors import InputError
from cytomol.tables import read_table

__all__ = ["gene_table", "molecule_table", "read_ids", "relation_weights"]

# Columns as the schema calls them, and how others do; the first that is there counts.
_MOLECULE_COLUMNS = {
    "smiles": ("smiles", "canonicalsmiles", "isomericsmiles", "structure"),
    "mol_id": (
        "molid", "moleculeid", "compoundid", "pertid", "broadsample", "broadid", "jcp2022", "drugid",
        "chemblid", "compound", "molecule", "id",
    ),
    "inchikey": ("inchikey", "standardinchikey", "inchikey14"),
}  # fmt: skip
_GENE_COLUMNS = {
    "gene_id": ("geneid", "genesymbol", "symbol", "gene", "prgenesymbol"),
    "entrez_id": ("entrezid", "ncbigeneid", "entrez", "prgeneid"),
}


def read_ids(path: Path, ids: Collection[str] = ()) -> pd.DataFrame:
    """Read a table whose columns are numbers, but for ids, which stay as they stand in the file.

    Parameters
    ----------
    path
        The table.
    ids
        Columns of ids besides those whose name says so. In a text file an id such as ``007`` would
        otherwise turn into the number 7.
    """
    frame = read_table(path)
    if path.suffix == ".parquet":
        return frame
    numeric = [
        name
        for name in frame.columns
        if (name in ids or entity_of_column(name)) and pd.api.types.is_numeric_dtype(frame[name])
    ]
    if numeric:
        text = read_table(path, text=True)
        frame = frame.assign(**{name: text[name] for name in numeric})
    return frame


def molecule_table(
    frame: pd.DataFrame,
    *,
    where: str,
    problems: Problems,
    smiles_col: str | None = None,
    id_col: str | None = None,
    keep_first: bool = False,
) -> pd.DataFrame:
    """Return the table of molecules with ``mol_id`` and ``smiles`` (and ``inchikey``) as text.

    Parameters
    ----------
    frame
        Table as read.
    where
        The file, for messages.
    problems
        Receives notes and errors.
    smiles_col, id_col
        Columns to use, where their names do not say it. Without an id column they are row1, row2, ...
    keep_first
        Leave rows without id and repeats of an id out, with a note; by default they are an error.

    Raises
    ------
    InputError
        If there is no SMILES column or no row.
    """
    frame = _renamed(frame, _MOLECULE_COLUMNS, {"smiles": smiles_col, "mol_id": id_col}, where)
    if "smiles" not in frame:
        raise InputError("has no column of SMILES", where=where, hint=_columns(frame))
    if len(frame) == 0:
        raise InputError("holds no molecules", where=where)
    if "mol_id" not in frame:
        # not m0, m1, ...: other tables use such ids for molecules of their own, and would join these
        frame.insert(0, "mol_id", [f"row{row + 1}" for row in range(len(frame))])
        problems.note(f"{where}: no column of ids; molecules are called row1, row2, ...")
    for name in ("mol_id", "smiles", "inchikey"):
        if name in frame:
            frame[name] = as_ids(frame[name])
    return _unique(frame, "mol_id", where, problems, keep_first=keep_first)


def gene_table(
    frame: pd.DataFrame, *, where: str, problems: Problems, keep_first: bool = False
) -> pd.DataFrame:
    """Return the table of genes with ``gene_id`` as text and ``entrez_id`` (Int64) where known."""
    frame = _renamed(frame, _GENE_COLUMNS, {}, where)
    if "gene_id" not in frame:
        if "entrez_id" not in frame:
            raise InputError("has no column of gene ids", where=where, hint=_columns(frame))
        frame.insert(0, "gene_id", frame["entrez_id"])
    frame["gene_id"] = as_ids(frame["gene_id"])
    if "entrez_id" in frame:
        text = as_ids(frame["entrez_id"])
        numbers = pd.to_numeric(text.where(text != ""), errors="coerce")
        wrong = (numbers.isna() | (numbers % 1 != 0)) & (text != "")
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{text.iloc[row]!r} is not an Entrez id", where=f"{where}, row {row + 1}, column entrez_id"
            )
        frame["entrez_id"] = numbers.astype("Int64")
    return _unique(frame, "gene_id", where, problems, keep_first=keep_first)


def relation_weights(frame: pd.DataFrame, *, where: str, problems: Problems) -> NDArray[np.float32]:
    """Return the column ``weight`` (1 where there is none) as float32; it must lie in [-1, 1]."""
    if "weight" not in frame:
        return np.ones(len(frame), np.float32)
    weight = pd.to_numeric(frame["weight"], errors="coerce").to_numpy(np.float32, na_value=np.nan)
    wrong = ~(np.abs(weight) <= 1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        problems.error(
            InputError(
                f"{int(wrong.sum()):,} weights are not numbers in [-1, 1],"
                f" the first is {frame['weight'].iloc[row]}",
                where=f"{where}, row {row + 1}, column weight",
                hint="divide by the largest",
            )
        )
    return weight


def _columns(frame: pd.DataFrame) -> str:
    return f"columns: {', '.join(frame.columns[:12])}"


def _renamed(
    frame: pd.DataFrame, wanted: dict[str, tuple[str, ...]], given: dict[str, str | None], where: str
) -> pd.DataFrame:
    """Give columns the names of the schema, where the table does not use these already."""
    names: dict[str, str] = {}
    for target, synonyms in wanted.items():
        chosen = given.get(target)
        if chosen is not None and chosen not in frame:
            raise InputError(f"has no column {chosen!r}", where=where, hint=_columns(frame))
        if chosen is None and target not in frame:
            by_plain = {plain_name(name): name for name in reversed(frame.columns)}
            chosen = next((by_plain[s] for s in synonyms if s in by_plain and by_plain[s] not in names), None)
        if chosen is not None and chosen != target:
            names[chosen] = target
    kept = [name for name in frame.columns if name in names or name not in names.values()]
    return frame[kept].rename(columns=names).reset_index(drop=True)


def _unique(
    frame: pd.DataFrame, column: str, where: str, problems: Problems, *, keep_first: bool
) -> pd.DataFrame:
    absent = frame[column] == ""
    if absent.any() and keep_first:
        problems.note(f"{where}: {int(absent.sum()):,} rows have no {column} and were left out")
        frame = frame[~absent]
    elif absent.any():
        row = int(np.flatnonzero(absent)[0])
        raise InputError(f"{int(absent.sum()):,} rows have no {column}", where=f"{where}, row {row + 1}")
    repeated = frame[column].duplicated()
    if not repeated.any():
        return frame
    row = int(np.flatnonzero(repeated)[0])
    count = int(repeated.sum())
    if keep_first:
        problems.note(f"{where}: {count:,} rows repeat the {column} of an earlier row and were left out")
    else:
        problems.error(
            InputError(
                f"{column} {frame[column].iloc[row]!r} stands twice ({count:,} repeats in all)",
                where=f"{where}, row {row + 1}",
                hint="every id must be unique",
            )
        )
    return frame[~repeated].reset_index(drop=True)
