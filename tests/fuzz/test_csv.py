"""Fuzz: CSV. As many rows as records, or one error."""

from __future__ import annotations

from tests.fuzz.driver import Driver
from tests.fuzz.separated import check_table, tables

DRIVER = Driver("csv", tables(","), lambda data, folder: check_table(data, folder / "a.csv", ","), share=1.5)


def test_csv() -> None:
    DRIVER.check()
