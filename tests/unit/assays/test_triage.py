"""What is told of a table before anything is learnt from it."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.assays.labels import read_labels
from cytomol.assays.triage import Triage, triage
from cytomol.errors import InputError


def told(table: dict[str, list[object]]) -> Triage:
    frame = pd.DataFrame(table)
    return triage(frame, [str(text) for text in frame["smiles"]], smiles_col="smiles", table="t.csv")


def chains(count: int) -> list[object]:
    return ["C" * (row % 40 + 1) + "O" * (row // 40) for row in range(count)]


@pytest.mark.parametrize(("labels", "few"), [(49, True), (50, False)])
def test_few_labels_are_told(labels: int, few: bool) -> None:
    found = told(
        {"smiles": chains(60), "pic50": [f"{row / 7:.3f}" for row in range(labels)] + [""] * (60 - labels)}
    )
    assert found.choice.tasks == ("pic50",)
    assert any(f"{labels} labels are few to learn from" in line for line in found.warnings) == few


@pytest.mark.parametrize(("rare", "few"), [(9, True), (10, False)])
def test_few_labels_of_a_class_are_told(rare: int, few: bool) -> None:
    found = told({"smiles": chains(80), "active": ["yes"] * rare + ["no"] * (80 - rare)})
    wanted = f"column 'active': class yes has {rare} labels, few to learn from"
    assert (wanted in found.warnings) == few


@pytest.mark.parametrize(("rows", "crossed"), [(299, True), (300, False)])
def test_a_table_too_small_to_split_is_tested_on_all_of_it(rows: int, crossed: bool) -> None:
    found = told({"smiles": chains(rows), "pic50": [f"{row / 7:.3f}" for row in range(rows)]})
    assert ("--folds 5" in found.command) == crossed
    assert any("too few to judge a model by" in line for line in found.warnings) == crossed


def test_molecules_are_counted_and_the_first_invalid_one_is_named() -> None:
    found = told(
        {"smiles": ["CCO", "OCC", "C1CC", "CC", "", "CCO"], "pic50": ["1.5", "2.5", "3", "4", "5", "6"]}
    )
    counts = found.molecules
    assert (counts.rows, counts.valid, counts.different, counts.repeated) == (6, 4, 2, 1)
    assert counts.first_invalid is not None
    assert counts.first_invalid[0] == 3
    assert "1 molecule stands in several rows, which stay together in every split" in found.warnings


def test_what_must_be_settled_has_no_command() -> None:
    numbers: list[object] = [f"{row / 7:.3f}" for row in range(59)]
    found = told({"smiles": chains(60), "pic50": [*numbers, "inactive"]})
    (column,) = found.problems
    assert column.problem == "1 cell is no number, as 'inactive' in row 60"
    assert found.command == ""


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.sampled_from(["5", "5.0", "0", "4", "12.5"]), min_size=1, max_size=4, unique=True),
    words=st.lists(
        st.sampled_from(["8,02", "8.02 uM", "failed", "1,234.5", "n.d.?"]), min_size=1, max_size=3
    ),
    share=st.integers(51, 99),
)
def test_words_among_numbers_are_never_passed_over(numbers: list[str], words: list[str], share: int) -> None:
    """However few different numbers there are: floors of an assay are often the only whole ones."""
    cells = [(numbers * 100)[row] if row < share else (words * 100)[row] for row in range(100)]
    table: dict[str, list[object]] = {
        "smiles": chains(100),
        "y": list(cells),
        "z": [n / 7 for n in range(100)],
    }
    found = next(column for column in told(table).columns if column.name == "y")
    assert found.problem, found
    assert told(table).command == ""
    with pytest.raises(InputError):
        read_labels(pd.DataFrame(table), None, ignore=["smiles"])


def test_labels_of_no_molecule_teach_nothing() -> None:
    """What finetune would refuse is not proposed."""
    values: list[object] = [row / 7 for row in range(60)]
    found = told({"smiles": ["?"] * 60 + chains(40), "y": [*values, *[""] * 40]})
    assert next(column for column in found.columns if column.name == "y").problem.startswith("no label")
    assert found.command == ""
    assert told({"smiles": ["?"] * 59 + chains(41), "y": [*values, *[""] * 40]}).command


def test_contradictory_labels_of_a_molecule_are_told() -> None:
    twice = [*chains(30), *chains(30)]
    found = told({"smiles": twice, "active": ["yes", "no"] * 15 + ["no", "no"] * 15})
    assert "column 'active': 15 of 30 repeated molecules have contradictory labels" in found.warnings
    same = told({"smiles": twice, "active": ["yes", "no"] * 30})
    assert not any("contradictory" in line for line in same.warnings)
