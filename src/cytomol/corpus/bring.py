"""The molecules that tables of profiles bring along: rows with a structure of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import INCHIS, as_ids, only, plain_name
from cytomol.corpus.join import JoinKey, MoleculeIndex, join_molecules
from cytomol.corpus.problems import Problems
from cytomol.corpus.rowkeys import RowKeys, row_keys
from cytomol.corpus.structures import (
    canonical_of,
    contradicts,
    is_inchikey,
    is_smiles,
    key_of,
    smiles_of_inchi,
)
from cytomol.counted import agreeing, counted
from cytomol.errors import InputError

__all__ = ["bring_molecules", "no_molecules"]

_EXAMPLES = 5


def no_molecules() -> pd.DataFrame:
    """Return a table of molecules without rows."""
    return pd.DataFrame({name: pd.Series([], dtype=object) for name in ("mol_id", "smiles")})


def bring_molecules(
    molecules: pd.DataFrame,
    metadata: pd.DataFrame,
    problems: Problems,
    *,
    where: str,
    column: str | None = None,
    key: JoinKey = "auto",
    leave_out: bool = False,
) -> pd.DataFrame:
    """Return the molecules with those that a table of profiles has besides, one for each structure.

    A new molecule keeps the first id that its rows bear; without one it is called by its InChIKey. What
    joins a molecule that is there already brings none.

    Parameters
    ----------
    molecules
        Molecules so far; their rows and ids stay as they are.
    metadata
        What stands beside the features of the table.
    problems
        Receives notes and, where one id stands beside two structures, errors.
    where
        The table, for messages.
    column
        Its column of ids, where that is given.
    key
        How rows find the molecules that are there already.
    leave_out
        Leave rows out whose structure contradicts their id, instead of the error.
    """
    keys = row_keys(metadata, column)
    keys.smiles = _structures(metadata, keys)
    if not (keys.smiles != "").any():
        return molecules
    _check_row(keys, where, problems, off=leave_out)
    rows = np.full(len(metadata), -1, np.int64)
    if len(molecules):
        # rows that join but contradict bring nothing either: they are reported when profiles join
        index = MoleculeIndex(molecules)
        rows, _ = join_molecules(metadata, index, where=where, column=column, key=key)
    new = _new_molecules(keys, rows, molecules, where, problems, off=leave_out)
    if len(new):
        problems.note(f"{where}: brings {counted(len(new), 'molecule')}")
        attrs = molecules.attrs or new.attrs
        molecules = pd.concat([molecules, new], ignore_index=True).fillna("")
        molecules.attrs = dict(attrs)
    return molecules


def _structures(metadata: pd.DataFrame, keys: RowKeys) -> pd.Series[Any]:
    """Return the SMILES of each row, from its InChI where it has no other; "" where neither can be read."""
    smiles = keys.smiles
    for column in metadata:
        if plain_name(str(column)) in INCHIS:
            inchis = as_ids(metadata[column]).reset_index(drop=True)
            smiles = smiles.where(smiles != "", [smiles_of_inchi(text) for text in inchis])
    return only(smiles, is_smiles)


def _new_molecules(
    keys: RowKeys,
    rows: NDArray[np.int64],
    molecules: pd.DataFrame,
    where: str,
    problems: Problems,
    *,
    off: bool,
) -> pd.DataFrame:
    """Return one molecule for each structure among the rows that joined none."""
    open_ = (rows < 0) & (keys.smiles != "").to_numpy()
    ids = next(iter(keys.ids.values()), pd.Series([""] * len(rows), dtype=object)).copy()
    for more in list(keys.ids.values())[1:]:
        ids = ids.where(ids != "", more)
    frame = pd.DataFrame({"mol_id": ids, "smiles": keys.smiles, "inchikey": keys.inchikey})[open_]
    frame["structure"] = canonical_of(frame["smiles"])
    frame = _believed(frame, where, problems, off=off)
    first = frame[~frame["structure"].duplicated()].copy()
    named = frame[frame["mol_id"] != ""].drop_duplicates("structure").set_index("structure")["mol_id"]
    first["mol_id"] = first["structure"].map(named).fillna("")
    taken = set(molecules["mol_id"])
    # an id that stands beside two forms of one structure goes to the first; the other is called by its key
    clash = (first["mol_id"].duplicated() | first["mol_id"].isin(taken)) & (first["mol_id"] != "")
    fresh = [
        (key if is_inchikey(key) else key_of(smiles)) or smiles
        for key, smiles in zip(first["inchikey"], first["smiles"], strict=True)
    ]
    first["mol_id"] = first["mol_id"].where((first["mol_id"] != "") & ~clash, fresh)
    first = first[~first["mol_id"].isin(taken)].drop_duplicates("mol_id")
    kept = ["mol_id", "smiles", *(["inchikey"] if "inchikey" in molecules else [])]
    result = first[kept].reset_index(drop=True)
    if keys.ids:
        result.attrs["id_column"] = plain_name(next(iter(keys.ids)))
    return result


def _believed(frame: pd.DataFrame, where: str, problems: Problems, *, off: bool) -> pd.DataFrame:
    """Report ids that stand beside different molecules; leave the later ones out when asked to."""
    known = frame[frame["mol_id"] != ""]
    pairs = known.drop_duplicates(["mol_id", "structure"])
    several = pairs[pairs["mol_id"].duplicated(keep=False)]
    wrong: dict[str, str] = {}
    bad: set[tuple[str, str]] = set()
    for name, group in several.groupby("mol_id", sort=False):
        first = group["smiles"].iloc[0]
        for row, smiles, structure in zip(
            group.index[1:], group["smiles"][1:], group["structure"][1:], strict=True
        ):
            if contradicts(first, smiles):
                bad.add((str(name), structure))
                wrong.setdefault(
                    str(name), f"{name} is {first} in row {group.index[0] + 1} and {smiles} in row {row + 1}"
                )
    if not wrong:
        return frame
    hit = [pair in bad for pair in zip(frame["mol_id"], frame["structure"], strict=True)]
    shown = "; ".join(list(wrong.values())[:_EXAMPLES])
    rows = counted(sum(hit), "row")
    if off:
        problems.note(f"{where}: {rows} left out, whose id is of another structure: {shown}")
    else:
        stand = agreeing(len(wrong), "id", "stands", "stand")
        problems.error(
            InputError(
                f"{stand} beside different structures ({rows}): {shown}",
                where=where,
                hint="give each structure its own id, or leave the column of ids out; --contradictions"
                " leave-out keeps the first structure of each id",
            )
        )
    return frame[~np.array(hit)]


def _check_row(keys: RowKeys, where: str, problems: Problems, *, off: bool) -> None:
    """Report rows whose own SMILES and InChIKey are of different molecules."""
    wrong = [
        f"row {row + 1}: {smiles} and {key}"
        for row, (smiles, key) in enumerate(zip(keys.smiles, keys.inchikey, strict=True))
        if contradicts(smiles, key)
    ]
    if not wrong:
        return
    shown = "; ".join(wrong[:_EXAMPLES])
    if off:
        rows = counted(len(wrong), "row")
        problems.note(f"{where}: SMILES and InChIKey contradict in {rows}, SMILES are used: {shown}")
        keys.inchikey = pd.Series([""] * len(keys.inchikey), dtype=object)
        return
    problems.error(
        InputError(
            f"SMILES and InChIKey contradict each other in {len(wrong):,} of {len(keys.smiles):,} rows:"
            f" {shown}",
            where=where,
            hint="is a column shifted? mend it, or leave it out",
        )
    )
