"""Long exponents and many zeros are read as Python does, all other numbers as pandas does, in one place."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cytomol
from cytomol.assays.cells import read_cells
from cytomol.corpus.readers import read_profiles
from cytomol.tables.number_texts import as_numbers, has_leading_zeros, has_long_exponent, read_csv_text

SOURCE = Path(cytomol.__file__).parent
EXPONENTS = st.one_of(st.integers(-(2**34), 2**34), st.integers(-400, 400), st.integers(-(2**70), 2**70))
MANTISSAS = st.from_regex(r"[+-]?([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})", fullmatch=True)


def python(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else math.nan


@settings(max_examples=1000)
@given(text=st.text("eE+-0123456789 x.,\n", max_size=30))
@example("molecule1234")
@example("2.e+0123")
def test_a_long_exponent_is_seen(text: str) -> None:
    digits = "0123456789"
    expected = False
    for at in range(1, len(text)):
        rest = text[at + 2 :] if text[at + 1 : at + 2] in {"+", "-"} else text[at + 1 :]
        exponent = len(rest) >= 4 and all(one in digits for one in rest[:4])
        expected |= text[at] in "eE" and text[at - 1] in digits + "." and exponent
    assert has_long_exponent(text) == expected


@settings(max_examples=300, deadline=None)
@given(mantissa=MANTISSAS, exponent=EXPONENTS, letter=st.sampled_from("eE"))
@example("1", 4_200_000_000, "e")  # ended the interpreter
@example("1", -4_294_967_000, "e")  # was 1e296
@example("0.1", -2_147_483_648, "E")
@example(".000000000000000001", 0, "e")  # was 0
@example("00000000000000000000000012.5", 0, "e")  # was 0
def test_a_number_is_what_python_says(mantissa: str, exponent: int, letter: str) -> None:
    text = f"{mantissa}{letter}{exponent}"
    expected = python(text)
    found = as_numbers(pd.Series([text, "1"])).to_numpy(float)
    assert found[1] == 1
    assert found[0] == pytest.approx(expected, rel=2e-12, abs=0, nan_ok=True) or (
        abs(exponent) < 1000 and abs(expected) < 1e-290  # pandas on what is nearly zero
    )
    if abs(exponent) > 999:  # a column, or the text of one that a column cannot hold
        read = as_numbers(read_csv_text(f"a\n{text}\n")["a"]).to_numpy(float)
        np.testing.assert_array_equal(np.where(np.isinf(read), np.nan, read), [expected])
    read_csv_text(f"a,b\n{text},x\n{text}x,{text}\n")


@settings(max_examples=300, deadline=None)
@given(
    zeros=st.integers(0, 30),
    point=st.integers(-1, 30),
    digits=st.integers(1, 10**18).map(str),
    after=st.integers(0, 12),
)
def test_zeros_before_a_number_cost_it_no_digits(zeros: int, point: int, digits: str, after: int) -> None:
    """As a column and as texts; a point stands anywhere, or nowhere."""
    text = "0" * zeros + digits + "0" * after
    if 0 <= point <= len(text):
        text = f"{text[:point]}.{text[point:]}"
    as_cell, as_negative = as_numbers(pd.Series([text, f"-{text}", f" {text}x"])).to_numpy(float)[:2]
    as_column = float(read_csv_text(f"a\n{text}\n")["a"].iloc[0])
    for found in (as_cell, -as_negative, as_column):
        assert found == pytest.approx(float(text), rel=2e-12, abs=0)


def test_a_number_of_a_million_zeros_is_looked_at_once() -> None:
    """Each of its runs was followed back to the beginning, which took as good as for ever."""
    assert not has_leading_zeros("1" + "0" * 1_000_000)
    assert has_leading_zeros("0." + "0" * 1_000_000 + "1")


def test_ordinary_numbers_are_left_to_pandas() -> None:
    ordinary = [
        "0.12345678901234567",
        "10000.000000000000001",
        "1e-05",
        "0.00001234",
        "100000000000000000000",
    ]
    assert not any(map(has_leading_zeros, [*ordinary, ",".join(ordinary)]))


@pytest.mark.parametrize("cell", ["1e4200000000x", "e42000000", "1_0e99999", "high", None, 3.5, True])
def test_other_cells_are_what_pandas_says(cell: object) -> None:
    beside = pd.Series([cell, "1e-5000"], dtype=object)
    found = as_numbers(beside).to_numpy(float)
    known = isinstance(cell, float | bool)
    assert (found[0] == cell) if known else np.isnan(found[0])
    assert found[1] == 0


def test_cells_of_assays_and_profiles(tmp_path: Path) -> None:
    cells = read_cells(pd.Series(["1e4200000000", "1e-4294967000", "2.5"], name="y"), ())
    np.testing.assert_array_equal(cells.numbers, [np.nan, 0, 2.5])
    path = tmp_path / "a.gct"
    path.write_text("#1.2\n1\t2\nNAME\tDescription\ta\tb\ng\t\t1e-4294967000\t2\n")
    np.testing.assert_array_equal(read_profiles(path).features[:, 0], [0, 2])


def test_nothing_else_parses_numbers_with_pandas() -> None:
    """Only texts are asked of `pandas.read_csv` elsewhere, or tables that a test of ours has written."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            texts = any(word.arg == "dtype" and ast.unparse(word.value) == "str" for word in node.keywords)
            if node.func.attr == "to_numeric" or (node.func.attr == "read_csv" and not texts):
                found.add(path.relative_to(SOURCE).as_posix())
    assert found == {"tables/number_texts.py", "evaluate/comparison.py"}
