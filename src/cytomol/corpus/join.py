"""Find the molecule that a row of another table speaks of: by id, InChIKey or canonical SMILES."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import (
    as_ids,
    as_inchikeys,
    only,
    plain_name,
    short_ids,
)
from cytomol.corpus.lookup import Lookup
from cytomol.corpus.problems import JoinReport
from cytomol.corpus.rowkeys import RowKeys, row_keys
from cytomol.corpus.structures import BLOCK, block_of, canonical_of, contradicts, is_inchikey, key_of
from cytomol.errors import InputError

__all__ = ["JoinKey", "MoleculeIndex", "join_molecules"]

JoinKey = Literal["auto", "id", "inchikey", "smiles", "connectivity", "short-id", "name"]
Rows = NDArray[np.int64]

_EXAMPLES = 5
_EXACT = ("id", "inchikey", "smiles")
_LOOSE = {
    "connectivity": "first block of the InChIKey",
    "short-id": "short Broad id",
    "name": "name of the compound",
}
# Beyond so many molecules InChIKeys are not computed for a hint alone (1.6 ms each).
_HINT_LIMIT = 20_000


class MoleculeIndex:
    """Molecules by id, InChIKey (whole or first block), canonical SMILES and more, each when first asked for.

    Parameters
    ----------
    molecules
        Table with ``mol_id``, ``smiles`` and perhaps ``inchikey``.
    """

    def __init__(self, molecules: pd.DataFrame) -> None:
        self.molecules = molecules
        # how the column of ids was called in the user's table, if that is known
        self.id_column = str(molecules.attrs.get("id_column", ""))
        self._others: dict[str, Lookup | None] = {}

    def __len__(self) -> int:
        return len(self.molecules)

    @cached_property
    def smiles_of(self) -> list[str]:
        """SMILES of each row."""
        return self.molecules["smiles"].tolist()

    @cached_property
    def id(self) -> Lookup:
        """By ``mol_id``."""
        return Lookup(self.molecules["mol_id"])

    @cached_property
    def inchikey(self) -> Lookup:
        """By whole InChIKey."""
        return Lookup(self._inchikeys)

    @cached_property
    def connectivity(self) -> Lookup:
        """By the first block of the InChIKey (no stereochemistry, no isotopes)."""
        return Lookup(key[:BLOCK] for key in self._inchikeys)

    @cached_property
    def smiles(self) -> Lookup:
        """By RDKit's canonical SMILES."""
        return Lookup(canonical_of(self.smiles_of))

    @cached_property
    def short(self) -> Lookup:
        """By the part of a Broad id that names the compound."""
        return Lookup(short_ids(self.molecules["mol_id"]))

    @property
    def cheap_keys(self) -> bool:
        """Whether InChIKeys are there, or soon computed."""
        return "_inchikeys" in self.__dict__ or len(self) <= _HINT_LIMIT

    def other(self, name: str) -> Lookup | None:
        """By another column of the table of molecules that has this name (see `plain_name`), if any."""
        if name not in self._others:
            columns = [c for c in map(str, self.molecules) if c != "mol_id" and plain_name(c) == name]
            self._others[name] = Lookup(as_ids(self.molecules[columns[0]])) if columns else None
        return self._others[name]

    @cached_property
    def _inchikeys(self) -> list[str]:
        known = [""] * len(self)
        if "inchikey" in self.molecules:
            known = [key if is_inchikey(key) else "" for key in as_inchikeys(self.molecules["inchikey"])]
        return [key or key_of(smiles) for key, smiles in zip(known, self.smiles_of, strict=True)]


def join_molecules(
    metadata: pd.DataFrame,
    index: MoleculeIndex,
    *,
    where: str,
    column: str | None = None,
    key: JoinKey = "auto",
    leave_out: bool = False,
    hints: bool = True,
) -> tuple[Rows, JoinReport]:
    """Return the molecule of each row of a table (-1 where none) and how that went.

    Every row joins by the best key that it has: id, whole InChIKey, canonical SMILES; by its name only
    where it has none of these. A looser key that was asked for (connectivity, short-id, name) joins only
    rows that no exact key joins.

    Parameters
    ----------
    metadata
        Id columns of the table.
    index
        The molecules.
    where
        Name of the table, for the report.
    column
        Column that holds the key; by default those whose names say so.
    key
        "auto", one exact key alone ("id", "inchikey", "smiles"), or a looser one for what is left.
    leave_out
        Leave rows out whose structure contradicts the molecule that their id names; by default they are
        an error, which the report carries.
    hints
        Say what other keys would join, which may cost as much as joining by them.

    Raises
    ------
    InputError
        If the table has no such column.
    """
    if column is not None and column not in metadata:
        raise InputError(f"has no column {column!r}", where=where, hint=columns_hint(metadata))
    keys = row_keys(metadata, column, guess=key != "id")
    wanted: list[str] = [key] if key in _EXACT else [*_EXACT]
    if not _has_any(keys, wanted, key):
        raise InputError(
            f"has no column of molecule ids ({', '.join(wanted)})", where=where, hint=columns_hint(metadata)
        )
    joining = _Joining(keys, index)
    for kind in wanted:
        joining.strict(kind)
    if key == "auto":
        joining.by_name(keys.bare)
    elif key in _LOOSE:
        joining.loose(key)
    wrong = contradictions(keys, joining.rows, index) | joining.other_ids()
    if leave_out:
        joining.rows[list(wrong)] = -1
        joining.closed[list(wrong)] = True
        joining.labels[list(wrong)] = "left out: contradicts itself"
    place = f"{where}, column {keys.columns[0]}" if len(keys.columns) == 1 else where
    return joining.rows, joining.report(place, wanted, key, wrong, left_out=leave_out, hints=hints)


