"""Columns that name, date or number the rows, and so are no tasks."""

from __future__ import annotations

import re

import numpy as np

from cytomol.assays.cells import Cells
from cytomol.assays.column import Column, described
from cytomol.assays.dates import looks_like_dates

__all__ = ["no_task", "words_of_name"]

_ROWS_OF_INDEX = 5  # rows before an order among whole numbers means anything


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_IDS = _set_of(
    "id ids idx index cid sid aid uid cas casrn inchikey inchi barcode uuid guid chemblid molid regno"
)
_MAYBE_IDS = _set_of("number no nr num key code row name title batch lot plate well record entry")
_CODE_NAME = re.compile(r"[A-Za-z]{1,12}[-_ ]?\d{2,}(?:[-_.]\w+)?")
_NAMELESS = re.compile(r"(?:unnamed(?:[:_ ]+\d+)?(?:_level_\d+)?)?", re.IGNORECASE)
_FOLDS = frozenset({"train", "training", "valid", "val", "validation", "test"})


def words_of_name(name: str) -> frozenset[str]:
    """Return the words of a column's name in small letters: CompoundID gives compound and id."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return frozenset(re.split(r"[^a-z0-9]+", apart.lower())) | {re.sub(r"[^a-z0-9]+", "", name.lower())}


def no_task(cells: Cells) -> Column | None:
    """Return the column where it is no task by its name or the order of its values."""
    words = words_of_name(cells.name)
    if _NAMELESS.fullmatch(cells.name.strip()):
        return described(cells, "index", "it has no name")
    if looks_like_dates(cells.series, words):
        return described(cells, "date", "every cell is a date")
    if cells.words.any():
        text = {str(cell).lower() for cell in cells.text if cell}
        if text <= _FOLDS and len(text) > 1:
            return described(cells, "fold", "train, valid or test", remark="--split-col uses it as the split")
        return _id_by_text(cells, words, len(text))
    return _id_by_number(cells, words)


def _id_by_text(cells: Cells, words: frozenset[str], different: int) -> Column | None:
    if words & _IDS and different > 2:
        return described(cells, "id", "its name says so")
    if different == cells.measured and different >= _ROWS_OF_INDEX:
        if all(_CODE_NAME.fullmatch(str(cell)) for cell in cells.text if cell):
            return described(cells, "id", "every row has another code")
        if words & _MAYBE_IDS:
            return described(cells, "id", "every row has another name")
    return None


def _id_by_number(cells: Cells, words: frozenset[str]) -> Column | None:
    """Return the column where its whole numbers count or name the rows."""
    numbers = cells.numbers[~np.isnan(cells.numbers)]
    if cells.bounds.any() or (numbers != np.floor(numbers)).any():
        return None
    different = len(np.unique(numbers))
    if words & _IDS and different > 2:
        return described(cells, "id", "whole numbers, and its name says so")
    if len(numbers) >= _ROWS_OF_INDEX:
        steps = np.diff(numbers)
        if (steps == 1).all() and len(numbers) == len(cells.numbers):
            return described(cells, "index", f"it counts the rows from {numbers[0]:.0f}")
        if different == len(numbers) and words & _MAYBE_IDS:
            return described(cells, "id", "every row has another whole number")
        if len(numbers) >= 4 * _ROWS_OF_INDEX and (steps > 0).all():
            return described(cells, "id", "whole numbers that rise from row to row")
    return None
