from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytomol.assays.labels import Labels, Task, check_training_labels, read_labels
from cytomol.errors import ConfigError, InputError, InputNote


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"smiles": ["C", "CC", "CCC"], **columns})


def test_without_targets_every_column_of_numbers_is_a_task() -> None:
    labels = read_labels(
        frame(name=["a", "b", "c"], t=["1", "0", ""], u=["0.0", "NA", "1"], v=["", "", ""]),
        None,
        ignore=["smiles"],
    )
    assert labels.names == ("t", "u")
    assert labels.kind == "classification"
    assert labels.metric == "roc_auc"
    np.testing.assert_array_equal(labels.matrix, [[1, 0], [0, np.nan], [np.nan, 1]])
    assert "name (text)" in labels.left_out
    assert "v (empty)" in labels.left_out


def test_numbers_booleans_and_nulls_of_parquet() -> None:
    labels = read_labels(
        frame(t=pd.array([True, None, False], dtype="boolean"), u=pd.array([1, 0, None], dtype="Int64")),
        ["u", "t"],
    )
    np.testing.assert_array_equal(labels.matrix, [[1, 1], [0, np.nan], [np.nan, 0]])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [(["1", "0", "1"], "classification"), (["1", "0", "2"], "regression"), (["0.5", "", "1"], "regression")],
)
def test_kind_is_detected(cells: list[object], kind: str) -> None:
    assert read_labels(frame(t=cells), ["t"]).kind == kind


def test_kind_can_be_overridden() -> None:
    assert read_labels(frame(t=["1", "0", "1"]), ["t"], task_type="regression").kind == "regression"
    with pytest.raises(InputError, match=r"row 3, column 't'.*label 0.5 is no class"):
        read_labels(frame(t=["1", "0", "0.5"]), ["t"], task_type="classification")


def test_a_table_may_hold_tasks_of_several_kinds() -> None:
    found = read_labels(
        frame(t=["1", "0", "1"], u=["1", "0.5", "3"], w=["Active", "", "inactive"]), None, ignore=["smiles"]
    )
    assert [task.kind for task in found.tasks] == ["binary", "regression", "binary"]
    assert found.tasks[2].classes == ("inactive", "Active")
    assert found.kind == "mixed"
    np.testing.assert_array_equal(found.matrix, [[1, 1, 1], [0, 0.5, np.nan], [1, 3, 0]])


def test_kind_can_be_given_for_one_task_alone() -> None:
    table = frame(t=["1", "0", "1"], u=["0", "1", "2"])
    for given in ({"t": "regression", "u": "classification"}, "t=regression,u=classification"):
        found = read_labels(table, ["t", "u"], task_type=given)
        assert [task.kind for task in found.tasks] == ["regression", "multiclass"]
    with pytest.raises(ConfigError, match=r"no task type 'class'.*auto, classification, regression"):
        read_labels(table, ["t"], task_type="t=class")


def test_bounds_are_read_beside_values() -> None:
    table = pd.DataFrame({"ic50": ["0.7", "<0.5", "> 10", "<= 1e-2", ">=3", "≤4", "≥ 5", "~6", "=7", ""]})
    found = read_labels(table, ["ic50"])
    np.testing.assert_array_equal(found.matrix[:, 0], [0.7, 0.5, 10, 0.01, 3, 4, 5, 6, 7, np.nan])
    assert found.bounds is not None
    assert found.bounds[:, 0].tolist() == [0, -1, 1, -1, 1, -1, 1, 0, 0, 0]
    assert found.tasks == (Task("ic50", "regression"),)
    part = found.take(np.array([2, 0]))
    assert part.bounds is not None
    assert part.bounds[:, 0].tolist() == [1, 0]


def test_without_a_bound_there_are_no_bounds() -> None:
    assert read_labels(frame(t=["1", "0.5", "3"]), ["t"]).bounds is None


def test_numbers_that_may_mean_missing_are_refused_with_their_count_until_settled() -> None:
    cells = [f"{value / 7:.2f}" for value in range(20)]
    cells[3] = cells[8] = cells[9] = "-999"
    table = pd.DataFrame({"y": cells})
    with pytest.raises(InputError, match=r"column 'y': -999 in 3 of 20 cells.*--missing-codes=-999"):
        read_labels(table, None)
    assert np.isnan(read_labels(table, None, missing_codes=["-999.0"]).matrix).sum() == 3
    assert read_labels(table, None, missing_codes=["none"]).matrix.min() == -999


def test_minus_one_among_classes_is_refused_until_settled() -> None:
    table = pd.DataFrame({"y": ["-1", "0", "1", "1", "-1", "0", "1", "0", "0", "0", "1", "1"]})
    with pytest.raises(InputError, match=r"-1 stands in 2 of 12 cells among 0 and 1"):
        read_labels(table, ["y"])
    coded = read_labels(table, ["y"], missing_codes=["-1"])
    assert coded.tasks == (Task("y", "binary", ("0", "1")),)
    assert np.isnan(coded.matrix[[0, 4], 0]).all()
    assert read_labels(table, ["y"], task_type="classification").tasks[0].classes == ("-1", "0", "1")
    assert read_labels(table, ["y"], task_type="regression").matrix.min() == -1


