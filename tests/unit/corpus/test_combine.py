"""Wells become profiles: conditions, selections, plates, empty rows, controls; every row has one fate."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.corpus.assemble import JoinOptions, extend_corpus, start_corpus
from cytomol.corpus.build_report import BuildReport, read_build_report
from cytomol.corpus.combine import measured_rows, union_of_features
from cytomol.corpus.feature_columns import ColumnChoice
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable
from cytomol.corpus.schema import Corpus, Entity
from cytomol.corpus.sources import ProfileSource
from cytomol.corpus.wells import WellOptions
from cytomol.errors import InputError

Build = Callable[..., tuple[Corpus, Problems]]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Build a corpus of molecules a, b, c and tables of wells, all called cp."""
    (tmp_path / "m.csv").write_text("id,smiles\na,CCO\nb,CCN\nc,CCC\n")

    def make(
        *frames: pd.DataFrame, entity: Entity = "molecule", aggregate: Any = "median", **options: Any
    ) -> tuple[Corpus, Problems]:
        sources = []
        for number, frame in enumerate(frames):
            path = tmp_path / f"P{number + 1}.csv"
            frame.to_csv(path, index=False)
            sources.append(ProfileSource("cp", "morphology", path, entity))
        problems = Problems()
        start = start_corpus(tmp_path / "m.csv", problems=problems)
        join = JoinOptions(aggregate=aggregate, wells={"": WellOptions(**options)})
        return extend_corpus(start, sources, [], problems=problems, options=join), problems

    return make


