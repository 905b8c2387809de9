"""Find the molecule or gene that a row of another table speaks of: by id, InChIKey or canonical SMILES."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.problems import JoinReport
from cytomol.corpus.schema import Entity
from cytomol.errors import InputError

__all__ = [
    "GeneIndex",
    "JoinKey",
    "MoleculeIndex",
    "as_ids",
    "entity_of_column",
    "join_genes",
    "join_molecules",
    "plain_name",
]

JoinKey = Literal["auto", "id", "inchikey", "connectivity", "smiles"]

# Names of id columns, without prefix, case and punctuation.
_MOLECULE_IDS = (
    "molid", "moleculeid", "molecule", "compoundid", "compound", "pertid", "broadsample", "broadid",
    "jcp2022", "brdid", "drugid", "chemblid", "pertiname", "id",
)  # fmt: skip
_GENE_IDS = ("geneid", "gene", "genesymbol", "symbol", "prgenesymbol")
_ENTREZ_IDS = ("entrezid", "ncbigeneid", "entrez", "prgeneid")
_INCHIKEYS = ("inchikey", "inchikey14", "standardinchikey", "inchikeyfirstblock")
_SMILES = ("smiles", "canonicalsmiles", "isomericsmiles")
_EXAMPLES = 5
_BLOCK = 14  # letters of the first block of an InChIKey, which stands for the connectivity


def plain_name(column: str) -> str:
    """Return a column name without ``Metadata_``, case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", column.lower().removeprefix("metadata_"))


def entity_of_column(column: str) -> Entity | None:
    """Return whose id a column holds, judged by its name; None for a feature."""
    name = plain_name(column)
    if name in (*_MOLECULE_IDS, *_INCHIKEYS, *_SMILES):
        return "molecule"
    return "gene" if name in (*_GENE_IDS, *_ENTREZ_IDS) else None


