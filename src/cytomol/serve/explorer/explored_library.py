"""The molecules among which a new one is shown: those the model learnt from, and a library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.cells import read_cells
from cytomol.assays.id_columns import no_task
from cytomol.errors import InputError
from cytomol.predict.predictor import Predictor
from cytomol.predict.texts import Texts
from cytomol.tables.molecules import MoleculeTable, read_molecules
from cytomol.tables.number_texts import as_numbers

__all__ = ["ExploredLibrary"]

_MOST_COLOURS = 30  # columns of the library that the map can be coloured by
_MOST_POINTS = 300_000
_LOOKED_AT = 2000  # rows that tell whether a column is an id


@dataclass(frozen=True)
class ExploredLibrary:
    """Molecules in one order: first those that the model has learnt from, then the library's.

    Attributes
    ----------
    smiles, ids
        Of each molecule.
    learnt
        How many of them the model has learnt from.
    numbers
        What the map can be coloured by, float64, shape (n,), NaN where not known: measured values of the
        tasks, and the library's columns of numbers.
    classes
        Names of the classes of those that are places in them.
    """

    smiles: Texts
    ids: Texts
    learnt: int
    numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def gather(cls, predictor: Predictor | None, table: MoleculeTable | None) -> Self:
        """Put together what a predictor has learnt from and a library.

        Examples
        --------
        >>> rows = {"smiles": ["CCO", "CCN", "CCC"], "id": ["a1", "a2", "a3"], "price": ["1", "2.5", ""]}
        >>> library = ExploredLibrary.gather(None, MoleculeTable(pd.DataFrame(rows), "smiles", "shop.csv"))
        >>> len(library), library.ids[1], library.about(1)["values"]
        (3, 'a2', {'price': 2.5})
        """
        kept = None if predictor is None else predictor.evidence
        learnt = 0 if kept is None else min(len(kept), _MOST_POINTS)
        smiles = [] if kept is None else [kept.smiles[row] for row in range(learnt)]
        ids = [] if kept is None else [kept.ids[row] for row in range(learnt)]
        rows = 0 if table is None else min(len(table), _MOST_POINTS - learnt)
        numbers: dict[str, NDArray[np.float64]] = {}
        classes: dict[str, tuple[str, ...]] = {}
        if predictor is not None and kept is not None:
            for at, task in enumerate(predictor.tasks):
                numbers[task.name] = np.full(learnt + rows, np.nan)
                numbers[task.name][:learnt] = kept.measured[:learnt, at]
                if task.kind != "regression":
                    classes[task.name] = task.classes
        if table is not None:
            smiles += table.smiles[:rows]
            ids += _ids_of(table)[:rows]
            for name, values in _numbers_of(table).items():
                own = np.full(learnt + rows, np.nan)
                own[learnt:] = values[:rows]
                numbers[f"{name} (library)" if name in numbers else name] = own
        return cls(Texts.of(smiles), Texts.of(ids), learnt, numbers, classes)

    @classmethod
    def read(
        cls, predictor: Predictor | None, path: str | Path | None, *, smiles_col: str | None = None
    ) -> Self:
        """Read the library's file, where there is one; see :meth:`gather`.

        Raises
        ------
        InputError
            If the file cannot be read.
        """
        return cls.gather(predictor, None if path is None else read_molecules(path, smiles_col=smiles_col))

    def __len__(self) -> int:
        return len(self.smiles)

    def texts(self) -> list[str]:
        """Return all SMILES."""
        return [self.smiles[row] for row in range(len(self))]

    def about(self, row: int) -> dict[str, Any]:
        """Return what the page says of a molecule."""
        known = {
            name: float(values[row]) for name, values in self.numbers.items() if not np.isnan(values[row])
        }
        values = {
            name: self.classes[name][int(value)] if name in self.classes else value
            for name, value in known.items()
        }
        return {
            "row": row,
            "id": self.ids[row],
            "smiles": self.smiles[row],
            "learnt": row < self.learnt,
            "values": values,
        }


def _ids_of(table: MoleculeTable) -> list[str]:
    """Return the names of a library's rows: its first column that is an id, or their numbers."""
    for name in table.frame.columns:
        if name != table.smiles_col and _is_id(table.frame[name].head(_LOOKED_AT)):
            return table.frame[name].fillna("").astype(str).tolist()
    return [f"row {row + 1}" for row in range(len(table))]


def _is_id(cells: pd.Series[Any]) -> bool:
    try:
        column = no_task(read_cells(cells.fillna("").astype(str), ()))
    except InputError:  # cells that are neither numbers nor words are no ids
        return False
    return column is not None and column.role == "id"


def _numbers_of(table: MoleculeTable) -> dict[str, Sequence[float]]:
    """Return a library's columns of numbers."""
    found: dict[str, Any] = {}
    for name in table.frame.columns:
        if name == table.smiles_col or len(found) == _MOST_COLOURS:
            continue
        cells = as_numbers(table.frame[name]).to_numpy(np.float64)
        if np.isfinite(cells).mean() > 0.5 and len(np.unique(cells[np.isfinite(cells)])) > 1:
            found[str(name)] = np.where(np.isfinite(cells), cells, np.nan)
    return found
