"""Tables brought to the page: told as `cytomol check` tells them, predicted as `cytomol predict` does."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pandas as pd
import pytest

from cytomol.errors import InputError
from cytomol.predict.answered_rows import predict_rows
from cytomol.serve.explorer.explored_session import ExploredSession
from cytomol.serve.explorer.uploaded_tables import UploadedTables
from cytomol.tables import read_molecules

TABLE = b"name,smiles,length\na,CCO,3\nb,not a molecule,4\nc,,5\nd,Nc1ccccc1,9\n" + b"".join(
    b"e%d,%sCCN,%d\n" % (row, b"C" * row, row) for row in range(1, 90)
)


def finished(tables: UploadedTables, key: str) -> str:
    tables.start(key)
    for _ in range(600):
        if (now := tables.status(key))["state"] != "predicting":
            assert now["state"] == "ready", now["error"]
            return tables.predictions(key)
        time.sleep(0.05)
    raise AssertionError("never ready")


def test_the_predictions_are_those_of_the_command(session: ExploredSession, tmp_path: Path) -> None:
    found = session.tables.add("mine.csv", TABLE)
    given = pd.read_csv(io.StringIO(finished(session.tables, found["table"])))
    path = tmp_path / "mine.csv"
    path.write_bytes(TABLE)
    predictor = session.model.served.predictor
    assert predictor is not None
    wanted = predict_rows(predictor, read_molecules(path), uncertainty=True, evidence=True, workers=1).frame
    again = pd.read_csv(io.StringIO(wanted.to_csv(index=False)))
    pd.testing.assert_frame_equal(given.drop(columns="error"), again.drop(columns="error"), rtol=1e-5)
    assert given["error"].notna().tolist() == again["error"].notna().tolist()
    assert given["error"].notna().sum() == 2


def test_what_the_table_holds(session: ExploredSession) -> None:
    found = session.tables.add("mine.csv", TABLE)
    assert found["rows"] == 93
    assert [one["is"] for one in found["columns"]] == ["id", "smiles", "number"]
    assert found["molecules"][1].startswith("2 rows without a valid molecule; row 2:")
    assert found["command"].startswith("cytomol finetune mine.csv --targets length ")


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("mine.csv", b"", "mine.csv: molecule file is empty"),
        ("mine.csv", b"a,b\n1,2\n", "mine.csv"),
        ("mine.exe", b"MZ", "is not a file of molecules by its name"),
        ("mine.parquet", b"PAR1 nonsense", "mine.parquet"),
        ("../../etc/passwd", b"x", "passwd"),
        ("mine.csv", b"\x89PNG\r\n\x1a\n\0\0\0", "mine.csv"),
    ],
)
def test_a_wrong_file_is_told_by_its_own_name(
    session: ExploredSession, name: str, data: bytes, what: str
) -> None:
    with pytest.raises(InputError) as told:
        session.tables.add(name, data)
    assert what in str(told.value)
    assert "cytomol-" not in str(told.value)  # the temporary folder
    assert "etc" not in str(told.value)


def test_only_the_last_few_tables_stay(session: ExploredSession) -> None:
    keys = [session.tables.add("t.csv", TABLE)["table"] for _ in range(5)]
    with pytest.raises(InputError, match="no longer in memory"):
        session.tables.status(keys[0])
    assert session.tables.status(keys[4])["state"] == "read"
    with pytest.raises(InputError, match="not there yet"):
        session.tables.predictions(keys[4])


def test_too_many_rows(session: ExploredSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytomol.serve.explorer.uploaded_tables.MOST_ROWS", 92)
    with pytest.raises(InputError, match="holds 93 rows, and the page answers 92"):
        session.tables.add("mine.csv", TABLE)


def test_a_backbone_predicts_no_table(cell_session: ExploredSession) -> None:
    key = cell_session.tables.add("mine.csv", TABLE)["table"]
    with pytest.raises(InputError, match="predicts no task"):
        cell_session.tables.start(key)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_ends_the_waiting(session: ExploredSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TypeError("defect")

    monkeypatch.setattr("cytomol.serve.explorer.uploaded_tables.predict_rows", fail)
    key = session.tables.add("mine.csv", TABLE)["table"]
    with pytest.raises(AssertionError, match=r"a defect of the explorer \(TypeError\)"):
        finished(session.tables, key)
