"""Metadata from a second table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytomol.corpus.annotate import annotate
from cytomol.corpus.problems import Problems
from cytomol.errors import InputError


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_signatures(tmp_path: Path) -> None:
    metadata = pd.DataFrame({"id": ["s2", "s9", "s1"]})
    info = table(
        tmp_path / "sig.txt",
        "sig_id\tpert_id\tcell_id\ts\ns1\tB1\tA549\t1\ns2\tB2\t-666\t1\ns3\tB3\tHEPG2\t1\n",
    )
    problems = Problems()
    found = annotate(metadata, info, where="x.gctx", problems=problems)
    assert found.drop(columns="s").to_dict("list") == {
        "id": ["s2", "s9", "s1"],
        "pert_id": ["B2", "", "B1"],
        "cell_id": ["", "", "A549"],
    }
    assert problems.notes == ["x.gctx: 2 of 3 rows found their metadata in sig.txt by sig_id; not found: s9"]


def test_plate_maps(tmp_path: Path) -> None:
    """Plate and well together are the key where neither is alone."""
    metadata = pd.DataFrame({"Metadata_Plate": ["P1", "P1", "P2"], "Metadata_Well": ["A01", "A02", "A01"]})
    text = "plate_map_name\twell_position\tbroad_sample\n" + "".join(
        f"P{p}\tA0{w}\tB{p}{w}\n" for p in (1, 2) for w in (1, 2)
    )
    found = annotate(metadata, table(tmp_path / "map.txt", text), where="t", problems=Problems())
    assert found["broad_sample"].tolist() == ["B11", "B12", "B21"]


def test_a_well_of_one_plate(tmp_path: Path) -> None:
    metadata = pd.DataFrame({"Metadata_Plate": ["P1", "P2", "P2"], "Metadata_Well": ["A01", "A02", "B01"]})
    text = "well_position,broad_sample\nA01,B1\nA02,B2\n"
    found = annotate(metadata, table(tmp_path / "map.csv", text), where="t", problems=Problems())
    assert found["broad_sample"].tolist() == ["B1", "B2", ""]


def test_repeats_of_another_plate_do_no_harm(tmp_path: Path) -> None:
    """A place that no profile has may stand in several rows that differ."""
    metadata = pd.DataFrame({"Plate": ["P1", "P1"], "Well": ["A01", "A02"]})
    text = "Plate,Well,broad_sample\nP1,A01,B1\nP1,A02,B2\nP9,A01,B3\nP9,A01,B4\n"
    found = annotate(metadata, table(tmp_path / "map.csv", text), where="t", problems=Problems())
    assert found["broad_sample"].tolist() == ["B1", "B2"]


def test_own_metadata_stay(tmp_path: Path) -> None:
    metadata = pd.DataFrame({"id": ["a", "b"], "pert_id": ["B1", ""]})
    problems = Problems()
    found = annotate(
        metadata, table(tmp_path / "m.csv", "id,pert_id\na,X\nb,B2\n"), where="t", problems=problems
    )
    assert found["pert_id"].tolist() == ["B1", "B2"]
    assert "pert_id differ from the profiles' own, which were kept" in problems.notes[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sig_id,pert_id\nx,B1\ny,B2\n", r"none of its columns matches the rows of t; not found: 1, 2"),
        ("number,pert_id\n1,B1\n2,B2\n", r"none of its columns matches"),  # numbers count under one name only
        ("id,pert_id\n1,B1\n1,B2\n", r"id '1' stands in several rows that differ"),
    ],
)
def test_what_does_not_join(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        annotate(
            pd.DataFrame({"id": ["1", "2"]}), table(tmp_path / "m.csv", text), where="t", problems=Problems()
        )


Spelling = Callable[[str, int], str]
SPELLINGS: tuple[Spelling, ...] = (
    lambda row, column: f"{row}{column:02d}",
    lambda row, column: f"{row}{column}",
    lambda row, column: f"{row.lower()}{column:02d}",
    lambda row, column: f"{row.lower()}{column:03d}",
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wells=st.lists(
        st.tuples(st.sampled_from(["A", "H", "P", "AA", "AF"]), st.integers(1, 48)), min_size=1, unique=True
    ),
    mine=st.sampled_from(SPELLINGS),
    theirs=st.sampled_from(SPELLINGS),
    plates=st.booleans(),
)
def test_a_well_is_the_same_however_it_is_spelled(
    tmp_path: Path, wells: list[tuple[str, int]], mine: Spelling, theirs: Spelling, plates: bool
) -> None:
    profiles = pd.DataFrame({"Metadata_Well": [mine(*well) for well in wells], "Metadata_Plate": "P1"})
    known = pd.DataFrame({"well": [theirs(*well) for well in wells[::-1]]})
    known["compound"] = [f"{row}-{column}" for row, column in wells[::-1]]
    if plates:
        known["plate"] = "P1"
    path = tmp_path / "map.csv"
    known.to_csv(path, index=False)
    found = annotate(profiles, path, where="t", problems=Problems())
    assert found["compound"].tolist() == [f"{row}-{column}" for row, column in wells]
    assert found["Metadata_Well"].tolist() == profiles["Metadata_Well"].tolist()