def contradictions(keys: RowKeys, rows: Rows, index: MoleculeIndex) -> dict[int, str]:
    """Return the rows whose own structure is not that of the molecule they joined, with what differs."""
    found: dict[int, str] = {}
    for statement in (keys.smiles, keys.inchikey):
        for row in np.flatnonzero((rows >= 0) & (statement != "").to_numpy()):
            molecule = int(rows[row])
            if row not in found and contradicts(index.smiles_of[molecule], statement.iloc[row]):
                name = index.molecules["mol_id"].iloc[molecule]
                found[int(row)] = f"{statement.iloc[row]}, but {name} is {index.smiles_of[molecule]}"
    return dict(sorted(found.items()))


class _Joining:
    """One pass over the rows of a table: each takes the first key that fits."""

    def __init__(self, keys: RowKeys, index: MoleculeIndex) -> None:
        self.keys, self.index = keys, index
        self.rows = np.full(len(keys.smiles), -1, np.int64)
        self.closed = np.zeros(len(self.rows), np.bool_)  # rows that are left out and join nothing else
        self.by: dict[str, int] = {}
        self.labels = np.full(len(self.rows), "", dtype=object)  # by what each row was joined
        self.several = self.torn = 0

    def strict(self, kind: str) -> None:
        if kind == "inchikey":
            whole = only(self.keys.inchikey, is_inchikey)
            if (whole != "").any():
                self._take("InChIKey", self.index.inchikey, whole)
        elif kind == "smiles":
            if self._open(self.keys.smiles).any():
                canonical = pd.Series(canonical_of(self.keys.smiles), dtype=object)
                self._take("canonical SMILES", self.index.smiles, canonical)
        else:
            for name, lookup, ids in self._id_lookups():
                self._take(name, lookup, ids, same=False)

    def by_name(self, among: NDArray[np.bool_]) -> None:
        """Join the rows marked in ``among`` by the compound's name."""
        for name, names in self.keys.names.items():
            for lookup in (self.index.other(plain_name(name)), self.index.id):
                if lookup is not None:
                    self._take(name, lookup, names.where(among, ""), same=False)

    def loose(self, kind: str) -> None:
        """Join what is still open by a key that several molecules may share."""
        if kind == "name":
            self.by_name(np.ones(len(self.rows), np.bool_))
        elif kind == "connectivity":
            self._take(_LOOSE[kind], self.index.connectivity, self._blocks())
        else:
            for ids in self.keys.ids.values():
                self._take(_LOOSE[kind], self.index.short, short_ids(ids))

    def hints(self, key: str) -> Iterator[str]:
        """Say what would have joined by another key."""
        if key in _EXACT:
            other = self._would("auto")
            if other:
                yield f"{other:,} more would join by another exact key (--join auto)"
        for kind, words in _LOOSE.items():
            costly = kind == "connectivity" and not self.index.cheap_keys
            if kind != key and not costly and (other := self._would(kind)):
                yield f"{other:,} more would join by {words} (--join {kind})"

    def other_ids(self) -> dict[int, str]:
        """Return the rows of which two ids, each in the column of its name, are of different molecules."""
        found: dict[int, str] = {}
        for name, ids in self.keys.ids.items():
            lookup = self.index.other(plain_name(name))
            if lookup is None:
                continue
            rows = np.where(lookup.repeated(ids), -1, lookup.find(ids))
            for row in np.flatnonzero((rows >= 0) & (self.rows >= 0) & (rows != self.rows)):
                mine, other = self.rows[row], rows[row]
                if contradicts(self.index.smiles_of[mine], self.index.smiles_of[other]):
                    joined = self.index.molecules["mol_id"].iloc[mine]
                    found[int(row)] = f"joined {joined}, but its {name} is {ids.iloc[row]}"
        return found

    def report(
        self, where: str, wanted: list[str], key: str, wrong: dict[int, str], *, left_out: bool, hints: bool
    ) -> JoinReport:
        shown = self.keys.shown()
        missing = pd.unique(shown[(self.rows < 0) & ~self.closed & (shown != "").to_numpy()])
        kinds = {"id": "mol_id", "inchikey": "InChIKey", "smiles": "canonical SMILES"}
        tried = [kinds[kind] for kind in wanted if _has_any(self.keys, [kind], key)] or ["name"]
        open_ = bool((self.rows < 0).any())
        self.labels[(self.labels == "") & (shown == "").to_numpy()] = "without an id"
        return JoinReport(
            where=where,
            key=_listed(self.by) if self.by else ", ".join(tried),
            total=len(self.rows),
            joined=int((self.rows >= 0).sum()),
            missing=tuple(map(str, missing[:_EXAMPLES])),
            missing_count=len(missing),
            ambiguous=self.several,
            torn=self.torn,
            hints=tuple(self.hints(key)) if open_ and hints else (),
            contradictions=tuple(f"row {row + 1}: {text}" for row, text in wrong.items()),
            contradictions_left_out=left_out,
            keys=tuple(self.labels.tolist()),
        )

    def _open(self, keys: pd.Series[Any]) -> NDArray[np.bool_]:
        return np.asarray((self.rows < 0) & ~self.closed & (keys != "").to_numpy(), np.bool_)

    def _take(self, label: str, lookup: Lookup, keys: pd.Series[Any], *, same: bool = True) -> None:
        """Give open rows the molecule of their key; ``same``: molecules that share a key are as good."""
        open_ = self._open(keys)
        if not open_.any():
            return
        found = np.where(open_, lookup.find(keys), -1)
        several = (found >= 0) & lookup.repeated(keys)
        if several.any() and not same:
            torn = several & np.array([self._differ(lookup, key) for key in keys.where(several, "")])
            self.torn += int(torn.sum())
            found[torn] = -1
            several &= ~torn
        self.several += int(several.sum())
        if joined := int((found >= 0).sum()):
            self.by[label] = self.by.get(label, 0) + joined
        self.labels[found >= 0] = label
        self.rows = np.where(found >= 0, found, self.rows)

    def _differ(self, lookup: Lookup, key: str) -> bool:
        """Whether the molecules of a key have different structures."""
        return len(set(canonical_of(self.index.smiles_of[row] for row in lookup.rows_of(key)))) > 1

    def _id_lookups(self) -> Iterator[tuple[str, Lookup, pd.Series[Any]]]:
        """Yield each column of ids with the column of molecules to look in, those of one name first."""
        plain = {name: plain_name(name) for name in self.keys.ids}
        same = [name for name in plain if self._named(plain[name])]
        rest = [name for name in plain if name not in same]
        for name in same:
            if (lookup := self.index.other(plain[name])) is not None and plain[name] != self.index.id_column:
                yield name, lookup, self.keys.ids[name]
            else:
                yield "mol_id", self.index.id, self.keys.ids[name]
        for name in [*same, *rest]:
            ids = self.keys.ids[name]
            if same and name not in self._mol_id_names(plain):
                # a number is an id in its own column only: CID 5 is not compound 5 of a library
                ids = ids.where(~ids.str.fullmatch(r"\d+"), "")
            yield "mol_id", self.index.id, ids

    def _named(self, plain: str) -> bool:
        return plain in (self.index.id_column, "molid") or self.index.other(plain) is not None

    def _mol_id_names(self, plain: dict[str, str]) -> list[str]:
        return [name for name in plain if plain[name] in (self.index.id_column, "molid")]

    def _blocks(self) -> pd.Series[Any]:
        """Return the first block of each open row's InChIKey, of its own or of its SMILES."""
        blocks = self.keys.inchikey.str[:BLOCK]
        bare = self._open(self.keys.smiles) & (blocks == "").to_numpy()
        return blocks.where(~bare, self.keys.smiles.where(bare, "").map(block_of))

    def _would(self, kind: str) -> int:
        """Count the open rows that another key would join."""
        trial = _Joining(self.keys, self.index)
        trial.rows, trial.closed = self.rows.copy(), self.closed
        if kind == "auto":
            for exact in _EXACT:
                trial.strict(exact)
        else:
            trial.loose(kind)
        return int((trial.rows >= 0).sum() - (self.rows >= 0).sum())


def columns_hint(metadata: pd.DataFrame) -> str:
    """Say which columns there are."""
    shown = ", ".join(map(str, metadata.columns[:12])) or "none"
    return f"columns that could hold ids: {shown}"


def _has_any(keys: RowKeys, wanted: list[str], key: str) -> bool:
    """Whether the table has a column for one of these keys."""
    has = {
        "id": bool(keys.ids),
        "inchikey": bool((keys.inchikey != "").any()),
        "smiles": bool((keys.smiles != "").any()),
    }
    return any(has[kind] for kind in wanted) or (key in ("auto", "name") and bool(keys.names))


def _listed(counts: dict[str, int]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    parts = [f"{name} ({count:,})" for name, count in counts.items()]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
