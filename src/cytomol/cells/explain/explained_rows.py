"""Explained molecules as rows of a table, one an atom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from cytomol.chem.occlusion.attribution import ExplainedMolecule, unexplained
from cytomol.chem.occlusion.pieces import piece_smiles
from cytomol.tables.columns import free_name
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_errors import OnError, RowErrors

__all__ = ["AtomTable", "atom_rows_of"]

_COLUMNS: dict[str, str] = {
    "row": "int64",
    "explained": "object",
    "value": "float64",
    "atom": "Int64",
    "symbol": "object",
    "attribution": "float64",
    "piece": "Int64",
    "piece_smiles": "object",
    "piece_attribution": "float64",
    "baseline": "float64",
    "unattributed": "float64",
    "read_as": "object",
    "error": "object",
}


def atom_rows_of(
    explained: Sequence[ExplainedMolecule], first_row: int, *, gradients: bool = False, parents: bool = False
) -> tuple[pd.DataFrame, list[int]]:
    """Return one row for each value and atom, and one for a molecule that is invalid.

    Parameters
    ----------
    explained
        Molecules in the order of the input.
    first_row
        Row of the first one, counted from 1.
    gradients
        They come from gradients: give the baseline, and what no atom is given.
    parents
        Say too how each molecule was read: its atoms are those of the parent, not of the SMILES given.

    Returns
    -------
    frame
        ``row``, ``explained``, ``value``, ``atom`` and so on. Atoms are counted from 0 as the SMILES
        names them.
    of
        Molecule of each row, by its place in ``explained``.

    Examples
    --------
    >>> from cytomol.chem.occlusion.attribution import unexplained
    >>> frame, of = atom_rows_of([unexplained("C1CC", "ring is open")], 7)
    >>> frame["row"].tolist(), frame["error"].tolist(), of
    ([7], ['ring is open'], [0])
    """
    rows: list[dict[str, Any]] = []
    of: list[int] = []
    for place, one in enumerate(explained):
        found = _rows_of(one, parents=parents)
        of += [place] * len(found)
        rows += [{"row": first_row + place, **row} for row in found]
    left_out = set() if gradients else {"baseline", "unattributed"}
    left_out |= set() if parents else {"read_as"}
    kinds = {name: kind for name, kind in _COLUMNS.items() if name not in left_out}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds), of


def _rows_of(one: ExplainedMolecule, *, parents: bool) -> list[dict[str, Any]]:
    if one.mol is None:
        return [{"error": one.error}]
    names = [piece_smiles(one.mol, np.flatnonzero(one.piece == number)) for number in np.unique(one.piece)]
    read_as = Chem.MolToSmiles(one.mol) if parents else ""
    return [
        {
            "explained": attribution.name,
            "value": _short(attribution.value),
            "atom": place,
            "symbol": one.mol.GetAtomWithIdx(place).GetSymbol(),
            "attribution": _short(attribution.atoms[place]),
            "piece": int(piece),
            "piece_smiles": names[piece],
            "piece_attribution": _short(attribution.pieces[piece]),
            "baseline": _short(attribution.baseline),
            "unattributed": _short(attribution.unattributed),
            "read_as": read_as,
            "error": "",
        }
        for attribution in one.attributions
        for place, piece in enumerate(one.piece)
    ]


def _short(value: float) -> float:
    """Return a number to six digits: what comes after is rounding noise of 32-bit arithmetic."""
    return float(f"{value:.6g}")


class AtomTable:
    """Answers the rows of a table of molecules, atom by atom, beside columns of the input.

    Parameters
    ----------
    table
        The input.
    keep
        Columns of it to hold beside the SMILES.
    on_error
        What an invalid molecule does (see :class:`~cytomol.tables.row_errors.RowErrors`); kept, it has a row
        with the reason in ``error``.
    first
        Row of the table's first one in the whole input, from 0, where the table is a part of it.
    gradients, parents
        See :func:`atom_rows_of`.

    Attributes
    ----------
    errors
        How many molecules there were so far, and how many are invalid.
    renamed
        Answers that are called otherwise, since the input has a column of that name: old name to new.
    """

    def __init__(
        self,
        table: MoleculeTable,
        keep: Sequence[str],
        on_error: OnError | None,
        *,
        first: int = 0,
        gradients: bool = False,
        parents: bool = False,
    ) -> None:
        self._kept, self.errors = table.kept(keep), RowErrors(table, on_error, first)
        self._gradients, self._parents = gradients, parents
        taken = {*map(str, self._kept.columns), *_COLUMNS}
        self.renamed = {
            name: free_name(name, taken, f"{name}_explained") for name in _COLUMNS if name in self._kept
        }

    def rows(self, explained: Sequence[ExplainedMolecule]) -> pd.DataFrame:
        """Return the rows of the next molecules of the input.

        Raises
        ------
        InputError
            If a molecule is invalid and that is to stop it.
        """
        start = self.errors.rows
        reasons = self.errors.add([one.error for one in explained])
        told = [
            unexplained(one.smiles, why) if why else one for one, why in zip(explained, reasons, strict=True)
        ]
        first_row = self.errors.first + start + 1
        answers, of = atom_rows_of(told, first_row, gradients=self._gradients, parents=self._parents)
        kept = self._kept.iloc[[start + place for place in of]].reset_index(drop=True)
        frame = pd.concat([kept, answers.rename(columns=self.renamed)], axis=1)
        if self.errors.on_error == "drop":
            frame = frame[(answers["error"] == "").to_numpy()].reset_index(drop=True)
        return frame
