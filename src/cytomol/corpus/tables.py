"""Tables of molecules, genes and weights in the form that the schema wants."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import (
    COMPOUND_NAMES,
    ENTREZ_IDS,
    GENE_IDS,
    INCHIKEYS,
    INCHIS,
    MOLECULE_IDS,
    SMILES,
    as_ids,
    as_inchikeys,
    entity_of_column,
    plain_name,
)
from cytomol.corpus.problems import Problems
from cytomol.corpus.read_rows import read_rows
from cytomol.corpus.structures import canonical_of, contradicts, is_inchikey, key_of, smiles_of_inchi
from cytomol.counted import agreeing, counted
from cytomol.errors import InputError
from cytomol.tables.number_texts import as_numbers

__all__ = ["check_keys", "gene_table", "molecule_table", "read_ids", "relation_weights"]

_MOLECULE_COLUMNS = {"smiles": SMILES, "inchi": INCHIS, "inchikey": INCHIKEYS, "mol_id": MOLECULE_IDS}
_GENE_COLUMNS = {"gene_id": GENE_IDS, "entrez_id": ENTREZ_IDS}
_EXAMPLES = 5
_LOOKED_AT = 5_000


def read_ids(path: Path, ids: Collection[str] = ()) -> pd.DataFrame:
    """Read a table whose columns are numbers, but for ids, which stay as they stand in the file.

    Parameters
    ----------
    path
        The table.
    ids
        Columns of ids besides ``Metadata_*`` and those whose name says so. In a text file an id such as
        ``007`` would otherwise turn into the number 7.
    """
    frame = read_rows(path)
    if path.suffix == ".parquet":
        return frame
    numeric = [
        name
        for name in frame.columns
        if (name in ids or entity_of_column(name) or name.lower().startswith("metadata_"))
        and pd.api.types.is_numeric_dtype(frame[name])
    ]
    if numeric:
        text = read_rows(path, text=True)
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
    published: bool = False,
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
    published
        Take tables as libraries are published: a repeated id with the same structure is kept once, a row
        without id is called by its InChIKey, and an InChIKey that contradicts its structure is an error.

    Raises
    ------
    InputError
        If there is no SMILES column or no row.
    """
    id_name = _id_column(frame, id_col)
    frame = _renamed(frame, _MOLECULE_COLUMNS, {"smiles": smiles_col, "mol_id": id_col}, where)
    if "smiles" not in frame and "inchi" not in frame:
        raise InputError("has no column of SMILES", where=where, hint=_columns(frame))
    if len(frame) == 0:
        raise InputError("holds no molecules", where=where)
    for name in ("mol_id", "smiles", "inchi"):
        if name in frame:
            frame[name] = as_ids(frame[name])
    if "inchikey" in frame:
        frame["inchikey"] = as_inchikeys(frame["inchikey"])
    if "inchi" in frame:
        frame = _with_smiles(frame, where, problems)
    if "mol_id" not in frame:
        # not m0, m1, ...: other tables use such ids for molecules of their own, and would join these
        frame.insert(0, "mol_id", [f"row{row + 1}" for row in range(len(frame))])
        problems.note(f"{where}: no column of ids; molecules are called row1, row2, ...")
    elif published:
        frame = _named(frame, where, problems)
        frame = _once(frame, where, problems)
    frame.attrs["id_column"] = id_name
    if published:
        check_keys(frame, where=where, problems=problems)
    return _unique(frame, "mol_id", where, problems, keep_first=keep_first)


