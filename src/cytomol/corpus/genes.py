"""Find the gene that a row speaks of: by symbol, NCBI (Entrez) id, previous symbol or alias."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import ENTREZ_IDS, GENE_IDS, as_ids, plain_name
from cytomol.corpus.lookup import Lookup
from cytomol.corpus.problems import JoinReport, Problems
from cytomol.errors import InputError

__all__ = [
    "ALIASES",
    "GeneIndex",
    "add_aliases",
    "control_genes",
    "gene_columns",
    "gene_names",
    "gene_union",
    "join_genes",
    "known_genes",
]

Rows = NDArray[np.int64]

# Column of the table of genes with every other name of a gene, separated by bars.
ALIASES = "aliases"
_PREVIOUS = ("prevsymbol", "previoussymbol", "previoussymbols", "prevsymbols", "previous", "oldsymbol")
_OTHER_NAMES = ("alias", "aliases", "aliassymbol", "aliassymbols", "synonym", "synonyms")
_SEPARATORS = re.compile(r"[|,;]")
_EXAMPLES = 5
# What libraries carry in place of a gene, without case and punctuation; a number may follow.
# CFP, CTRL and RFP2 are genes (or were), and so not in the list.
_CONTROLS = re.compile(
    r"(?:lacz|e?gfp|e?bfp|e?yfp|ecfp|mcherry|dsred|hcred|tdtomato|luciferase|luc|fluc|rluc|"
    r"emptyvector|empty|pgw|untrt|untreated|noguide|nogrna|notarget|nontargeting|nontarget|ntc|"
    r"safetargeting|safeharbor|scrambled?|(?:chr\d+|onenon)?intergenic(?:site)?|negcon|poscon|"
    r"negativecontrol|control|ctlvector|ctluntrt|ctlvehicle)"
    r"(?:control|ctrl|sg|sgrna|v)?\d*|rfp"
)


class GeneIndex:
    """Genes by ``gene_id``, ``entrez_id`` where the table has it, and their other names.

    Parameters
    ----------
    genes
        Table with ``gene_id`` and perhaps ``entrez_id``; columns of previous symbols and aliases
        (``prev_symbol``, ``alias_symbol``, ``aliases``, names separated by bars) count too.
    """

    def __init__(self, genes: pd.DataFrame) -> None:
        self.id = Lookup(genes["gene_id"])
        self.entrez = Lookup(as_ids(genes["entrez_id"]) if "entrez_id" in genes else [])
        self._previous = _names(genes, _PREVIOUS)
        self._aliases = _names(genes, _OTHER_NAMES)

    def find(self, ids: pd.Series[Any]) -> tuple[Rows, dict[str, int], int]:
        """Return the gene of each id (-1 where none), how many joined by what, and how many fit several."""
        rows = np.full(len(ids), -1, np.int64)
        by: dict[str, int] = {}
        for label, lookup in (("gene_id", self.id), ("entrez_id", self.entrez)):
            found = np.where(rows < 0, lookup.find(ids), -1)
            if joined := int((found >= 0).sum()):
                by[label] = joined
            rows = np.where(found >= 0, found, rows)
        several = 0
        for label, names in (("previous symbol", self._previous), ("alias", self._aliases)):
            if not names:
                continue
            for row in np.flatnonzero(rows < 0):
                genes = names.get(ids.iloc[row], set())
                if len(genes) == 1:
                    rows[row] = next(iter(genes))
                    by[label] = by.get(label, 0) + 1
                several += len(genes) > 1
        return rows, by, several


def join_genes(
    metadata: pd.DataFrame,
    index: GeneIndex,
    *,
    where: str,
    column: str | None = None,
    leave_out: bool = False,
) -> tuple[Rows, JoinReport]:
    """Return the gene of each row of a table (-1 where none), row by row by the first name that fits.

    Controls (LacZ, GFP, non-targeting, ...) are no genes, unless the table of genes lists them.

    Parameters
    ----------
    metadata
        Id columns of the table.
    index
        The genes.
    where
        Name of the table, for the report.
    column
        Column that holds the names; by default those of symbols and of Entrez ids.
    leave_out
        Leave rows out whose symbol and Entrez id are of different genes; by default they are an error, which
        the report carries.

    Raises
    ------
    InputError
        If the table has no such column.
    """
    names = [column] if column else gene_columns(metadata)
    if not names or names[0] not in metadata:
        shown = ", ".join(map(str, metadata.columns[:12])) or "none"
        raise InputError(
            "has no column of gene ids", where=where, hint=f"columns that could hold ids: {shown}"
        )
    joining = _Joining(len(metadata))
    for name in names:
        joining.take(as_ids(metadata[name]).reset_index(drop=True), index)
    if leave_out:
        joining.rows[list(joining.wrong)] = -1
    place = f"{where}, column {names[0]}" if len(names) == 1 else where
    return joining.rows, joining.report(place, left_out=leave_out)


class _Joining:
    """One pass over the columns of names: each row takes the gene of the first that fits."""

    def __init__(self, count: int) -> None:
        self.rows = np.full(count, -1, np.int64)
        self.shown = pd.Series([""] * count, dtype=object)  # what to call each row in a message
        self.by: dict[str, int] = {}
        self.torn = 0
        self.control = np.zeros(count, np.bool_)
        self.wrong: dict[int, str] = {}

    def take(self, ids: pd.Series[Any], index: GeneIndex) -> None:
        """Give open rows the gene of their id, and keep where it is not the gene that a row has already."""
        known, joined, torn = index.find(ids)
        if (self.rows >= 0).any():  # counted are open rows only
            _, joined, torn = index.find(ids.where(self.rows < 0, ""))
        for row in np.flatnonzero((self.rows >= 0) & (known >= 0) & (known != self.rows)):
            self.wrong[int(row)] = f"{self.shown.iloc[row]} and {ids.iloc[row]} are different genes"
        for label, count in joined.items():
            self.by[label] = self.by.get(label, 0) + count
        self.torn += torn
        self.rows = np.where(self.rows < 0, known, self.rows)
        self.shown = self.shown.where(self.shown != "", ids)
        self.control |= control_genes(ids)

    def report(self, where: str, *, left_out: bool) -> JoinReport:
        """Say how that went."""
        control = self.control & (self.rows < 0)
        missing = pd.unique(self.shown[(self.rows < 0) & ~control & (self.shown != "").to_numpy()])
        key = ", ".join(self.by if len(self.by) < 2 else (f"{k} ({n:,})" for k, n in self.by.items()))
        return JoinReport(
            where=where,
            key=key or "gene_id or entrez_id",
            total=len(self.rows),
            joined=int((self.rows >= 0).sum()),
            missing=tuple(map(str, missing[:_EXAMPLES])),
            missing_count=len(missing),
            torn=self.torn,
            controls=tuple(map(str, pd.unique(self.shown[control]))),
            control_rows=int(control.sum()),
            contradictions=tuple(f"row {row + 1}: {text}" for row, text in sorted(self.wrong.items())),
            contradicting="symbol and Entrez id",
            contradictions_left_out=left_out,
        )


def gene_columns(metadata: pd.DataFrame) -> list[str]:
    """Return the columns that hold symbols, then those that hold Entrez ids."""
    plain = {str(c): plain_name(str(c)) for c in metadata}
    return [c for c in plain if plain[c] in GENE_IDS] + [c for c in plain if plain[c] in ENTREZ_IDS]


def gene_names(
    metadata: pd.DataFrame, column: str | None = None, *, where: str = "", controls: bool = False
) -> pd.DataFrame:
    """Return columns ``symbol`` and ``entrez`` of a table's rows, "" where unknown.

    Parameters
    ----------
    metadata
        Id columns of the table.
    column
        The column that holds the names; by default those whose names say so.
    where
        The table, for messages.
    controls
        Keep the names of controls, as of genes.

    Raises
    ------
    InputError
        If the table has no such column.
    """
    names = [column] if column else gene_columns(metadata)
    if not names:
        raise InputError("has no column of gene ids", where=where, hint="name it gene_id or Metadata_gene")
    symbol = pd.Series([""] * len(metadata), dtype=object)
    entrez = symbol
    for name in names:
        ids = as_ids(metadata[name]).reset_index(drop=True)
        number = ids.str.fullmatch(r"\d+")
        entrez = entrez.where(entrez != "", ids.where(number, ""))
        symbol = symbol.where(symbol != "", ids.where(~number, ""))
    if not controls:
        control = control_genes(symbol) & (entrez == "").to_numpy()
        symbol = symbol.where(~control, "")
    return pd.DataFrame({"symbol": symbol, "entrez": entrez})


def control_genes(ids: pd.Series[Any]) -> NDArray[np.bool_]:
    """Return which names are those of controls and of no genes (LacZ, eGFP, non-targeting, ...)."""
    known = {str(name): bool(_CONTROLS.fullmatch(plain_name(str(name)))) for name in pd.unique(ids)}
    return ids.map(known).to_numpy(np.bool_) if len(ids) else np.zeros(0, np.bool_)


def gene_union(
    tables: Iterable[pd.DataFrame], aliases: pd.DataFrame | None, problems: Problems
) -> pd.DataFrame:
    """Return every gene that tables name, once, however it is named there.

    Parameters
    ----------
    tables
        Each with columns ``symbol`` and ``entrez`` (text, "" where unknown): two names of a row are of
        one gene.
    aliases
        Table of genes with their other names (see `add_aliases`), or None.
    problems
        Receives a note where one symbol has several Entrez ids.
    """
    named = pd.concat([table[["symbol", "entrez"]] for table in tables], ignore_index=True).drop_duplicates()
    named = named[((named["symbol"] != "") | (named["entrez"] != "")).to_numpy()]
    if aliases is not None and len(named):
        named = _approved(named, GeneIndex(aliases), aliases)
    entrez_of: dict[str, str] = {}
    pairs = named[(named["symbol"] != "") & (named["entrez"] != "")]
    for symbol, ids in pairs.groupby("symbol", sort=False)["entrez"]:
        numbers = list(dict.fromkeys(ids))
        entrez_of[str(symbol)] = numbers[0]
        if len(numbers) > 1:
            shown = ", ".join(numbers[:_EXAMPLES])
            problems.note(f"gene {symbol} has several Entrez ids ({shown}); {numbers[0]} is used")
    symbols: dict[str, list[str]] = {}
    for symbol, entrez in zip(named["symbol"], named["entrez"], strict=True):
        gene = (entrez_of.get(symbol, "") if symbol else entrez) or symbol
        names = symbols.setdefault(gene, [])
        if symbol and symbol not in names:
            names.append(symbol)
    rows = []
    for gene, names in symbols.items():
        entrez = gene if gene.isdigit() else ""
        others = names[1:]
        rows.append({"gene_id": names[0] if names else gene, "entrez_id": entrez, ALIASES: "|".join(others)})
    frame = pd.DataFrame(rows, columns=["gene_id", "entrez_id", ALIASES])
    frame = frame.sort_values("gene_id").reset_index(drop=True)
    empty = [name for name in ("entrez_id", ALIASES) if (frame[name] == "").all()]
    return frame.drop(columns=empty)


def known_genes(genes: pd.DataFrame, index: GeneIndex) -> NDArray[np.bool_]:
    """Return which genes of a table another table has, by symbol, Entrez id or alias."""
    known = index.find(genes["gene_id"])[0] >= 0
    if "entrez_id" in genes:
        known |= index.entrez.find(as_ids(genes["entrez_id"])) >= 0
    return known


def add_aliases(genes: pd.DataFrame, path: Path, aliases: pd.DataFrame) -> pd.DataFrame:
    """Return the table of genes with the other names that a table of aliases (HGNC's, for one) knows.

    Parameters
    ----------
    genes
        With ``gene_id`` and perhaps ``entrez_id``.
    path
        The table of aliases, for messages.
    aliases
        Its rows, as `cytomol.corpus.tables.gene_table` returns them: a symbol, perhaps an Entrez id, and
        columns of previous symbols and aliases.
    """
    others = [c for c in map(str, aliases) if plain_name(c) in (*_PREVIOUS, *_OTHER_NAMES)]
    if not others:
        raise InputError(
            "has no column of aliases",
            where=str(path),
            hint="name them alias_symbol and prev_symbol, as HGNC does; several names separated by |",
        )
    if not len(genes):
        return genes
    index = GeneIndex(aliases)
    rows, _, _ = index.find(genes["gene_id"])
    if "entrez_id" in genes:
        by_number = index.entrez.find(as_ids(genes["entrez_id"]))
        rows = np.where(by_number >= 0, by_number, rows)
    genes = genes.copy()
    known = _split(genes[ALIASES]) if ALIASES in genes else [[] for _ in range(len(genes))]
    texts = {c: _split(as_ids(aliases[c])) for c in others}
    symbols = aliases["gene_id"].tolist()
    gene_ids = set(genes["gene_id"])
    for gene, row in enumerate(rows):
        if row >= 0:
            more = [symbols[row], *(name for c in others for name in texts[c][row])]
            known[gene] += [name for name in more if name not in gene_ids and name not in known[gene]]
    genes[ALIASES] = ["|".join(names) for names in known]
    if "entrez_id" in aliases:
        numbers = aliases["entrez_id"].reindex(range(len(aliases)))
        found = pd.Series([numbers[row] if row >= 0 else pd.NA for row in rows], dtype="Int64")
        genes["entrez_id"] = genes["entrez_id"].fillna(found) if "entrez_id" in genes else found
    return genes


def _approved(named: pd.DataFrame, index: GeneIndex, aliases: pd.DataFrame) -> pd.DataFrame:
    """Call genes by the symbols and ids that a table of aliases has for them."""
    rows, _, _ = index.find(named["symbol"])
    by_number = index.entrez.find(named["entrez"])
    rows = np.where(by_number >= 0, by_number, rows)
    hit = rows >= 0
    symbol = np.where(hit, aliases["gene_id"].to_numpy(object)[rows], named["symbol"])
    entrez = named["entrez"].to_numpy(object)
    if "entrez_id" in aliases:
        known = as_ids(aliases["entrez_id"]).to_numpy(object)[rows]
        entrez = np.where(hit & (known != ""), known, entrez)
    return pd.DataFrame({"symbol": symbol, "entrez": entrez}).drop_duplicates()


def _names(genes: pd.DataFrame, wanted: tuple[str, ...]) -> dict[str, set[int]]:
    """Return which genes bear a name, from the columns of names that are wanted."""
    names: dict[str, set[int]] = {}
    for column in genes:
        if plain_name(str(column)) in wanted:
            for row, texts in enumerate(_split(as_ids(genes[column]))):
                for text in texts:
                    names.setdefault(text, set()).add(row)
    return names


def _split(cells: pd.Series[Any]) -> list[list[str]]:
    parts = [[name.strip().strip('"') for name in _SEPARATORS.split(str(cell))] for cell in cells]
    return [[name for name in names if name and name != "nan"] for names in parts]
