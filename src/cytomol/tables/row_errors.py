"""Rows of a table that hold no molecule: counted, and kept, refused or dropped as the user asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from cytomol.errors import InputError
from cytomol.tables.molecules import MoleculeTable

__all__ = ["OnError", "RowErrors"]

OnError = Literal["keep", "raise", "drop"]


@dataclass
class RowErrors:
    """Collects the reasons why rows are invalid, part by part in their order.

    Attributes
    ----------
    table
        The input.
    on_error
        What an invalid molecule does: "keep" (its row, with the reason), "raise", "drop"; None keeps it, but
        an input without any valid molecule is an error.
    first
        Row of the table's first one in the whole input, from 0, where the table is a part of it.
    rows, invalid
        Rows so far, and those of them without a molecule.
    reason
        Row and reason of the first of these; "" if there is none.

    Examples
    --------
    >>> import pandas as pd
    >>> table = MoleculeTable(pd.DataFrame({"smiles": ["C", "C1"]}), "smiles", "t.csv")
    >>> errors = RowErrors(table)
    >>> errors.add(["", "unclosed ring"]), errors.reason, errors.said("error")
    (['', 'unclosed ring'], 'row 2: unclosed ring', "1 invalid (reason in column 'error')")
    """

    table: MoleculeTable
    on_error: OnError | None = None
    first: int = 0
    rows: int = field(default=0, init=False)
    invalid: int = field(default=0, init=False)
    reason: str = field(default="", init=False)

    def add(self, errors: Sequence[str]) -> list[str]:
        """Return why each of the next rows is invalid, the reader's own reason first; "" where it is not.

        Parameters
        ----------
        errors
            What featurizing said of each row.

        Raises
        ------
        InputError
            If a row is invalid and that is to stop it.
        """
        reasons = [self.table.errors.get(self.rows + place, error) for place, error in enumerate(errors)]
        for row, reason in enumerate(reasons, start=self.rows):
            if not reason:
                continue
            self.invalid += 1
            self.reason = self.reason or f"row {self.first + row + 1}: {reason}"
            if self.on_error == "raise":
                text = self.table.frame[self.table.smiles_col].iloc[row]
                raise InputError(
                    f"invalid molecule {text!r}: {reason}",
                    where=f"{self.table.where}, row {self.first + row + 1}",
                    hint="--on-error keep answers such rows with an empty value and the reason",
                )
        self.rows += len(reasons)
        return reasons

    def require_some(self) -> None:
        """Refuse an input without any valid molecule, unless such rows are to be kept.

        Raises
        ------
        InputError
            If all rows so far are invalid.
        """
        if self.invalid == self.rows and self.on_error != "keep":
            raise InputError(
                f"none of its {self.rows:,} rows holds a molecule that can be read; {self.reason}",
                where=self.table.where,
                hint="is this the file, and its column of SMILES? --on-error keep answers such rows all the "
                "same",
            )

    def said(self, column: str) -> str:
        """Return in words how many rows are invalid, and what became of them.

        Parameters
        ----------
        column
            With the reasons.
        """
        if not self.invalid:
            return "0 invalid"
        left = "left out" if self.on_error == "drop" else f"reason in column {column!r}"
        return f"{self.invalid:,} invalid ({left})"