def check_keys(frame: pd.DataFrame, *, where: str, problems: Problems) -> None:
    """Report molecules whose InChIKey (a column of its own, or the id) is not that of their SMILES.

    Of a long table some 5,000 rows all over it are looked at first, since an InChIKey takes milliseconds;
    all of them if one of these is wrong.
    """
    for name in ("inchikey", "mol_id"):
        if name not in frame:
            continue
        step = max(1, len(frame) // _LOOKED_AT)
        wrong = _contradicting(frame.iloc[::step], name)
        if wrong and step > 1:
            wrong = _contradicting(frame, name)
        if wrong:
            shown = "; ".join(
                f"row {row + 1}: {frame['mol_id'].iloc[row]} is {frame['smiles'].iloc[row]},"
                f" but its key is {frame[name].iloc[row]}"
                for row in wrong[:_EXAMPLES]
            )
            problems.error(
                InputError(
                    f"the InChIKey contradicts the SMILES in {len(wrong):,} of {len(frame):,} rows: {shown}",
                    where=f"{where}, column {name}",
                    hint="is the column shifted? mend it, or leave it out",
                )
            )


def _contradicting(frame: pd.DataFrame, name: str) -> list[int]:
    return [
        row
        for row, (smiles, key) in enumerate(zip(frame["smiles"], frame[name], strict=True))
        if is_inchikey(key, whole=name == "mol_id") and contradicts(smiles, key)
    ]


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
        numbers = as_numbers(text.where(text != ""))
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
    weight = as_numbers(frame["weight"]).to_numpy(np.float32, na_value=np.nan)
    wrong = ~(np.abs(weight) <= 1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        problems.error(
            InputError(
                agreeing(int(wrong.sum()), "weight", "is not a number", "are not numbers")
                + f" in [-1, 1], the first is {frame['weight'].iloc[row]}",
                where=f"{where}, row {row + 1}, column weight",
                hint="divide by the largest",
            )
        )
    return weight


def _columns(frame: pd.DataFrame) -> str:
    return f"columns: {', '.join(frame.columns[:12])}"


def _id_column(frame: pd.DataFrame, given: str | None) -> str:
    """Return the plain name of the column of ids, as the user's table has it; "" for none."""
    known = str(frame.attrs.get("id_column", ""))
    plain = [plain_name(name) for name in frame.columns]
    return known or plain_name(given or next((name for name in MOLECULE_IDS if name in plain), ""))


def _with_smiles(frame: pd.DataFrame, where: str, problems: Problems) -> pd.DataFrame:
    """Fill empty cells of SMILES from the InChI."""
    smiles = frame["smiles"] if "smiles" in frame else pd.Series([""] * len(frame), dtype=object)
    absent = (smiles == "") & (frame["inchi"] != "")
    if absent.any():
        smiles = smiles.where(~absent, [smiles_of_inchi(text) for text in frame["inchi"].where(absent, "")])
        come = agreeing(int(absent.sum()), "structure", "comes", "come")
        problems.note(f"{where}: {come} from the InChI")
    return frame.assign(smiles=smiles)


def _named(frame: pd.DataFrame, where: str, problems: Problems) -> pd.DataFrame:
    """Call molecules without id by their InChIKey; leave out what has neither id nor structure."""
    absent = frame["mol_id"] == ""
    if not absent.any():
        return frame
    inchikeys = frame["inchikey"] if "inchikey" in frame else pd.Series([""] * len(frame), index=frame.index)
    keys = [
        (key if is_inchikey(key) else key_of(smiles)) if no_id else ""
        for no_id, key, smiles in zip(absent, inchikeys, frame["smiles"], strict=True)
    ]
    frame = frame.assign(mol_id=frame["mol_id"].where(~absent, keys))
    names = [c for c in frame.columns if plain_name(c) in COMPOUND_NAMES]
    shown = frame.loc[absent, names[0] if names else "smiles"].astype(str).tolist()
    lack = agreeing(int(absent.sum()), "row", "has", "have")
    note = f"{where}: {lack} no id ({', '.join(shown[:_EXAMPLES])})"
    empty = frame["mol_id"] == ""
    without, named = int(empty.sum()), int(absent.sum() - empty.sum())
    left = f"{without:,} without structure {'was' if without == 1 else 'were'} left out" if without else ""
    done = (
        f"{named:,} {'is called by its' if named == 1 else 'are called by their'} InChIKey" if named else ""
    )
    problems.note(f"{note}: {'; '.join(filter(None, (done, left)))}")
    return frame[~empty].reset_index(drop=True)


def _once(frame: pd.DataFrame, where: str, problems: Problems) -> pd.DataFrame:
    """Keep a repeated id once where its structure is the same; the others stay, and are an error."""
    repeated = frame["mol_id"].duplicated(keep=False)
    if not repeated.any():
        return frame
    canonical = pd.Series(canonical_of(frame["smiles"].where(repeated, "")), index=frame.index)
    canonical = canonical.where(canonical != "", frame["smiles"])
    same = pd.DataFrame({"id": frame["mol_id"], "smiles": canonical}).duplicated() & repeated
    if same.any():
        shown = ", ".join(map(str, frame.loc[same, "mol_id"].unique()[:_EXAMPLES]))
        left_out = "repeats an id with its structure and was", "repeat an id with its structure and were"
        problems.note(f"{where}: {agreeing(int(same.sum()), 'row', *left_out)} left out: {shown}")
    return frame[~same].reset_index(drop=True)


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
            if chosen is None and target in ("smiles", "inchikey"):
                chosen = next((name for plain, name in by_plain.items() if plain.endswith(target)), None)
        if chosen is not None and chosen != target:
            names[chosen] = target
    kept = [name for name in frame.columns if name in names or name not in names.values()]
    return frame[kept].rename(columns=names).reset_index(drop=True)


def _unique(
    frame: pd.DataFrame, column: str, where: str, problems: Problems, *, keep_first: bool
) -> pd.DataFrame:
    absent = frame[column] == ""
    if absent.any() and keep_first:
        lack = agreeing(int(absent.sum()), "row", f"has no {column} and was", f"have no {column} and were")
        problems.note(f"{where}: {lack} left out")
        frame = frame[~absent]
    elif absent.any():
        row = int(np.flatnonzero(absent)[0])
        lack = agreeing(int(absent.sum()), "row", "has", "have")
        raise InputError(f"{lack} no {column}", where=f"{where}, row {row + 1}")
    repeated = frame[column].duplicated()
    if not repeated.any():
        return frame
    row = int(np.flatnonzero(repeated)[0])
    count = int(repeated.sum())
    if keep_first:
        repeat = agreeing(count, "row", "repeats", "repeat")
        were = "was" if count == 1 else "were"
        problems.note(f"{where}: {repeat} the {column} of an earlier row and {were} left out")
    else:
        problems.error(
            InputError(
                f"{column} {frame[column].iloc[row]!r} stands twice ({counted(count, 'repeat')} in all)",
                where=f"{where}, row {row + 1}",
                hint="every id must be unique",
            )
        )
    return frame[~repeated].reset_index(drop=True)