def as_ids(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return ids as stripped text, "" where missing; whole numbers lose a trailing ``.0``."""
    if pd.api.types.is_float_dtype(column):
        whole = column.where(column.isna() | (column % 1 == 0))
        if whole.notna().sum() == column.notna().sum():
            column = whole.astype("Int64")
    text = column.astype("string").fillna("").str.strip()
    return text.astype(object)


class _Index:
    """Rows of a table by some key; an id that stands twice leads to its first row."""

    def __init__(self, keys: Iterable[str]) -> None:
        series = pd.Series(list(keys), dtype=object)
        series = series[series != ""]
        first = ~series.duplicated()
        self._rows = series.index.to_numpy()[first.to_numpy()].astype(np.int64)
        self._index = pd.Index(series[first], dtype=object)
        self._repeated = set(series[series.duplicated()])

    def find(self, ids: pd.Series[Any]) -> NDArray[np.int64]:
        """Return the row of each id, -1 where unknown."""
        position = self._index.get_indexer(pd.Index(ids, dtype=object))
        if not len(self._rows):
            return np.full(len(ids), -1, np.int64)
        return np.where(position < 0, -1, self._rows[position])

    def ambiguous(self, ids: pd.Series[Any]) -> int:
        return int(ids.isin(self._repeated).sum()) if self._repeated else 0


class MoleculeIndex:
    """Molecules by id, InChIKey (whole or first block) and canonical SMILES; computed when first asked for.

    Parameters
    ----------
    molecules
        Table with ``mol_id``, ``smiles`` and perhaps ``inchikey``.
    """

    def __init__(self, molecules: pd.DataFrame) -> None:
        self._molecules = molecules
        self._others: dict[str, _Index | None] = {}

    @cached_property
    def id(self) -> _Index:
        """By ``mol_id``."""
        return _Index(self._molecules["mol_id"])

    @cached_property
    def inchikey(self) -> _Index:
        """By whole InChIKey."""
        return _Index(self._inchikeys)

    @cached_property
    def connectivity(self) -> _Index:
        """By the first block of the InChIKey (no stereochemistry, no isotopes)."""
        return _Index(key[:_BLOCK] for key in self._inchikeys)

    @cached_property
    def smiles(self) -> _Index:
        """By RDKit's canonical SMILES."""
        return _Index(_canonical(self._molecules["smiles"]))

    def other(self, name: str) -> _Index | None:
        """By another column of the table of molecules that has this name (see `plain_name`), if any."""
        if name not in self._others:
            columns = [c for c in map(str, self._molecules) if c != "mol_id" and plain_name(c) == name]
            self._others[name] = _Index(as_ids(self._molecules[columns[0]])) if columns else None
        return self._others[name]

    @cached_property
    def _inchikeys(self) -> list[str]:
        smiles = self._molecules["smiles"].tolist()
        if "inchikey" not in self._molecules:
            return _inchikeys(smiles)
        known: list[str] = as_ids(self._molecules["inchikey"]).tolist()
        absent = [row for row, key in enumerate(known) if not key]
        for row, key in zip(absent, _inchikeys([smiles[row] for row in absent]), strict=True):
            known[row] = key
        return known


class GeneIndex:
    """Genes by ``gene_id`` and, where the table has it, ``entrez_id``."""

    def __init__(self, genes: pd.DataFrame) -> None:
        self.id = _Index(genes["gene_id"])
        self.entrez = _Index(as_ids(genes["entrez_id"]) if "entrez_id" in genes else [])


def join_molecules(
    metadata: pd.DataFrame,
    index: MoleculeIndex,
    *,
    where: str,
    column: str | None = None,
    key: JoinKey = "auto",
) -> tuple[NDArray[np.int64], JoinReport]:
    """Return the molecule of each row of a table (-1 where none) and how that went.

    Parameters
    ----------
    metadata
        Id columns of the table.
    index
        The molecules.
    where
        Name of the table, for the report.
    column
        Column that holds the key; by default the one whose name says so and that joins most rows.
    key
        What to compare. "auto" takes the first of id, InChIKey (whole, else first block) and canonical
        SMILES that joins anything.

    Raises
    ------
    InputError
        If the table has no such column.
    """
    attempts: list[tuple[NDArray[np.int64], JoinReport]] = []
    for kind, names in _candidates(metadata, column, key, where).items():
        match = _MATCHES[kind]
        attempts += [match(as_ids(metadata[name]), index, f"{where}, column {name}") for name in names]
        if any(report.joined for _, report in attempts):
            break
    return max(attempts, key=lambda attempt: attempt[1].joined)


def join_genes(
    metadata: pd.DataFrame, index: GeneIndex, *, where: str, column: str | None = None
) -> tuple[NDArray[np.int64], JoinReport]:
    """Return the gene of each row of a table (-1 where none), by symbol or NCBI (Entrez) id."""
    names = (
        [column] if column else [c for c in map(str, metadata) if plain_name(c) in (*_GENE_IDS, *_ENTREZ_IDS)]
    )
    if not names or names[0] not in metadata:
        raise InputError("has no column of gene ids", where=where, hint=_columns_hint(metadata))
    attempts = []
    for name in names:
        ids = as_ids(metadata[name])
        place = f"{where}, column {name}"
        attempts += [
            _report(ids, index.id, place, "gene_id"),
            _report(ids, index.entrez, place, "entrez_id"),
        ]
    return max(attempts, key=lambda attempt: attempt[1].joined)


def _candidates(metadata: pd.DataFrame, column: str | None, key: JoinKey, where: str) -> dict[str, list[str]]:
    """Return the columns to be tried for each key, in this order."""
    kinds = ["id", "inchikey", "smiles"] if key == "auto" else [key]
    if column is not None:
        if column not in metadata:
            raise InputError(f"has no column {column!r}", where=where, hint=_columns_hint(metadata))
        return {kind: [column] for kind in kinds}
    names = {"id": _MOLECULE_IDS, "inchikey": _INCHIKEYS, "connectivity": _INCHIKEYS, "smiles": _SMILES}
    columns = {kind: [c for c in map(str, metadata) if plain_name(c) in names[kind]] for kind in kinds}
    found = {kind: fitting for kind, fitting in columns.items() if fitting}
    if not found:
        raise InputError(
            f"has no column of molecule ids ({', '.join(kinds)})", where=where, hint=_columns_hint(metadata)
        )
    return found


def _columns_hint(metadata: pd.DataFrame) -> str:
    shown = ", ".join(map(str, metadata.columns[:12])) or "none"
    return f"columns that could hold ids: {shown}"


def _by_id(ids: pd.Series[Any], index: MoleculeIndex, where: str) -> tuple[NDArray[np.int64], JoinReport]:
    """By ``mol_id``, or by a column of the same name in the table of molecules if that joins more."""
    best = _report(ids, index.id, where, "mol_id")
    name = str(ids.name)
    other = None if best[1].complete else index.other(plain_name(name))
    if other is None:
        return best
    return max(best, _report(ids, other, where, name), key=lambda attempt: attempt[1].joined)


def _by_inchikey(
    ids: pd.Series[Any], index: MoleculeIndex, where: str
) -> tuple[NDArray[np.int64], JoinReport]:
    """Whole keys first; where none fits because one side has first blocks only, those."""
    whole = _report(ids, index.inchikey, where, "InChIKey")
    return whole if whole[1].joined else _by_connectivity(ids, index, where)


def _by_connectivity(
    ids: pd.Series[Any], index: MoleculeIndex, where: str
) -> tuple[NDArray[np.int64], JoinReport]:
    return _report(ids.str[:_BLOCK], index.connectivity, where, "first block of the InChIKey")


def _by_smiles(ids: pd.Series[Any], index: MoleculeIndex, where: str) -> tuple[NDArray[np.int64], JoinReport]:
    canonical = pd.Series(_canonical(ids), dtype=object)
    rows = index.smiles.find(canonical)
    return rows, _describe(rows, ids, index.smiles.ambiguous(canonical), where, "canonical SMILES")


_MATCHES: dict[str, Callable[..., tuple[NDArray[np.int64], JoinReport]]] = {
    "id": _by_id,
    "inchikey": _by_inchikey,
    "connectivity": _by_connectivity,
    "smiles": _by_smiles,
}


def _report(ids: pd.Series[Any], index: _Index, where: str, key: str) -> tuple[NDArray[np.int64], JoinReport]:
    rows = index.find(ids)
    return rows, _describe(rows, ids, index.ambiguous(ids), where, key)


def _describe(
    rows: NDArray[np.int64], ids: pd.Series[Any], ambiguous: int, where: str, key: str
) -> JoinReport:
    missing = pd.unique(ids[(rows < 0) & (ids != "").to_numpy()])
    return JoinReport(
        where=where,
        key=key,
        total=len(rows),
        joined=int((rows >= 0).sum()),
        missing=tuple(map(str, missing[:_EXAMPLES])),
        missing_count=len(missing),
        ambiguous=ambiguous,
    )


def _canonical(smiles: Iterable[str]) -> list[str]:
    """Return the canonical SMILES of each molecule, "" for one that does not parse."""
    from cytomol.chem.keys import canonical_smiles

    return _per_molecule(smiles, canonical_smiles)


def _inchikeys(smiles: Sequence[str]) -> list[str]:
    from cytomol.chem.keys import inchikey

    return _per_molecule(smiles, inchikey)


def _per_molecule(smiles: Iterable[str], function: Callable[[Any], str | None]) -> list[str]:
    from cytomol.chem.parse import parse_smiles

    known: dict[str, str] = {"": ""}
    keys = []
    for text in smiles:
        if text not in known:
            molecule = parse_smiles(text).mol
            known[text] = "" if molecule is None else function(molecule) or ""
        keys.append(known[text])
    return keys
