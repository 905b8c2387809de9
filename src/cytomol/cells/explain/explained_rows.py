"""Explained molecules as rows of a table, one an atom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from rdkit import Chem

from cytomol.chem.occlusion.attribution import ExplainedMolecule, unexplained
from cytomol.chem.occlusion.pieces import piece_smiles
from cytomol.errors import InputError
from cytomol.tables.columns import find_column, free_name
from cytomol.tables.molecules import MoleculeTable

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
        What an invalid molecule does: "keep" (a row with the reason in ``error``), "raise", "drop".
    gradients, parents
        See :func:`atom_rows_of`.

    Attributes
    ----------
    answered, invalid
        Molecules so far.
    reason
        Why the first invalid one is invalid; "" if none is.
    renamed
        Answers that are called otherwise, since the input has a column of that name: old name to new.
    """

    def __init__(
        self,
        table: MoleculeTable,
        keep: Sequence[str],
        on_error: Literal["keep", "raise", "drop"],
        *,
        gradients: bool = False,
        parents: bool = False,
    ) -> None:
        names = [find_column(table.frame, name, where=table.where, option="--keep") for name in keep]
        self._table, self._on_error = table, on_error
        self._kept = table.frame[list(dict.fromkeys([table.smiles_col, *names]))]
        self._gradients, self._parents = gradients, parents
        taken = {*map(str, self._kept.columns), *_COLUMNS}
        self.renamed = {
            name: free_name(name, taken, f"{name}_explained") for name in _COLUMNS if name in self._kept
        }
        self.answered, self.invalid, self.reason = 0, 0, ""

    def rows(self, explained: Sequence[ExplainedMolecule], start: int) -> pd.DataFrame:
        """Return the rows of some molecules, the first of which is row ``start`` of the input, from 0.

        Raises
        ------
        InputError
            If a molecule is invalid and that shall stop it.
        """
        explained = [self._checked(one, start + place) for place, one in enumerate(explained)]
        answers, of = atom_rows_of(explained, start + 1, gradients=self._gradients, parents=self._parents)
        kept = self._kept.iloc[[start + place for place in of]].reset_index(drop=True)
        frame = pd.concat([kept, answers.rename(columns=self.renamed)], axis=1)
        if self._on_error == "drop":
            frame = frame[(answers["error"] == "").to_numpy()].reset_index(drop=True)
        return frame

    def _checked(self, one: ExplainedMolecule, row: int) -> ExplainedMolecule:
        """Count a molecule; the reader's own reason why it is invalid comes first."""
        error = self._table.errors.get(row, one.error)
        self.answered += 1
        if not error:
            return one
        self.invalid += 1
        self.reason = self.reason or f"row {row + 1}: {error}"
        if self._on_error == "raise":
            raise InputError(
                f"invalid molecule {one.smiles!r}: {error}",
                where=f"{self._table.where}, row {row + 1}",
                hint="--on-error keep answers such rows with an empty value and the reason",
            )
        return unexplained(one.smiles, error)

    def require_some(self, *, keep: bool) -> None:
        """Refuse an input without any valid molecule, unless such rows shall be kept.

        Raises
        ------
        InputError
            If all molecules so far are invalid.
        """
        if self.invalid == self.answered and not keep:
            raise InputError(
                f"none of its {self.answered:,} rows holds a molecule that can be read; {self.reason}",
                where=self._table.where,
                hint="is this the file, and its column of SMILES? --on-error keep answers such rows too",
            )

    @property
    def summary(self) -> str:
        """How many molecules were answered, and how many are invalid."""
        invalid = f"{self.invalid:,} invalid"
        if self.invalid:
            place = self.renamed.get("error", "error")
            invalid += " (left out)" if self._on_error == "drop" else f" (reason in column {place!r})"
        return f"{self.answered - self.invalid:,} of {self.answered:,} molecules, {invalid}"