def wells(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def fates(problems: Problems) -> dict[str, int]:
    total: dict[str, int] = {}
    for file in problems.built[-1].files:
        assert sum(file.fates.counts().values()) == file.rows
        for fate, count in file.fates.counts().items():
            total[fate] = total.get(fate, 0) + count
    return total


DOSES = wells(
    Metadata_pert_id=["a", "a", "a", "a", "b", "b", "b"],
    Metadata_dose=[1, 10, 10, 10, 1, 3, 3],
    Metadata_cell_line=["A549", "A549", "A549", "U2OS", "A549", "A549", "U2OS"],
    Metadata_time=["24 h"] * 7,
    Cells_f=[1.0, 2, 4, 100, 5, 6, 200],
)


def test_wells_that_differ_are_no_replicates(build: Build) -> None:
    corpus, problems = build(DOSES)
    assert corpus.modalities["cp"].values.ravel().tolist() == [3.0, 6.0]
    note = next(note for note in corpus.notes if "became" in note)
    assert "7 profiles became 2, the median over each molecule's conditions" in note
    assert "no replicates: they differ in Metadata_dose (3 values), Metadata_cell_line (2 values)" in note
    assert "Metadata_time" not in note
    assert "--select dose=max --select cell=A549" in note
    assert [d.entities for d in problems.built[0].differences] == [2, 2]


def test_wells_that_agree_are_replicates(build: Build) -> None:
    corpus, problems = build(DOSES.iloc[1:3])
    assert any("2 profiles became 1, the median of each molecule's replicates" in n for n in corpus.notes)
    assert problems.built[0].differences == ()


@pytest.mark.parametrize("column", ["pert_idose", "Metadata_concentration", "dose_uM", "Metadata_pert_time"])
def test_equal_amounts_are_equal_however_written(build: Build, column: str) -> None:
    table = wells(Metadata_id=["a", "a"], **{column: ["10", "10.0"]}, Cells_f=[1, 3])
    corpus, _ = build(table)
    assert any("of each molecule's replicates" in note for note in corpus.notes)


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ({"dose": ("max",)}, [4.0, 103.0]),
        ({"dose": ("min",)}, [1.0, 5.0]),
        ({"dose": ("max",), "cell": ("A549",)}, [3.0, 6.0]),
        ({"cell": ("u2os",)}, [100.0, 200.0]),
        ({"Metadata_cell_line": ("A549", "U2OS"), "dose": ("1",)}, [1.0, 5.0]),
        ({"time": ("24",), "cell_line": ("U2OS",)}, [100.0, 200.0]),
        ({"dose": ("10", "3.0")}, [4.0, 103.0]),
    ],
)
def test_select(build: Build, select: dict[str, tuple[str, ...]], expected: list[float]) -> None:
    corpus, problems = build(DOSES, select=select)
    assert corpus.modalities["cp"].values.ravel().tolist() == expected
    found = fates(problems)
    assert found.get("not selected", 0) + found["joined by mol_id"] == 7


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ({"cell": ("HeLa",)}, r"no row has cell HeLa \(it is A549, U2OS\)"),
        ({"batch": ("1",)}, r"P1.csv: has no column for --select batch .*Metadata_cell_line"),
        ({"cell": ("max",)}, r"--select cell: cannot take the max of 'A549'"),
    ],
)
def test_select_says_what_there_is(build: Build, select: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(DOSES, select=select)


def test_a_selection_that_loses_a_molecule_says_so(build: Build) -> None:
    corpus, _ = build(DOSES, select={"dose": ("10",)})
    assert len(corpus.modalities["cp"]) == 1
    assert any("--select dose=10 leaves 1 without a profile" in note for note in corpus.notes)


def test_one_modality_for_each_cell_line(build: Build) -> None:
    corpus, problems = build(DOSES, split_by=("cell",), select={"dose": ("max",)})
    assert list(corpus.modalities) == ["cp_A549", "cp_U2OS"]
    assert corpus.modalities["cp_A549"].values.ravel().tolist() == [3, 6]
    assert corpus.modalities["cp_U2OS"].values.ravel().tolist() == [100, 200]
    assert problems.built[0].profiles == {"cp_A549": 2, "cp_U2OS": 2}
    gap = DOSES.assign(Metadata_cell_line=DOSES["Metadata_cell_line"].replace("U2OS", "-666"))
    corpus, problems = build(gap, split_by=("cell",))
    assert list(corpus.modalities) == ["cp_A549"]
    assert fates(problems)["without a value to split by"] == 2


def test_units_beside_the_dose(build: Build) -> None:
    table = wells(
        pert_id=["a", "a", "b", "b"],
        pert_dose=[500, 1, 2, 2000],
        pert_dose_unit=["nM", "uM", "uM", "nM"],
        Cells_f=[1, 2, 3, 5],
    )
    corpus, _ = build(table, select={"dose": ("max",)})
    assert corpus.modalities["cp"].values.ravel().tolist() == [2, 4]


@pytest.mark.parametrize("how", ["median", "mean"])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_aggregation_equals_pandas(how: str, data: st.DataObject) -> None:
    from cytomol.corpus.profiles import aggregate_profiles

    rows = np.array(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=30)), np.int64)
    numbers = st.one_of(st.floats(-1e3, 1e3, width=32), st.just(float("nan")))
    flat = data.draw(st.lists(numbers, min_size=3 * len(rows), max_size=3 * len(rows)))
    values = np.array(flat, np.float32).reshape(len(rows), 3)
    kept, merged = aggregate_profiles(rows, values, how)  # type: ignore[arg-type]
    wanted = getattr(pd.DataFrame(values.astype(np.float64)).groupby(rows), how)()
    assert kept.tolist() == wanted.index.tolist()
    np.testing.assert_allclose(merged, wanted.to_numpy(), rtol=1e-4, atol=1e-4)


P1 = wells(Metadata_id=["a", "b"], Metadata_Plate=[1, 1], Cells_f=[1.0, 2], Cells_g=[3.0, 4])
P2 = wells(Metadata_id=["b", "c"], Metadata_Plate=[2, 2], Cells_h=[5.0, 6], Cells_f=[8.0, 9])


