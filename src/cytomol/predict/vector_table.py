"""Vectors that a user has computed elsewhere, as an encoder: a table with a row for each molecule."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.id_columns import words_of_name
from cytomol.assays.same_molecule import molecule_key
from cytomol.chem.encoders import MoleculeEncoder
from cytomol.chem.keys import canonical_smiles, connectivity_block, inchikey
from cytomol.chem.parse import parse_smiles, without_atom_maps
from cytomol.corpus.align_features import aligned_profiles
from cytomol.corpus.identifiers import INCHIKEYS, plain_name
from cytomol.counted import agreeing, counted
from cytomol.errors import ConfigError, InputError
from cytomol.tables.columns import smiles_column_of
from cytomol.tables.number_texts import as_numbers
from cytomol.tables.read import read_table

__all__ = ["FROM_FILE", "VectorTable"]

FROM_FILE = "file:"
"""Begins the name of an encoder that is a table."""

_IDS = {"id", "ids", "idx", "index", "cid", "sid", "number", "row"}
_SEVERAL = -1  # rows of one key with different vectors
_ALIKE = 1e-5  # of two vectors' difference, in units of the larger number
_NAMED = 5

Level = Literal["canonical", "inchikey", "connectivity"]
_LEVELS: tuple[Level, ...] = ("canonical", "inchikey", "connectivity")


@dataclass(eq=False)
class VectorTable(MoleculeEncoder):
    """A table of vectors, found again by the molecule.

    A molecule is looked for by its canonical SMILES, then its InChIKey, then its connectivity; the first that
    is in the table decides. Where rows of that key differ (stereoisomers of a molecule that is given
    without its stereo marks, say) there is no telling which is meant, and the molecule has no vector.

    Attributes
    ----------
    name
        "file:" and the name of the file.
    columns
        Names of the vectors' numbers.
    values
        Vectors, float32, shape (rows, width).
    smiles, inchikeys
        What each row says of its molecule; "" where it does not.
    where
        The file; "" in a saved model, which keeps names and no vectors.
    notes
        What was left out, in sentences.

    Examples
    --------
    >>> values = np.array([[1, 2]], np.float32)
    >>> table = VectorTable("file:mine", ("a", "b"), values, ("OCC",), ("",), "mine.csv")
    >>> table.encode(["CCO", "CCN"]).tolist()
    [[1.0, 2.0], [nan, nan]]
    """

    name: str
    columns: tuple[str, ...]
    values: NDArray[np.float32]
    smiles: tuple[str, ...] = ()
    inchikeys: tuple[str, ...] = ()
    where: str = ""
    notes: tuple[str, ...] = ()
    width: int = field(init=False)
    summary: ClassVar[str] = "vectors computed elsewhere"

    def __post_init__(self) -> None:
        self.width = len(self.columns)

    @classmethod
    def read(cls, text: str) -> VectorTable:
        """Read ``file:TABLE`` (CSV, TSV, Parquet or Excel).

        Columns of numbers are the vectors; ids, and columns of text, are left out.

        Raises
        ------
        InputError
            If the table cannot be read, says nothing of molecules, has no numbers or a cell that is none, or
            two rows of one molecule differ.
        """
        path = Path(text.removeprefix(FROM_FILE))
        frame, where = read_table(path), str(path)
        smiles_col = smiles_column_of(frame.columns)
        keys = [str(name) for name in frame.columns if plain_name(str(name)) in INCHIKEYS]
        if smiles_col is None and not keys:
            raise InputError(
                "has no column of SMILES or InChIKeys",
                where=where,
                hint="call one of them smiles or inchikey; every other column of numbers is read as vectors",
            )
        names, left_out = _numbers(frame, {*([smiles_col] if smiles_col else []), *keys}, where)
        values = frame[names].to_numpy(dtype=np.float32)
        whole = np.isfinite(values).all(axis=1)
        notes = (
            [f"columns that are no part of the vectors: {', '.join(left_out[:_NAMED])}"] if left_out else []
        )
        if not whole.all():
            first = int(np.flatnonzero(~whole)[0]) + 1
            noun, plural = "row with an empty cell", "rows with an empty cell"
            left = agreeing(int((~whole).sum()), noun, "is", "are", plural=plural)
            notes.append(f"{left} left out (first: row {first})")
        table = cls(
            FROM_FILE + path.name.split(".")[0],
            tuple(names),
            values[whole],
            _texts(frame, smiles_col, whole),
            _texts(frame, keys[0] if keys else None, whole),
            where,
            tuple(notes),
        )
        table.refuse_contradictions(np.flatnonzero(whole))
        return table

    @classmethod
    def promised(cls, name: str, columns: Iterable[str]) -> VectorTable:
        """Return a table without rows, which is what a saved model keeps of it."""
        columns = tuple(columns)
        return cls(name, columns, np.zeros((0, len(columns)), np.float32))

    @property
    def given(self) -> bool:
        """Whether there is a table, rather than what a model has kept of one."""
        return bool(self.where)

    def __len__(self) -> int:
        return len(self.values)

    def refuse_contradictions(self, rows: NDArray[np.int64]) -> None:
        """Refuse two rows of one canonical SMILES (of one InChIKey, without SMILES) that differ.

        ``rows`` are the numbers of the rows in the file, for the message.
        """
        level: Level = "canonical" if any(self.smiles) else "inchikey"
        first: dict[str, int] = {}
        for row, key in enumerate(self._keys(level)):
            if not key:
                continue
            other = first.setdefault(key, row)
            if other != row and not _alike(self.values[other], self.values[row]):
                raise InputError(
                    f"rows {rows[other] + 1} and {rows[row] + 1} are one molecule, and differ: {key}",
                    where=self.where,
                    hint="keep one row a molecule",
                )

    def _keys(self, level: Level) -> list[str]:
        """Return what each row is found by at a level, "" where it has no such key."""
        keys = []
        for smiles, key in zip(self.smiles, self.inchikeys, strict=True):
            if smiles or level == "canonical":
                keys.append(key_of(smiles, level))
            else:
                keys.append(connectivity_block(key) if level == "connectivity" else key)
        return keys

    def _places(self, level: Level) -> dict[str, int]:
        places: dict[str, int] = {}
        for row, key in enumerate(self._keys(level)):
            if key and (other := places.setdefault(key, row)) != row and other != _SEVERAL:
                places[key] = other if _alike(self.values[other], self.values[row]) else _SEVERAL
        return places

    @cached_property
    def _canonical(self) -> dict[str, int]:
        return self._places("canonical")

    @cached_property
    def _inchikey(self) -> dict[str, int]:
        return self._places("inchikey")

    @cached_property
    def _connectivity(self) -> dict[str, int]:
        return self._places("connectivity")

    def row_of(self, smiles: str) -> int | None:
        """Return the row of a molecule; None without one, -1 where several rows that differ may be meant."""
        levels: tuple[Callable[[], dict[str, int]], ...] = (
            lambda: self._canonical,
            lambda: self._inchikey,  # made when first asked for: InChIKeys take a millisecond a row
            lambda: self._connectivity,
        )
        for level, places in zip(_LEVELS, levels, strict=True):
            if (row := places().get(key_of(smiles, level))) is not None:
                return row
        return None

    def check(self) -> None:
        """Refuse to begin without the table.

        Raises
        ------
        ConfigError
            If it is a saved model's, and the table was not given again.
        """
        if not self.given:
            raise ConfigError(
                f"the model reads vectors from a table, {self.name}, and none is given",
                hint=f"--encoder file:TABLE, with the {counted(self.width, 'column')} {_few(self.columns)}"
                " for the molecules that are asked about",
            )

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Return the row of each molecule, NaN where there is none."""
        self.check()
        result = np.full((len(smiles), self.width), np.nan, np.float32)
        for at, text in enumerate(smiles):
            row = self.row_of(text)
            if row is not None and row != _SEVERAL:
                result[at] = self.values[row]
        return result

    def reason(self, smiles: str) -> str:
        """Say whether a molecule has no row, or too many."""
        if self.row_of(smiles) == _SEVERAL:
            return f"several rows of {self.where} may be this molecule, and their vectors differ"
        return f"no row of {self.where} is this molecule"

    def key(self) -> str:
        """Return the columns, and a digest of rows and values."""
        digest = hashlib.sha256("\n".join([*self.columns, *self.smiles, *self.inchikeys]).encode())
        digest.update(np.ascontiguousarray(self.values).tobytes())
        return f"{self.name} {digest.hexdigest()}"

    def aligned(self, to: VectorTable) -> VectorTable:
        """Return this table with the columns of another, in its order and under its name.

        Raises
        ------
        InputError
            If a column is missing.
        """
        called = f"the vectors {to.name!r} that the model has learnt from"
        values = aligned_profiles(self.values, self.columns, to.columns, name=called, where=self.where)
        return VectorTable(to.name, to.columns, values, self.smiles, self.inchikeys, self.where, self.notes)


