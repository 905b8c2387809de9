"""Ids, keys and missing values: one reading of a cell, whatever file it stood in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from cytomol.corpus.schema import Entity

__all__ = [
    "COMPOUND_NAMES",
    "ENTREZ_IDS",
    "GENE_IDS",
    "INCHIKEYS",
    "INCHIS",
    "MOLECULE_IDS",
    "SMILES",
    "as_ids",
    "as_inchikeys",
    "entity_of_column",
    "only",
    "plain_name",
    "short_ids",
]

# Names of id columns, without prefix, case and punctuation; the first of these that a table has counts most.
MOLECULE_IDS = (
    "molid", "moleculeid", "compoundid", "pertid", "broadsample", "broadid", "jcp2022", "brdid", "drugid",
    "chemblid", "compound", "molecule", "id", "pubchemcid",
)  # fmt: skip
# A name is no id: names repeat, and one compound has many.
COMPOUND_NAMES = ("pertiname", "compoundname", "moleculename", "drugname", "cmapname")
GENE_IDS = ("geneid", "genesymbol", "symbol", "gene", "prgenesymbol", "approvedsymbol", "hgncsymbol")
ENTREZ_IDS = ("entrezid", "ncbigeneid", "entrez", "prgeneid", "entrezgeneid")
INCHIKEYS = ("inchikey", "standardinchikey", "inchikey14", "inchikeyfirstblock")
INCHIS = ("inchi", "standardinchi")
SMILES = ("smiles", "canonicalsmiles", "isomericsmiles", "structure")

_PREFIX = re.compile(r"^(?:[a-z]+_)?metadata_", re.IGNORECASE)
# How R, pandas, Excel, SQL and the Connectivity Map write that nothing is known.
_MISSING = frozenset(
    ("", "na", "NA", "N/A", "n/a", "#N/A", "<NA>", "nan", "NaN", "NAN", "None", "none", "NULL", "null", "NaT",
     "-666", "-666.0", "-")
)  # fmt: skip
_WHOLE = re.compile(r"[+-]?\d+\.0*")
_LARGE = re.compile(r"\d(?:\.\d+)?[eE]\+\d\d")
_BYTES = re.compile(r"b'([^']*)'|b\"([^\"]*)\"")
_KEY_PREFIX = re.compile(r"inchikey\s*[=:]\s*", re.IGNORECASE)
_SHORT = re.compile(r"(BRD-[A-Z]\d{8})(?:-.*)?")


def plain_name(column: str) -> str:
    """Return a column name without ``Metadata_``, case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", _PREFIX.sub("", column.strip()).lower())


def entity_of_column(column: str) -> Entity | None:
    """Return whose id a column holds, judged by its name; None for a feature."""
    name = plain_name(column)
    if name.endswith(("smiles", "inchikey")):  # rdkit_smiles, compound_SMILES
        return "molecule"
    if name in (*MOLECULE_IDS, *COMPOUND_NAMES, *INCHIKEYS, *INCHIS, *SMILES):
        return "molecule"
    return "gene" if name in (*GENE_IDS, *ENTREZ_IDS) else None


def as_ids(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return ids as text: stripped, "" where missing, 702 for 702.0, without ``InChIKey=``.

    Every reader passes its ids, keys and names through here, so that a cell means the same whether it
    stood in CSV, Parquet, AnnData, GCT or GCTX, and whether as text, number, category or bytes.
    """
    codes, values = pd.factorize(column, use_na_sentinel=True)
    texts = np.array([*map(_as_id, values), ""], dtype=object)
    return pd.Series(texts[codes], index=column.index, name=column.name, dtype=object)


def as_inchikeys(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return InChIKeys (whole or first blocks) as `as_ids`, in capitals."""
    return as_ids(column).str.upper()


def only(texts: pd.Series[Any], fits: Callable[[str], bool]) -> pd.Series[Any]:
    """Return the texts for which a test holds, "" in place of the others."""
    known = {text: bool(text) and fits(text) for text in pd.unique(texts)}
    return pd.Series([text if known[text] else "" for text in texts], index=texts.index, dtype=object)


def short_ids(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Return the part of Broad ids that names the compound (BRD-K and 8 digits); "" for other ids."""
    found = [_SHORT.fullmatch(text) for text in ids]
    return pd.Series([match[1] if match else "" for match in found], index=ids.index, dtype=object)


def _as_id(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            return ""
        value = str(int(value)) if value == int(value) else str(value)
    text = str(value).strip().strip("\ufeff\u200b\0").strip()
    if text in _MISSING:
        return ""
    if (written := _BYTES.fullmatch(text)) is not None:  # bytes that somebody's script turned into text
        text = (written[1] or written[2] or "").strip()
    text = _KEY_PREFIX.sub("", text, count=1) if _KEY_PREFIX.match(text) else text
    if _WHOLE.fullmatch(text):
        text = text.split(".")[0]
    elif _LARGE.fullmatch(text) and float(text) < 2**53 and float(text).is_integer():
        text = str(int(float(text)))  # R writes 100000 as 1e+05
    return "" if text in _MISSING else text
