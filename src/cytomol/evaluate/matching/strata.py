"""Parts of the candidates that are ranked among themselves, named by the columns of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.chem.keys import connectivity_block, inchikey
from cytomol.chem.parse import parse_smiles
from cytomol.errors import InputError
from cytomol.tables import read_table

__all__ = ["ALL", "Stratum", "read_labels", "stratum"]

ALL = "all"
_KEYS = ("inchikey", "inchi_key", "standard_inchi_key", "inchikey14")
_SMILES = ("smiles", "canonical_smiles")
_TRUE = {"true": "1", "yes": "1", "1.0": "1", "false": "0", "no": "0", "0.0": "0"}


@dataclass(frozen=True)
class Stratum:
    """Who asks, and who is ranked.

    Attributes
    ----------
    name
        As the user wrote it.
    queries, candidates
        Which of the molecules, bool, shape (molecules,); queries are candidates too.
    """

    name: str
    queries: NDArray[np.bool_]
    candidates: NDArray[np.bool_]


def stratum(text: str, labels: Mapping[str, NDArray[np.str_]], count: int) -> Stratum:
    """Return the stratum that a text names.

    Parameters
    ----------
    text
        "all", or conditions ``COLUMN=VALUE`` joined by "&": such molecules are ranked among themselves.
        ``QUERIES in CANDIDATES`` lets the first ask, and ranks all of the second: "active=1 in bioactive=1".
    labels
        Labels of the molecules by column, "" where there is none, shape (molecules,) each.
    count
        How many molecules there are.

    Raises
    ------
    InputError
        If there is no such column or value, or the text cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> labels = {"kind": np.array(["a", "a", "b"]), "active": np.array(["1", "0", "1"])}
    >>> part = stratum("active=1 in kind=a", labels, 3)
    >>> part.queries.tolist(), part.candidates.tolist()
    ([True, False, False], [True, True, False])
    """
    first, among, second = text.partition(" in ")
    candidates = _meets(second if among else first, labels, count)
    queries = candidates & _meets(first, labels, count) if among else candidates
    return Stratum(text, queries, candidates)


def _meets(text: str, labels: Mapping[str, NDArray[np.str_]], count: int) -> NDArray[np.bool_]:
    marked = np.ones(count, dtype=np.bool_)
    if text.strip() == ALL:
        return marked
    for condition in text.split("&"):
        column, equals, value = (part.strip() for part in condition.partition("="))
        if not equals or not value:
            raise InputError(
                f"cannot read the condition {condition.strip()!r}",
                where=f"stratum {text!r}",
                hint="write COLUMN=VALUE, joined by &, or QUERIES in CANDIDATES",
            )
        if column not in labels:
            known = ", ".join(labels) or "none: give a table with --strata"
            raise InputError(f"no column {column!r}", where=f"stratum {text!r}", hint=f"columns: {known}")
        equal = labels[column] == _TRUE.get(value.lower(), value)
        if not equal.any():
            some = sorted(set(labels[column].tolist()) - {""})[:5]
            raise InputError(
                f"no molecule with {column} = {value!r}",
                where=f"stratum {text!r}",
                hint=f"values are {', '.join(some)}" if some else "none of the molecules has a label there",
            )
        marked &= equal
    return marked


def read_labels(path: str | Path, blocks: Sequence[str]) -> dict[str, NDArray[np.str_]]:
    """Return the labels that a table gives molecules, by column.

    Parameters
    ----------
    path
        CSV, TSV or Parquet, with a column of InChIKeys or of SMILES; every other column is one of labels.
        True and yes are 1, false and no are 0.
    blocks
        First InChIKey block of each molecule.

    Returns
    -------
    dict
        Column to labels, "" for molecules that the table lacks, shape (molecules,) each. Of several rows of
        a connectivity the first one counts.

    Raises
    ------
    InputError
        If it says of no molecule which it is, or knows none of these.
    """
    frame = read_table(path, text=True)
    keys, own = _blocks_of(frame, str(path))
    place: dict[str, int] = {}
    for row, key in enumerate(keys):
        if key:
            place.setdefault(key, row)
    rows = np.array([place.get(block, -1) for block in blocks], dtype=np.int64)
    if not (rows >= 0).any():
        raise InputError(
            "knows none of the molecules", where=str(path), hint="it has to name some of the candidates"
        )
    labels = {}
    for column in frame.columns:
        if column != own:
            cells = frame[column].fillna("").astype(str).str.strip().to_numpy(dtype=str)
            taken = np.where(rows >= 0, cells[rows], "")
            labels[str(column)] = np.array([_TRUE.get(cell.lower(), cell) for cell in taken], dtype=str)
    return labels


def _blocks_of(frame: pd.DataFrame, where: str) -> tuple[list[str], str]:
    """Return the connectivity of every row, and the column that says it."""
    for names in (_KEYS, _SMILES):
        for column in frame.columns:
            if str(column).strip().lower() in names:
                cells = frame[column].fillna("").astype(str).str.strip().tolist()
                if names is _KEYS:
                    return [connectivity_block(cell) for cell in cells], column
                molecules = (parse_smiles(cell).mol for cell in cells)
                return ["" if mol is None else connectivity_block(inchikey(mol)) for mol in molecules], column
    raise InputError(
        "has no column that says which molecule a row is",
        where=where,
        hint=f"call one of them inchikey or smiles; it has {', '.join(map(str, frame.columns))}",
    )