def key_of(smiles: str, level: Level) -> str:
    """Return what a molecule is found by: canonical SMILES, InChIKey or connectivity; "" for no molecule."""
    if not smiles:
        return ""
    if level == "connectivity":
        return molecule_key(smiles)
    mol = parse_smiles(without_atom_maps(smiles)).mol
    if mol is None:
        return ""
    return canonical_smiles(mol) if level == "canonical" else inchikey(mol)


def _numbers(frame: pd.DataFrame, keys: set[str], where: str) -> tuple[list[str], list[str]]:
    """Return the columns of numbers, and those that are left out.

    Raises
    ------
    InputError
        If there are none, or a column of numbers has a cell that is none.
    """
    names, left_out = [], []
    for name in map(str, frame.columns):
        if name in keys:
            continue
        column = frame[name]
        numeric = pd.api.types.is_numeric_dtype(column)
        if words_of_name(name) & _IDS or not name.strip() or name.lower().startswith("unnamed"):
            left_out.append(name)
        elif numeric:
            names.append(name)
        else:
            numbers = as_numbers(column)
            if 2 * numbers.notna().sum() > column.notna().sum():
                row = int(np.flatnonzero((numbers.isna() & column.notna()).to_numpy())[0])
                raise InputError(
                    f"{column.iloc[row]!r} among numbers",
                    where=f"{where}, row {row + 1}, column {name!r}",
                    hint="a vector is made of numbers: mend the cell, leave it empty or leave the column out",
                )
            left_out.append(name)
    if not names:
        raise InputError(
            "has no column of numbers beside the molecules",
            where=where,
            hint=f"columns: {_few(list(map(str, frame.columns)))}",
        )
    return names, left_out


def _texts(frame: pd.DataFrame, column: str | None, rows: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return the cells of some rows of a column as text, "" where they are empty or there is no column."""
    if column is None:
        return ("",) * int(rows.sum())
    return tuple("" if pd.isna(cell) else str(cell).strip() for cell in frame[column][rows])


def _alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return bool(np.allclose(one, other, rtol=_ALIKE, atol=_ALIKE))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