def test_plates_become_one_modality(build: Build) -> None:
    corpus, problems = build(P1, P2)
    modality = corpus.modalities["cp"]
    assert modality.columns == ("Cells_f", "Cells_g", "Cells_h")
    np.testing.assert_array_equal(
        modality.values, np.array([[1, 3, np.nan], [5, 4, 5], [9, np.nan, 6]], np.float32)
    )
    assert any("P1.csv lacks 1 of the 3 features (Cells_h)" in note for note in corpus.notes)
    assert any("P2.csv lacks 1 of the 3 features (Cells_g)" in note for note in corpus.notes)
    assert fates(problems) == {"joined by mol_id": 4}


def test_tables_of_one_name_must_agree(tmp_path: Path, build: Build) -> None:
    build(P1, P2)
    problems = Problems()
    start = start_corpus(tmp_path / "m.csv", problems=problems)
    one, two = tmp_path / "P1.csv", tmp_path / "P2.csv"
    for second, message in (
        (ProfileSource("cp", "expression", two), "different kinds: expression, morphology"),
        (ProfileSource("cp", "morphology", two, "gene"), "different entities: gene, molecule"),
        (ProfileSource("cp", "morphology", one), "are the same file"),
    ):
        with pytest.raises(InputError, match=message):
            extend_corpus(start, [ProfileSource("cp", "morphology", one), second], [], problems=problems)


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abcdefg"), min_size=1, unique=True), st.integers(0, 4)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=80, deadline=None)
def test_union_equals_pandas(shapes: list[tuple[list[str], int]]) -> None:
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(rng.normal(size=(rows, len(names))), columns=names, dtype=np.float32)
        for names, rows in shapes
    ]
    tables = [ProfileTable("p", pd.DataFrame(index=f.index), f.to_numpy(), tuple(f.columns)) for f in frames]
    columns, values = union_of_features(tables)
    assert list(columns) == list(dict.fromkeys(name for f in frames for name in f.columns))
    assert values.dtype == np.float32
    start = 0
    for frame in frames:
        part = pd.DataFrame(values[start : start + len(frame)], columns=list(columns))
        np.testing.assert_array_equal(part[list(frame.columns)].to_numpy(), frame.to_numpy())
        assert part.drop(columns=list(frame.columns)).isna().all(axis=None)
        start += len(frame)
    assert start == len(values)


@pytest.mark.parametrize("empty", [np.nan, np.inf, -np.inf])
def test_rows_without_values_are_not_measured(build: Build, empty: float) -> None:
    table = pd.DataFrame(np.arange(60.0).reshape(3, 20), columns=[f"Cells_{i}" for i in range(20)])
    table.insert(0, "Metadata_id", ["a", "b", "c"])
    table.iloc[1, 1:] = empty
    table.iloc[2, 2:] = empty  # one of 20 is fewer than a tenth
    corpus, problems = build(table)
    assert corpus.modalities["cp"].rows.tolist() == [0]
    assert fates(problems) == {"not measured": 2, "joined by mol_id": 1}
    assert any("2 of 3 rows have values for fewer than 10% of the features" in note for note in corpus.notes)
    if np.isinf(empty):
        assert any("39 infinite values (or beyond float32) in 20 columns" in note for note in corpus.notes)
    kept, _ = build(table, min_measured=0.0)
    assert kept.modalities["cp"].rows.tolist() == [0, 2]


def test_a_column_that_nobody_measured_does_not_count() -> None:
    values = np.full((3, 40), np.nan, np.float32)
    values[0, 0], values[1, 1] = 1, 2
    assert measured_rows(values, 0.5).tolist() == [True, True, False]
    values[2] = 1
    assert measured_rows(values, 0.5).tolist() == [False, False, True]
    assert measured_rows(values, 0.0).all()


