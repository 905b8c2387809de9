from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.assays.cells import read_cells
from cytomol.assays.classes import encode, has_known_words, order_classes
from cytomol.assays.codes import looks_missing, minus_one_among_classes
from cytomol.assays.column import Column
from cytomol.assays.column_roles import choose_tasks, column_of, roles_of_columns
from cytomol.assays.dates import read_dates
from cytomol.assays.digits import digits_of, shown
from cytomol.errors import InputError, InputNote

VALUES = [f"{value:.3f}" for value in np.random.default_rng(0).normal(2, 1, 40)]


def role(cells: list[object], name: str = "t", **more: object) -> Column:
    return column_of(read_cells(pd.Series(cells, name=name)), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "cells", "wanted"),
    [
        ("t", VALUES, "number"),
        ("", VALUES, "index"),
        ("Unnamed: 0", VALUES, "index"),
        ("rank", range(40), "index"),
        ("t", range(1, 41), "index"),
        ("t", [str(3 * n + n % 2) for n in range(40)], "id"),
        ("CompoundID", [17, 5, 99, 4] * 10, "id"),
        ("mol_id", [f"X{n}" for n in range(40)], "id"),
        ("t", [f"CHEMBL{n + 10}" for n in range(40)], "id"),
        ("Name", [f"{'ab'[n % 2]}-acid {n}" for n in range(40)], "id"),
        ("High efflux ID", [0, 1] * 20, "class"),  # two values name no row
        ("grid", VALUES, "number"),
        ("t", ["2024-01-04", "2023-11-30"] * 20, "date"),
        ("t", ["4/1/2024", "30/11/2023"] * 20, "date"),
        ("year", [2019, 2021, 2020, 2022] * 10, "date"),
        ("t", [2019, 2021, 2020, 2027, 2054] * 8, "number"),
        ("split", ["train", "test", "valid", "train"] * 10, "fold"),
        ("t", ["yes", "no"] * 20, "class"),
        ("t", [1, 2] * 20, "class"),
        ("t", [0, 1, 2, 1] * 10, "class"),
        ("t", [1, 2, 3, 4, 5, 6] * 7, "number"),
        ("t", [5, 50] * 20, "number"),
        ("t", [0.5, 1.5] * 20, "number"),
        ("t", ["<0.5", *VALUES], "censored"),
        ("t", [f"a note of {n}" for n in range(40)], "text"),
        ("t", ["<", ">", "=", "="] * 10, "text"),
        ("t", [3.5] * 40, "constant"),
        ("t", ["same"] * 40, "constant"),
        ("t", ["", None, "NA", "nan"], "empty"),
    ],
)
def test_what_a_column_is(name: str, cells: list[object], wanted: str) -> None:
    found = role(list(cells), name)
    assert found.role == wanted, found
    assert found.reason


@pytest.mark.parametrize(
    ("name", "cells"), [("id", range(40)), ("t", [3.5] * 40), ("year", [2019, 2020] * 20)]
)
def test_a_column_that_is_named_is_a_task(name: str, cells: list[object]) -> None:
    assert not role(list(cells), name).may_be_task
    assert role(list(cells), name, named=True).may_be_task


def test_counts_and_ranges_are_told() -> None:
    found = role(["Active", "inactive", "active", "", "inactive", "inactive", "active", "active"])
    assert (found.classes, found.counts) == (("inactive", "active"), (3, 4))
    assert (found.rows, found.measured) == (8, 7)
    assert "active is the positive one, by their words" in found.remark
    found = role(["1.5", "<0.5", ">10", ">20", "7"])
    assert (found.low, found.high, found.below, found.above) == (0.5, 20, 1, 2)


def test_words_that_may_be_anything_are_left_out_loudly_unless_alone() -> None:
    source = ["ChEMBL", "in-house", "in-house", "PubChem"] * 10
    frame = pd.DataFrame({"smiles": "C", "lab": source, "y": VALUES, "outcome": ["a", "b"] * 20})
    choice = choose_tasks(roles_of_columns(frame, smiles_col="smiles"))
    assert choice.tasks == ("y", "outcome")
    assert choice.left_out == ("lab (class: 3 classes)",)
    assert "'lab' is not learnt" in choice.loud[0]
    assert choose_tasks(roles_of_columns(frame[["smiles", "lab"]], smiles_col="smiles")).tasks == ("lab",)


@pytest.mark.parametrize(
    ("names", "ordered", "how"),
    [
        (["Toxic", "Non-toxic"], ("Non-toxic", "Toxic"), "by their words"),
        (["soluble", "insoluble"], ("insoluble", "soluble"), "by their words"),
        (["YES", "No"], ("No", "YES"), "by their words"),
        (["+", "-"], ("-", "+"), "by their words"),
        (["high", "low", "medium"], ("low", "medium", "high"), "by their words"),
        (["10", "9"], ("9", "10"), "by number"),
        (["pink", "blue"], ("blue", "pink"), "by the alphabet"),
    ],
)
def test_which_class_is_positive(names: list[str], ordered: tuple[str, ...], how: str) -> None:
    assert order_classes(names) == (ordered, how)
    assert has_known_words(names) == (how == "by their words")