def test_places_of_classes_follow_their_order() -> None:
    table = pd.DataFrame({"y": ["2", "1", "2", "1", "1", "2", "1", "1", ""], "z": [*"yynnyynn", ""]})
    with pytest.warns(InputNote, match="2 is the positive one"):
        found = read_labels(table, None)
    assert [task.classes for task in found.tasks] == [("1", "2"), ("n", "y")]
    np.testing.assert_array_equal(found.matrix[:, 0], [1, 0, 1, 0, 0, 1, 0, 0, np.nan])
    np.testing.assert_array_equal(found.matrix[:, 1], [1, 1, 0, 0, 1, 1, 0, 0, np.nan])


def test_what_is_left_out_and_might_be_meant_is_said() -> None:
    table = pd.DataFrame({"Compound ID": range(100, 120), "y": np.linspace(0, 1, 20) ** 2})
    with pytest.warns(InputNote, match="'Compound ID' is not learnt"):
        found = read_labels(table, None)
    assert found.names == ("y",)
    assert read_labels(table, ["Compound ID"]).names == ("Compound ID",)


@pytest.mark.parametrize("bad", ["1,5", "inf", "12 uM"])
@pytest.mark.parametrize("targets", [None, ["t"]])
def test_a_cell_that_is_no_number_is_named(bad: str, targets: list[str] | None) -> None:
    with pytest.raises(InputError, match=r"assays.csv, row 2, column 't'.*is not a finite number") as caught:
        read_labels(frame(t=["1", bad, "3"]), targets, ignore=["smiles"], where="assays.csv")
    assert bad in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "targets", "message"),
    [
        ({"t": ["", "", ""]}, ["t"], "column 't': no label is measured"),
        ({"t": ["a", "b", "c"]}, None, r"no column to learn from.*left out: t \(text"),
        ({"logP": ["1", "2", "3"]}, ["logp"], "no column 'logp'.*did you mean 'logP'"),
        ({"t": ["1", "2", "3"]}, ["t", "t"], "named twice"),
        ({"error": ["1", "2", "3"]}, ["error"], "cannot be called 'error'"),
        ({"SMILES": ["1", "2", "3"]}, ["SMILES"], "cannot be called 'SMILES'"),
        ({"fold": ["1", "2", "3"]}, ["fold"], "it is the SMILES or fold column"),
    ],
)
def test_wrong_tables_are_refused(
    columns: dict[str, list[object]], targets: list[str] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_labels(frame(**columns), targets, ignore=["smiles", "fold"])


def labels(values: list[list[float]], kind: str = "classification") -> Labels:
    return Labels.of_kind(("a", "b")[: len(values[0])], np.array(values, dtype=float), kind, "t.csv")


def test_training_needs_both_classes_somewhere() -> None:
    nan = np.nan
    with pytest.raises(InputError, match="column 'a': every training label is 1"):
        check_training_labels(labels([[1], [1], [0]]), np.array([True, True, False]))
    with pytest.raises(InputError, match="column 'a': every training label is 1"):
        check_training_labels(labels([[1], [nan], [0]]), np.array([True, True, False]))
    with pytest.raises(InputError, match="no training molecule has a label"):
        check_training_labels(labels([[nan], [nan], [0]]), np.array([True, True, False]))
    with pytest.raises(InputError, match="nothing to tell apart"):
        check_training_labels(labels([[nan, 0], [nan, 0]]), np.array([True, True]))


def test_single_tasks_without_use_are_said() -> None:
    nan = np.nan
    everything = np.array([True, True])
    assert check_training_labels(labels([[1, 1], [0, 1]]), everything) == ["one class only in training: b"]
    assert check_training_labels(labels([[1, nan], [0, nan]]), everything) == [
        "no training label, so no prediction: b"
    ]
    assert check_training_labels(labels([[1, 1], [0, 0]]), everything) == []
    assert check_training_labels(labels([[1.5, 1], [0, 1]], "regression"), everything) == []


@pytest.mark.parametrize("cells", [["4,59", "5,1", ""], ["-0,5", "1,0e3", "7"], ["1,234", "x", "2,5"]])
def test_decimal_commas_are_named(cells: list[object]) -> None:
    with pytest.raises(InputError, match=r"row 1, column 'y': holds numbers with a comma, such as"):
        read_labels(frame(y=cells, t=["0.5", "1.5", "2"]), None, ignore=["smiles"])


def test_text_with_a_comma_is_text() -> None:
    labels = read_labels(frame(y=["a,b", "1,2", "c"], t=["0.5", "1.5", "2"]), None, ignore=["smiles"])
    assert labels.names == ("t",)


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([["C", 1.0, 2.0]], columns=["smiles", "y", "y"])
    for targets in (["y"], None):
        with pytest.raises(InputError, match="has two columns 'y'"):
            read_labels(frame, targets, ignore=["smiles"])
