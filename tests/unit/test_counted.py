"""Numbers, and words that agree with them."""

from __future__ import annotations

import pytest

from cytomol.counted import agreeing, counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 rows are"), (1, "1 row is"), (2, "2 rows are"), (12_345, "12,345 rows are")]
)
def test_one_is_singular_and_all_else_plural(number: int, said: str) -> None:
    assert agreeing(number, "row", "is", "are") == said
    assert said.startswith(counted(number, "row"))