def test_controls_are_left_out_but_for_those_who_want_them(build: Build) -> None:
    table = wells(
        Metadata_id=["a", "b", "c"],
        Metadata_pert_type=["trt_cp", "ctl_vehicle", "trt_poscon"],
        Cells_f=[1, 2, 3],
    )
    corpus, problems = build(table)
    assert corpus.modalities["cp"].rows.tolist() == [0, 2]
    assert fates(problems) == {"joined by mol_id": 2, "control": 1}
    assert any("1 of 3 wells is a control (Metadata_pert_type = ctl_vehicle (1))" in n for n in corpus.notes)
    corpus, _ = build(table, keep_controls=True)
    assert corpus.modalities["cp"].rows.tolist() == [0, 1, 2]
    corpus, _ = build(table, controls=(("pert_type", "trt_poscon"),))
    assert corpus.modalities["cp"].rows.tolist() == [0, 1]


def test_control_genes_are_no_genes(build: Build) -> None:
    table = wells(Metadata_Symbol=["TP53", "LacZ", "EGFR", "non-targeting"], Cells_f=[1, 2, 3, 4])
    corpus, problems = build(table, entity="gene")
    assert corpus.genes["gene_id"].tolist() == ["EGFR", "TP53"]
    assert fates(problems)["control"] == 2
    corpus, _ = build(table, entity="gene", keep_controls=True)
    assert len(corpus.genes) == 4


def test_nothing_left_says_why(build: Build) -> None:
    with pytest.raises(InputError, match=r"cp: no row is left: .*P1.csv: 2 rows: 1 control, 1 not measured"):
        build(wells(Metadata_id=["a", "b"], Metadata_pert_type=["ctl_vehicle", "trt"], Cells_f=[1.0, np.nan]))


def test_the_report_tells_the_fate_of_every_row(build: Build, tmp_path: Path) -> None:
    table = wells(
        Metadata_id=["a", "x", "b", "b", "c", "c"],
        Metadata_pert_type=["trt", "trt", "control", "trt", "trt", "trt"],
        dose=[1, 1, 1, 1, 1, 2],
        plate=[7] * 6,
        Cells_f=[1, 2, 3, 4, np.nan, 6],
        Cells_g=[1, 2, 3, 4, np.nan, 6],
    )
    corpus, problems = build(table, select={"dose": ("1",)}, columns=ColumnChoice(leave_out=("Cells_g",)))
    report = BuildReport(problems.built, problems.notes, [str(join) for join in problems.joins])
    (tmp_path / "out").mkdir()
    report.write(tmp_path / "out")
    read = read_build_report(tmp_path / "out")
    assert read == json.loads(json.dumps(report.as_dict()))
    modality = read["modalities"][0]
    file = modality["files"][0]
    assert {entry["fate"]: entry["count"] for entry in file["fates"]} == {
        "joined by mol_id": 2,
        "without molecule": 1,
        "control": 1,
        "not measured": 1,
        "not selected": 1,
    }
    lost = next(entry for entry in file["fates"] if entry["fate"] == "without molecule")
    assert lost["examples"] == [{"row": 2, "id": "x"}]
    assert file["columns"]["features"] == {"count": 1, "examples": ["Cells_f"]}
    assert {entry["reason"] for entry in file["columns"]["left_out"]} >= {
        "left out as asked",
        "place on a plate",
    }
    assert file["roles"]["dose"] == ["dose"]
    assert modality["rows_used"] == 2
    assert modality["profiles"] == {"cp": len(corpus.modalities["cp"])}
    with pytest.raises(InputError, match="report of a build not found"):
        read_build_report(tmp_path)


def test_every_row_tells_its_own_key(build: Build) -> None:
    table = wells(
        Metadata_id=["a", "", "x", "", "a"],
        Metadata_smiles=["", "NCC", "CCC", "", "CCO"],
        Cells_f=[1, 2, 3, 4, 5],
    )
    _, problems = build(table)
    assert fates(problems) == {"joined by mol_id": 2, "joined by canonical SMILES": 2, "without an id": 1}
