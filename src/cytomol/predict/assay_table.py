"""The table that a predictor is made of: molecules with their labels, and what else is known of each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.dates import read_dates
from cytomol.assays.digits import shown
from cytomol.assays.labels import Labels
from cytomol.assays.metrics import MAIN_METRIC
from cytomol.assays.replicates import aggregate, replicates_of
from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits import folds_from_column
from cytomol.counted import agreeing, counted
from cytomol.errors import InputError
from cytomol.predict.smiles_input import InputTypeError, check_smiles, is_missing

__all__ = ["AssayTable"]


@dataclass(frozen=True)
class AssayTable:
    """Rows of a table of assays.

    Attributes
    ----------
    smiles, labels
        Molecules and their labels, row by row.
    folds
        "train", "valid", "test" or "" of every row; None where they are to be made.
    dates
        Date of every row, for a split by time; None without.
    ids
        What the user calls the molecules; None numbers the rows from 1.
    ceiling
        By task: the score that the assay's own noise allows at best.
    """

    smiles: Sequence[str]
    labels: Labels
    folds: NDArray[np.str_] | None = None
    dates: NDArray[np.datetime64] | None = None
    ids: Sequence[str] | None = None
    ceiling: dict[str, float] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.labels, Labels):
            raise InputTypeError(
                f"{type(self.labels).__name__} where labels belong",
                hint="cytomol.assays.labels.read_labels(frame, targets) makes them of a table; "
                "PropertyRegressor and PropertyClassifier take arrays",
            )
        of_rows = {"folds": self.folds, "dates": self.dates, "ids": self.ids}
        molecules = counted(len(self.smiles), "molecule", comma=False)
        if len(self.smiles) != len(self.labels.matrix):
            rows = counted(len(self.labels.matrix), "row", comma=False)
            raise InputError(f"{molecules} with {rows} of labels")
        for name, values in of_rows.items():
            if values is not None and len(values) != len(self.smiles):
                raise InputError(f"{molecules} with {len(values)} {name}")

    @classmethod
    def of_columns(
        cls, smiles: Any, labels: Labels, *, folds: Any = None, dates: Any = None, ids: Any = None
    ) -> AssayTable:
        """Take lists, arrays or columns of a data frame by position, whatever their index says.

        Raises
        ------
        InputError
            If molecules are no texts, a date is none, a fold has another name, or the numbers of rows differ.
        """
        found = check_smiles(smiles)
        return cls(
            found,
            labels,
            None if folds is None else _folds(folds),
            None if dates is None else _dates(dates),
            None if ids is None else ["" if is_missing(one) else str(one) for one in _cells(ids, "ids")],
        )

    @property
    def names(self) -> list[str]:
        """What each row is called."""
        return [str(row + 1) for row in range(len(self.smiles))] if self.ids is None else list(self.ids)

    def take(self, chosen: NDArray[np.bool_]) -> AssayTable:
        """Return some of the rows."""
        rows, names = np.flatnonzero(chosen), self.names
        return AssayTable(
            [self.smiles[row] for row in rows.tolist()],
            self.labels.take(rows),
            None if self.folds is None else self.folds[rows],
            None if self.dates is None else self.dates[rows],
            [names[row] for row in rows.tolist()],
            self.ceiling,
        )

    def gathered(self, how: str, say: Callable[[str], None]) -> tuple[AssayTable, NDArray[np.int64]]:
        """Say how far repeats of a molecule agree, and make them one row if that is asked for.

        Parameters
        ----------
        how
            "keep", "mean" or "median".
        say
            Called with each sentence.

        Returns
        -------
        table
            One row a molecule, or all rows.
        rows
            Where its rows stand in this table, int64.
        """
        groups = molecule_groups(self.smiles)
        ceiling: dict[str, float] = {}
        for task, found in zip(self.labels.tasks, replicates_of(self.labels, groups), strict=True):
            if not found.molecules:
                continue
            spread = float(np.nanstd(self.labels.matrix[:, self.labels.tasks.index(task)]))
            said = (
                f"{task.name}: {agreeing(found.molecules, 'molecule', 'has', 'have')} {found.labels:,} labels"
            )
            if found.contradictory:
                said += f", contradictory ones for {found.contradictory:,}"
            elif task.kind == "regression" and found.noise:
                said += f", which differ by {shown(found.noise, spread)} (standard deviation)"
            best = found.best.get(MAIN_METRIC[task.kind])
            if best is not None and found.noise:
                ceiling[task.name] = best
                unit = spread if task.kind == "regression" else 1.0
                said += f"; a model without error would score {shown(best, unit)}"
            say(said)
        gathered = aggregate(self.labels, groups, how)
        if how != "keep":
            stay = agreeing(len(gathered.rows), "row", "stays", "stay", of=len(groups))
            say(f"repeats become their {how}: {stay}")
        rows, names = gathered.rows, self.names
        table = AssayTable(
            [self.smiles[row] for row in rows.tolist()],
            gathered.labels,
            None if self.folds is None else self.folds[rows],
            None if self.dates is None else self.dates[rows],
            [names[row] for row in rows.tolist()],
            ceiling if how == "keep" else None,
        )
        return table, rows


def _cells(values: Any, what: str) -> list[Any]:
    """Return the cells of a list, an array or a column in their order."""
    cells = values.to_numpy(dtype=object) if hasattr(values, "to_numpy") else np.array(values, dtype=object)
    if cells.ndim != 1:
        raise InputTypeError(f"{type(values).__name__} where one column of {what} belongs")
    return list(cells)


def _folds(values: Any) -> NDArray[np.str_]:
    """Return the fold of every row, "" where there is none."""
    cells = pd.Series(_cells(values, "folds"), dtype=object)
    return folds_from_column(cells, where="table", column="folds")


def _dates(values: Any) -> NDArray[np.datetime64]:
    """Return the date of every row, NaT where there is none."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return values
    return read_dates(pd.Series(_cells(values, "dates"), name="dates"), where="table")
