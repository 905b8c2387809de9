"""Names that an answer has for its tasks, against what an answer has, and tasks that clash."""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol import finetune
from cytomol.assays.answer_names import OF_MOLECULE, OF_NEAREST, RESERVED, alike, columns_of
from cytomol.assays.labels import read_labels
from cytomol.assays.triage import triage
from cytomol.errors import InputError, InputNote

SMILES = [f"{'C' * size}{end}" for size in range(1, 21) for end in ("O", "N", "Cl", "c1ccccc1")]


def table() -> pd.DataFrame:
    """Return a value, a task of two classes and one of three."""
    size = np.array([len(text) for text in SMILES])
    frame = pd.DataFrame({"smiles": SMILES, "size": size + 0.01 * np.arange(len(SMILES))})
    frame["long"] = np.where(size > 12, "yes", "no")
    frame["how"] = np.array(["a", "b", "c"])[np.digitize(size, [8, 16])]
    return frame


def test_every_column_of_an_answer_is_named() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputNote)
        labels = read_labels(table(), ["size", "long", "how"])
        model = finetune(SMILES, labels, learner="neighbours", cache=None).predictor
    answer = model.predict(SMILES[:2], uncertainty=True, evidence=True).frame()
    named = [column for task in labels.tasks for column in columns_of(task.name, task.classes)]
    assert sorted(answer.columns) == sorted([*named, *OF_MOLECULE, *OF_NEAREST])


NAMES = st.sampled_from(["y", "y_low", "y_std", "y_class", "y_std_low", "y=a", "y_nearest", "z", "z_set"])
CLASSES = st.sampled_from([(), ("0", "1"), ("a", "b", "c")])


@settings(max_examples=200)
@given(st.dictionaries(NAMES, CLASSES, max_size=5))
def test_two_are_alike_where_they_share_a_column(tasks: dict[str, tuple[str, ...]]) -> None:
    pairs = {
        pair
        for pair in combinations(tasks, 2)
        if set(columns_of(pair[0], tasks[pair[0]])) & set(columns_of(pair[1], tasks[pair[1]]))
    }
    found = alike(tasks)
    assert (found is None) == (not pairs)
    if found is not None:
        first, second, shared = found
        assert (first, second) in pairs
        assert all(shared in columns_of(name, tasks[name]) for name in (first, second))


@pytest.mark.parametrize("other", ["size_low", "size_std", "long_class"])
def test_tasks_with_a_column_in_common_are_refused_and_not_proposed(other: str) -> None:
    frame = table()
    frame[other] = frame["size"][::-1].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputNote)
        labels = read_labels(frame, ["size", "long", "how", other])
    with pytest.raises(InputError, match=f"two columns '{other}'"):
        finetune(SMILES, labels, learner="neighbours")
    found = triage(frame, SMILES, smiles_col="smiles", table="t.csv")
    assert next(column for column in found.columns if column.name == other).problem
    assert not found.command


@pytest.mark.parametrize("name", RESERVED)
def test_no_task_is_called_as_a_column_of_every_answer(name: str) -> None:
    frame = table().drop(columns="smiles").rename(columns={"size": name.upper()})
    with pytest.raises(InputError, match="a task cannot be called"):
        read_labels(frame, [name.upper()])