def test_a_class_is_called_as_it_is_written_most_often() -> None:
    classes, places = encode(np.array(["Yes", "yes", "yes", "NO", ""], object))
    assert classes == ("NO", "yes")
    np.testing.assert_array_equal(places, [1, 1, 1, 0, np.nan])


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([*np.linspace(0, 7, 50), -999, -999], {-999.0: 2}),
        ([*np.linspace(0, 7, 50), -999, -999, 9999, 9999], {-999.0: 2, 9999.0: 2}),
        ([*np.linspace(0, 7, 50), 1000, 1000, 1000], {1000.0: 3}),
        ([*np.linspace(0.1, 7, 50), -1, -1, -1], {-1.0: 3}),
        ([*np.linspace(0, 7, 50), 1000], {}),  # once: an outlier
        ([*np.linspace(-7, 7, 50), -1, -1, -1], {}),
        ([*np.linspace(0, 100, 50), 99, 99, 99], {}),
        ([*np.linspace(0, 7, 50), 10, 10, 10, 10], {}),  # a cap
        ([np.nan, 1, 1, 2], {}),
    ],
)
def test_codes_for_nothing_measured(values: list[float], wanted: dict[float, int]) -> None:
    assert looks_missing(np.array(values)) == wanted


@pytest.mark.parametrize(
    ("values", "count"), [([-1, 0, 1, -1], 2), ([-1, 0], 1), ([-1, 1], 0), ([-1, 0, 1, 2], 0), ([0, 1], 0)]
)
def test_minus_one_among_classes(values: list[float], count: int) -> None:
    assert minus_one_among_classes(np.array([*values, np.nan])) == count


numbers = st.floats(-1e3, 1e3, allow_nan=False).map(lambda value: round(value, 3))
missing = st.sampled_from(["", "NA", None, "nan"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(numbers, missing), min_size=1, max_size=60))
def test_numbers_with_holes_are_never_words_and_counts_add_up(cells: list[object]) -> None:
    text = [cell if cell is None else str(cell) for cell in cells]
    found = role(text)  # type: ignore[arg-type]
    held = [cell for cell in cells if isinstance(cell, float)]
    assert found.measured == len(held)
    assert found.role in {"number", "class", "constant", "index", "id", "empty"}
    assert (found.role == "empty") == (not held)
    if found.role == "number":
        assert (found.low, found.high) == (min(held), max(held))
    if found.role == "class":
        assert sum(found.counts) == len(held)
        assert [float(name) for name in found.classes] == sorted(
            {*held, *([0.0, 1.0] * (set(held) <= {0.0, 1.0}))}
        )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["yes", "no"]), min_size=2, max_size=40).filter(
        lambda words: len(set(words)) == 2
    ),
    st.lists(st.integers(0, 39), max_size=10),
    st.randoms(use_true_random=False),
)
def test_classes_do_not_depend_on_order_case_or_holes(
    words: list[str], holes: list[int], random: object
) -> None:
    first = role(list(words))
    changed: list[object] = [word.upper() for word in words]
    for hole in holes:
        changed.insert(hole % (len(changed) + 1), "")
    random.shuffle(changed)  # type: ignore[attr-defined]
    second = role(changed)
    assert first.role == second.role == "class"
    assert first.counts == second.counts == (words.count("no"), words.count("yes"))
    assert second.classes == ("NO", "YES")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(numbers, min_size=12, max_size=40, unique=True),
    st.integers(2, 8),
    st.sampled_from([-999, -9999, 99999]),
)
def test_a_code_is_found_wherever_it_stands(values: list[float], times: int, code: int) -> None:
    values = [value / 10 for value in values]
    found = looks_missing(np.array([*values, *[float(code)] * times]))
    assert found.get(float(code)) == times
    coded = read_cells(pd.Series([*map(str, values), *[str(code)] * times], name="t"), [str(code)])
    assert coded.measured == len(values)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["<", ">", "<=", ">=", "≤", "≥", ""]), numbers), min_size=1, max_size=30
    )
)
def test_bounds_keep_their_side_and_number(cells: list[tuple[str, float]]) -> None:
    read = read_cells(pd.Series([f"{sign} {value}" for sign, value in cells], name="t"))
    sides = {"<": -1, "<=": -1, "≤": -1, "": 0}
    assert read.bounds.tolist() == [sides.get(sign, 1) for sign, _ in cells]
    np.testing.assert_array_equal(read.numbers, [value for _, value in cells])


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["2024-01-31", "2024-02-01 10:00"], ["2024-01-31", "2024-02-01"]),
        (["31/01/2024", "01/02/2024"], ["2024-01-31", "2024-02-01"]),
        (["01/31/2024", "02/01/2024"], ["2024-01-31", "2024-02-01"]),
        (["31-Jan-24", ""], ["2024-01-31", "NaT"]),
        (["2024", "2020"], ["2024-01-01", "2020-01-01"]),
    ],
)
def test_dates(cells: list[str], dates: list[str]) -> None:
    found = read_dates(pd.Series(cells, name="d"), where="t.csv")
    np.testing.assert_array_equal(found.astype("datetime64[D]"), np.array(dates, "datetime64[D]"))


def test_dates_that_are_none_are_named_and_doubt_is_said() -> None:
    with pytest.raises(InputError, match=r"t.csv, row 2, column 'd': 'soon' is not a date"):
        read_dates(pd.Series(["2024-01-31", "soon"], name="d"), where="t.csv")
    with pytest.warns(InputNote, match="read as day/month/year"):
        assert (
            read_dates(pd.Series(["03/04/2024"], name="d"), where="t").astype(str)[0].startswith("2024-04-03")
        )


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (4.59e-14, 1e-14, "4.59e-14"),
        (-250000.6, 1.0, "-250000.60"),
        (2.5e30, 1e29, "2.500e+30"),
        (0.0, 1e-6, "0"),
        (1234.6, 800.0, "1235"),
        (float("nan"), 1.0, "-"),
        (None, 1.0, "-"),
        (0.123456, 0.0, "0.1235"),
    ],
)
def test_digits_follow_the_spread(value: float | None, spread: float, text: str) -> None:
    assert shown(value, spread) == text


def test_digits_of_a_spread() -> None:
    assert [digits_of(spread) for spread in (1.0, 0.05, 1e-14, 300.0, float("nan"))] == [2, 4, 16, 0, 4]
