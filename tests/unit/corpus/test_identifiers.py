"""One reading of ids, keys and missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.identifiers import as_ids, as_inchikeys, entity_of_column, only, plain_name, short_ids


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("NA", ""), ("n/a", ""), ("#N/A", ""), ("None", ""), ("NULL", ""), (None, ""), (np.nan, ""), ("", ""),
        (" BRD-1\t", "BRD-1"), ("\ufeffBRD-1", "BRD-1"), (b"BRD-1", "BRD-1"), ("b'BRD-1'", "BRD-1"),
        (b"NA", ""), (-666, ""), ("-666", ""), (-666.0, ""), (702.0, "702"), ("702.0", "702"), (702, "702"),
        (np.float32(702), "702"), (np.float32(3.33), "3.33"), ("00123", "00123"), ("00123.0", "00123"),
        ("1e+05", "100000"), ("12E3", "12E3"), ("1.5", "1.5"), (1.5, "1.5"),
        ("InChIKey=LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "LFQSCWFLJHTTHZ-UHFFFAOYSA-N"),
        ("Na", "Na"), ("nano", "nano"), (np.inf, ""),
    ],
)  # fmt: skip
def test_a_cell_means_the_same_whatever_its_type(cell: object, expected: str) -> None:
    assert as_ids(pd.Series([cell, "other"], dtype=object)).tolist() == [expected, "other"]


def test_columns_of_every_type() -> None:
    for column in (
        pd.Series([702.0, np.nan, 6341.0]),
        pd.Series(["702.0", "", "6341.0"]),
        pd.Series([702, None, 6341], dtype="Int64"),
        pd.Series(["702", None, "6341"], dtype="string"),
        pd.Series(pd.Categorical([702.0, np.nan, 6341.0])),
        pd.Series([b"702", b"NA", b"6341"]),
    ):
        assert as_ids(column).tolist() == ["702", "", "6341"]
    assert as_ids(pd.Series([], dtype=object)).tolist() == []
    assert as_ids(pd.Series(["a"], index=[7], name="x")).index.tolist() == [7]


def test_names_of_columns() -> None:
    for name in ("Metadata_InChIKey", "metadata_inchikey", "Image_Metadata_InChIKey", " InChI Key "):
        assert plain_name(name) == "inchikey"
    assert entity_of_column("Metadata_SMILES") == "molecule"
    assert entity_of_column("Approved symbol") == "gene"
    assert entity_of_column("Metadata_Plate") is None


def test_keys() -> None:
    keys = as_inchikeys(pd.Series(["inchikey=lfqscwfljhtthz-uhfffaoysa-n", "NA"]))
    assert keys.tolist() == ["LFQSCWFLJHTTHZ-UHFFFAOYSA-N", ""]
    ids = pd.Series(["BRD-K12345678-001-02-3", "BRD-A87654321", "BRD-K1234567", "DMSO", "BRD-K123456789"])
    assert short_ids(ids).tolist() == ["BRD-K12345678", "BRD-A87654321", "", "", ""]
    assert only(pd.Series(["a", "", "b"]), lambda text: text == "a").tolist() == ["a", "", ""]
