"""Rows without a molecule."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytomol.errors import InputError
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_errors import RowErrors


def _table(errors: list[str], broken: dict[int, str] | None = None) -> MoleculeTable:
    frame = pd.DataFrame({"smiles": [f"molecule {row}" for row in range(len(errors))]})
    return MoleculeTable(frame, "smiles", "t.sdf", broken or {})


@given(st.lists(st.sampled_from(["", "", "broken"]), max_size=9), st.integers(1, 4), st.data())
def test_parts_add_up_to_the_whole(errors: list[str], size: int, data: st.DataObject) -> None:
    broken = {row: "record" for row, error in enumerate(errors) if error and data.draw(st.booleans())}
    rows = RowErrors(_table(errors, broken))
    told = [one for at in range(0, len(errors), size) for one in rows.add(errors[at : at + size])]
    assert told == [broken.get(row, error) for row, error in enumerate(errors)]
    bad = [row for row, error in enumerate(errors) if error]
    assert (rows.rows, rows.invalid) == (len(errors), len(bad))
    assert rows.reason == (f"row {bad[0] + 1}: {told[bad[0]]}" if bad else "")


def test_the_row_that_stops_it_is_named() -> None:
    rows = RowErrors(_table(["", "", "broken"]), "raise")
    rows.add(["", ""])
    with pytest.raises(InputError, match=r"t\.sdf, row 3: invalid molecule 'molecule 2': broken"):
        rows.add(["broken"])


@pytest.mark.parametrize("on_error", [None, "drop"])
def test_nothing_but_invalid_rows_is_an_error_unless_asked_for(on_error: str | None) -> None:
    rows = RowErrors(_table(["broken"]), on_error)  # type: ignore[arg-type]
    rows.add(["broken"])
    with pytest.raises(InputError, match=r"t.sdf: none of its 1 rows holds a molecule.*row 1: broken"):
        rows.require_some()
    kept = RowErrors(_table(["broken"]), "keep")
    kept.add(["broken"])
    kept.require_some()


def test_what_became_of_them_is_said() -> None:
    rows = RowErrors(_table(["broken", ""]), "drop")
    rows.add(["broken", ""])
    assert rows.said("error") == "1 invalid (left out)"
