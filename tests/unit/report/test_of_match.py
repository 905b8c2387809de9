"""The report on a table of matches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.report.sample_results import is_whole, match_table

from cytomol.errors import InputError
from cytomol.report.of_match import by_chance
from cytomol.report.report_kinds import report_of
from cytomol.report.write import write_report


@pytest.mark.parametrize("name", ["m.csv", "m.tsv.gz", "m.parquet"])
def test_the_page_lies_beside_the_table_and_says_what_was_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        match_table().to_parquet(path)
    else:
        match_table().to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    place = write_report(path)
    assert place == tmp_path / "m.report.html"
    text = place.read_text(encoding="utf-8")
    assert "6 of 7 queries are answered, each by up to 4 of 4 candidates." in text
    assert "1 different candidate comes first for 6 queries." in text
    assert "100.0%" in text  # of the queries have it first
    assert "no molecule &lt;img src=x" in text
    assert text.count("candidate c0") == 9  # drawn first for each of five queries, and later for four
    assert "<img" not in text


def test_the_page_is_whole_and_always_the_same(tmp_path: Path) -> None:
    match_table(80).to_csv(tmp_path / "m.csv", index=False)
    text = report_of(tmp_path / "m.csv").html()
    assert text == report_of(tmp_path / "m.csv").html()
    is_whole(text)


def test_profiles_are_listed_where_there_is_nothing_to_draw(tmp_path: Path) -> None:
    match_table(structures=False).to_csv(tmp_path / "m.csv", index=False)
    text = report_of(tmp_path / "m.csv").html()
    assert "Profiles that go with it" in text
    assert "candidate c0" not in text


def test_a_table_without_any_answer_says_so(tmp_path: Path) -> None:
    match_table().tail(1).to_csv(tmp_path / "m.csv", index=False)
    text = report_of(tmp_path / "m.csv").html()
    assert "None of 1 queries has a place, so nothing was matched." in text


def test_another_table_has_no_such_report(tmp_path: Path) -> None:
    pd.DataFrame({"smiles": ["CCO"]}).to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(InputError, match="nothing that cytomol has a report on"):
        report_of(tmp_path / "m.csv")


def test_the_best_by_chance_is_the_expected_largest_of_normal_draws() -> None:
    drawn = np.random.default_rng(0).normal(size=(4000, 500)).max(axis=1).mean()
    assert by_chance(500) == pytest.approx(drawn, abs=0.03)


def test_a_file_that_is_no_anndata_is_named(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    (tmp_path / "m.h5ad").write_bytes(b"no file of HDF5")
    with pytest.raises(InputError, match="is not a readable AnnData file"):
        report_of(tmp_path / "m.h5ad")


def test_anndata_without_matches_has_no_such_report(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    anndata.AnnData(np.ones((2, 3))).write_h5ad(tmp_path / "m.h5ad")
    with pytest.raises(InputError, match="nothing that cytomol has a report on"):
        report_of(tmp_path / "m.h5ad")


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.parquet"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01"])
def test_a_file_that_is_no_table_has_no_such_report(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="nothing that cytomol has a report on"):
        report_of(tmp_path / name)
