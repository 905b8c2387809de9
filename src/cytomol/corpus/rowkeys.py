"""What the rows of a table say of their molecules: ids, names, InChIKeys, SMILES."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import (
    COMPOUND_NAMES,
    INCHIKEYS,
    INCHIS,
    MOLECULE_IDS,
    SMILES,
    as_ids,
    as_inchikeys,
    entity_of_column,
    only,
    plain_name,
)
from cytomol.corpus.structures import is_inchikey, is_smiles

__all__ = ["RowKeys", "row_keys"]

_ENDINGS = ("smiles", "inchikey")


@dataclass
class RowKeys:
    """What the rows of a table say of their molecules.

    Attributes
    ----------
    ids, names
        Columns of ids (the telling ones first) and of compounds' names.
    inchikey, smiles
        One per row, "" where the row has none.
    columns
        Names of all columns that were used.
    """

    ids: dict[str, pd.Series[Any]]
    names: dict[str, pd.Series[Any]]
    inchikey: pd.Series[Any]
    smiles: pd.Series[Any]
    columns: list[str] = field(default_factory=list)

    @property
    def bare(self) -> NDArray[np.bool_]:
        """Rows that have neither id nor structure."""
        empty = (self.inchikey == "") & (self.smiles == "")
        for ids in self.ids.values():
            empty &= ids == ""
        return np.asarray(empty.to_numpy(), np.bool_)

    def shown(self) -> pd.Series[Any]:
        """Return what to call each row in a message: its first key."""
        text = pd.Series([""] * len(self.smiles), dtype=object)
        for keys in (*self.ids.values(), self.inchikey, self.smiles, *self.names.values()):
            text = text.where(text != "", keys)
        return text


def row_keys(metadata: pd.DataFrame, column: str | None = None, *, guess: bool = True) -> RowKeys:
    """Return the keys of every row, from the columns whose names say so or from one column alone.

    Parameters
    ----------
    metadata
        Id columns of a table.
    column
        The only column to take ids from, whatever its name; structures are read where they stand.
    guess
        Try whether this column, if its name says nothing, holds structures.
    """
    metadata = metadata.reset_index(drop=True)
    plain = {str(c): plain_name(str(c)) for c in metadata}

    def named(names: tuple[str, ...]) -> list[str]:
        found = sorted((c for c in plain if plain[c] in names), key=lambda c: names.index(plain[c]))
        # rdkit_smiles and the like, where no column has the very name
        return found or [c for c in plain if plain[c].endswith(names[0]) and names[0] in _ENDINGS]

    ids = [column] if column else named(MOLECULE_IDS)
    keys, inchis, structures = named(INCHIKEYS), named(INCHIS), named(SMILES)
    if column and guess and entity_of_column(column) != "molecule":
        keys, structures = [column, *keys], [column, *structures]
    ids = [c for c in ids if c not in named((*INCHIKEYS, *INCHIS, *SMILES))]
    empty = pd.Series([""] * len(metadata), dtype=object)
    inchikey, smiles = empty, empty
    id_columns = {c: as_ids(metadata[c]) for c in ids}
    for c in [*keys, *ids]:  # an id of the form of an InChIKey is one
        found = as_inchikeys(metadata[c])
        found = only(found, partial(is_inchikey, whole=c not in keys))
        inchikey = inchikey.where(inchikey != "", found)
    for c in inchis:
        inchikey = inchikey.where(inchikey != "", _keys_of_inchis(as_ids(metadata[c])))
    for c in structures:
        found = as_ids(metadata[c])
        if c == column:  # of a column of another name nobody has said that it holds SMILES
            found = only(found, is_smiles)
        smiles = smiles.where(smiles != "", found)
    names = [] if column else named(COMPOUND_NAMES)
    if column and plain[column] in COMPOUND_NAMES:
        ids = [column]
    used = list(dict.fromkeys([*ids, *keys, *inchis, *structures]))
    return RowKeys(id_columns, {c: as_ids(metadata[c]) for c in names}, inchikey, smiles, used or names)


def _keys_of_inchis(inchis: pd.Series[Any]) -> pd.Series[Any]:
    from rdkit import Chem, rdBase

    convert: Any = Chem.InchiToInchiKey
    with rdBase.BlockLogs():
        keys = {text: convert(text) or "" if text.startswith("InChI=") else "" for text in set(inchis)}
    return inchis.map(keys)
