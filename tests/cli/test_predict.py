"""The verb predict: every row answered in order, in every format, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.cli.main import main
from cytomol.predict.predictor import Predictor

Run = Callable[..., Any]
SMILES = ["CCO", "C1CC", "c1ccncc1", "", "CC(=O)Oc1ccccc1C(=O)O", "CCO"]
INVALID = [1, 3]
PLAIN = ("--no-uncertainty",)
ANSWERS = ["nitrogen", "nitrogen_class", "aromatic", "aromatic_class"]


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"id": list("abcdef"), "smiles": SMILES}).to_csv(path, index=False)
    return path


def expected_values(model: Path, smiles: list[str]) -> np.ndarray:
    answer = Predictor.load(model).predict(smiles)
    return np.asarray(answer.values)


def test_every_row_is_answered_in_order(
    cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("predict", fine_tuned, molecules, *PLAIN, "-o", tmp_path / "out.csv", "--keep", "id")
    assert done.code == 0, done.err
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert table.columns.tolist() == ["smiles", "id", *ANSWERS, "error"]
    assert table["smiles"].tolist() == SMILES
    assert table["id"].tolist() == list("abcdef")
    assert [bool(error) for error in table["error"]] == [row in INVALID for row in range(6)]
    assert [value == "" for value in table["nitrogen"]] == [row in INVALID for row in range(6)]
    assert table["nitrogen"][0] == table["nitrogen"][5]
    expected = expected_values(fine_tuned, SMILES)
    found = table[["nitrogen", "aromatic"]].replace("", np.nan).astype(float).to_numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert "predicted 4 of 6 molecules, 2 invalid (reason in column 'error')" in done.err


@pytest.mark.parametrize("batch", ["1", "3", "256"])
def test_batch_size_does_not_change_the_answer(
    cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path, batch: str
) -> None:
    assert cytomol("predict", fine_tuned, molecules, "-o", tmp_path / "a.csv").code == 0
    done = cytomol("predict", fine_tuned, molecules, "-o", tmp_path / "b.csv", "--batch-size", batch)
    assert done.code == 0
    a, b = (pd.read_csv(tmp_path / f"{name}.csv") for name in "ab")
    pd.testing.assert_frame_equal(a, b, rtol=1e-5)


def sd_record(smiles: str) -> str:
    from rdkit import Chem

    return Chem.MolToMolBlock(Chem.MolFromSmiles(smiles)) + "$$$$\n"


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "smi", "sdf", "csv.gz", "smi.gz", "sdf.gz"])
def test_every_input_format_gives_the_same(cytomol: Run, fine_tuned: Path, tmp_path: Path, kind: str) -> None:
    smiles = ["CCO", "c1ccncc1"]
    frame, path = pd.DataFrame({"smiles": smiles}), tmp_path / f"in.{kind}"
    match kind.split(".", maxsplit=1)[0]:
        case "csv":
            frame.to_csv(path, index=False)
        case "tsv":
            frame.to_csv(path, index=False, sep="\t")
        case "parquet":
            frame.to_parquet(path)
        case form:
            text = "".join(map(sd_record, smiles)) if form == "sdf" else "CCO ethanol\nc1ccncc1 pyridine\n"
            path.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
    done = cytomol("predict", fine_tuned, path, "-o", tmp_path / "out.csv")
    assert done.code == 0, done.err
    table = pd.read_csv(tmp_path / "out.csv")
    expected = expected_values(fine_tuned, smiles)
    np.testing.assert_allclose(table[["nitrogen", "aromatic"]].to_numpy(), expected, rtol=1e-4)


def test_output_formats_agree(cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path) -> None:
    for suffix in ("csv", "parquet", "npz", "tsv", "csv.gz"):
        assert cytomol("predict", fine_tuned, molecules, "-o", tmp_path / f"out.{suffix}").code == 0
    expected = pd.read_csv(tmp_path / "out.csv")["nitrogen"].to_numpy()
    np.testing.assert_array_equal(pd.read_parquet(tmp_path / "out.parquet")["nitrogen"], expected)
    np.testing.assert_array_equal(pd.read_csv(tmp_path / "out.csv.gz")["nitrogen"], expected)
    np.testing.assert_array_equal(pd.read_csv(tmp_path / "out.tsv", sep="\t")["nitrogen"], expected)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["nitrogen"], expected)
        assert arrays["smiles"].tolist() == SMILES


def test_standard_input_and_output(fine_tuned: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cytomol", "predict", str(fine_tuned), "-", "-o", "-", "--quiet", *PLAIN],
        input="smiles,id\nCCO,1\nxx,2\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == ",".join(["smiles,id", *ANSWERS, "error"])
    assert len(lines) == 3
    assert done.stderr == ""


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16"])
def test_standard_output_is_utf8_whatever_its_encoding(
    fine_tuned: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    given, said = io.BytesIO("smiles,name\nCCO,β-thing\n".encode()), io.BytesIO()
    # as Python opens them where the environment says PYTHONIOENCODING
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(given, encoding=encoding))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(said, encoding=encoding))
    with pytest.raises(SystemExit) as stop:
        main(["predict", str(fine_tuned), "-", "-o", "-", "--quiet"])
    sys.stdout.flush()
    assert stop.value.code in {0, None}
    assert "CCO,β-thing," in said.getvalue().decode("utf-8")


def test_every_column_of_the_input_is_in_front_and_unaltered(
    cytomol: Run, fine_tuned: Path, tmp_path: Path
) -> None:
    cells = {"id": ["007", "1e5"], "SMILES": ["CCO", "OCC |^1:0| x"], "nitrogen": ["0.10", ""],
             "error": ["", "NA"], "a, \"b\"": ["x\ry", "p\nq"], "file": ["5\" tube", " s "]}  # fmt: skip
    frame = pd.DataFrame(cells)
    frame.to_csv(tmp_path / "in.csv", index=False, quoting=csv.QUOTE_ALL)
    for suffix in ("csv", "parquet", "npz"):
        done = cytomol("predict", fine_tuned, tmp_path / "in.csv", *PLAIN, "-o", tmp_path / f"out.{suffix}")
        assert done.code == 0, done.err
        assert (
            "the input has a column 'nitrogen', which stays: the answer is called 'nitrogen_pred" in done.err
        )
        assert "(reason in column 'error_of_molecule')" in done.err or "0 invalid" in done.err
    found = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert found.columns.tolist() == [*frame, "nitrogen_predicted", *ANSWERS[1:], "error_of_molecule"]
    assert found[list(frame)].to_dict("list") == cells
    assert pd.read_parquet(tmp_path / "out.parquet")[list(frame)].to_dict("list") == cells
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert {name: arrays[name].tolist() for name in frame} == cells


def test_keep_narrows_the_columns(cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path) -> None:
    for number, (keep, expected) in enumerate([("", ["smiles"]), ("id", ["smiles", "id"])]):
        out = tmp_path / f"{number}.csv"
        assert cytomol("predict", fine_tuned, molecules, "--keep", keep, *PLAIN, "-o", out).code == 0
        assert pd.read_csv(out).columns.tolist() == [*expected, *ANSWERS, "error"]


def test_csv_and_smi_mean_the_same_by_a_blank(cytomol: Run, fine_tuned: Path, tmp_path: Path) -> None:
    cells = ["CCO |^1:0|", "CCO ethanol", "CCO |^1:0| ethanol", "CCO |cut off", "CCO |no|", "CCO"]
    pd.DataFrame({"smiles": cells}).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "a.smi").write_text("\n".join(cells))
    for kind in ("csv", "smi"):
        done = cytomol("predict", fine_tuned, tmp_path / f"a.{kind}", "-o", tmp_path / f"{kind}.csv")
        assert done.code == 0
    columns = ["nitrogen", "error"]
    a, b = (pd.read_csv(tmp_path / f"{kind}.csv")[columns] for kind in ("csv", "smi"))
    pd.testing.assert_frame_equal(a, b)
    assert a["nitrogen"].isna().tolist() == [False, False, False, True, True, False]
    assert a["error"].str.contains("CXSMILES").tolist()[3:5] == [True, True]
    assert a["nitrogen"][0] == a["nitrogen"][2] != a["nitrogen"][1] == a["nitrogen"][5]


def test_invalid_molecules_may_be_dropped(
    cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("predict", fine_tuned, molecules, "-o", tmp_path / "out.csv", "--on-error", "drop")
    assert done.code == 0
    assert pd.read_csv(tmp_path / "out.csv")["smiles"].tolist() == [SMILES[i] for i in (0, 2, 4, 5)]
    assert "2 invalid (left out)" in done.err


def test_invalid_molecules_may_stop_it(
    cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("predict", fine_tuned, molecules, "-o", tmp_path / "out.csv", "--on-error", "raise")
    assert_refused(done, r"in.csv, row 2: invalid molecule 'C1CC'")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("options", [[], ["--on-error", "drop"]])
def test_an_input_of_which_no_row_can_be_read_is_an_error(
    cytomol: Run, fine_tuned: Path, tmp_path: Path, options: list[str]
) -> None:
    (tmp_path / "in.smi").write_text("xx\nC1C\n")
    done = cytomol("predict", fine_tuned, tmp_path / "in.smi", "-o", tmp_path / "o.csv", *options)
    assert_refused(done, r"in.smi: none of its 2 rows holds a molecule.*row 1: .*--on-error keep")
    assert not (tmp_path / "o.csv").exists()


def test_only_invalid_molecules_are_answered_if_asked(cytomol: Run, fine_tuned: Path, tmp_path: Path) -> None:
    (tmp_path / "in.smi").write_text("xx\nC1C\n")
    keep = ("--on-error", "keep")
    assert cytomol("predict", fine_tuned, tmp_path / "in.smi", "-o", tmp_path / "o.csv", *keep).code == 0
    table = pd.read_csv(tmp_path / "o.csv")
    assert table["nitrogen"].isna().tolist() == [True, True]


def assert_refused(done: Any, message: str) -> None:
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    error = next(line for line in done.err.splitlines() if line.startswith("cytomol: error:"))
    assert re.search(message, error), error


CASES: dict[str, tuple[str, bytes | None, list[str], str]] = {
    "missing": ("in.csv", None, [], r"not found"),
    "empty": ("in.csv", b"", [], r"is empty"),
    "header alone": ("in.csv", b"smiles\n", [], r"holds no molecules"),
    "wrong delimiter": ("in.csv", b"id;smiles\n1;CCO\n", [], r"separated by semicolons"),
    "missing column": ("in.csv", b"id,structures\n1,CCO\n", [], r"no column 'smiles'.*id, structures"),
    "nearest column": ("in.csv", b"id,Smile\n1,CCO\n", ["--smiles-col", "smile"], r"did you mean 'Smile'"),
    "column twice": ("in.csv", b"smiles,smiles\nC,C\n", [], r"column 'smiles' stands 2 times"),
    "corrupt gzip": ("in.csv.gz", gzip.compress(b"smiles\nCCO\n" * 50)[:-9], [], r"not a whole gzip file"),
    "corrupt Parquet": ("in.parquet", b"PAR1", [], r"not a readable Parquet file"),
    "binary": ("in.smi", b"\x00\x01\x02\x00", [], r"binary data"),
    "kept column missing": ("in.csv", b"smiles,id\nCCO,1\n", ["--keep", "di"], r"no column 'di'.*--keep"),
    "stray quote": ("in.csv", b'smiles,name,id\nCCO,"red,1\nCC,12",2\n', [], r"csv, line 2: a quote opens"),
    "list of another kind": ("in.smi", b"smiles,id\nCCO,1\n", [], r"seems to be a table separated by commas"),
    "sheet of no workbook": ("in.csv", b"smiles\nCCO\n", ["--sheet", "a"], r"--sheet"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_and_nothing_is_left(
    cytomol: Run, fine_tuned: Path, tmp_path: Path, case: str
) -> None:
    name, content, options, message = CASES[case]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = cytomol("predict", fine_tuned, tmp_path / name, *options, "-o", tmp_path / "out.csv")
    assert_refused(done, message)
    assert [path.name for path in tmp_path.iterdir()] == ([name] if content is not None else [])


def test_directories_where_files_belong(
    cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("predict", fine_tuned, tmp_path, "-o", tmp_path / "o.csv")
    assert_refused(done, r"is a directory where a molecule file belongs")
    (tmp_path / "folder.csv").mkdir()
    done = cytomol("predict", fine_tuned, molecules, "-o", tmp_path / "folder.csv")
    assert_refused(done, r"is a directory where a file belongs|output exists")


def test_outputs_that_exist_or_have_no_format(
    cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.csv"
    out.write_text("precious")
    assert_refused(cytomol("predict", fine_tuned, molecules, "-o", out), r"output exists.*--force")
    assert out.read_text() == "precious"
    assert cytomol("predict", fine_tuned, molecules, "-o", out, "--force").code == 0
    assert out.read_text().startswith("id,smiles,")
    assert_refused(
        cytomol("predict", fine_tuned, molecules, "-o", tmp_path / "o.xlsx"), r"unknown kind of out"
    )


def test_a_full_disk_leaves_no_partial_output(
    cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: pd.DataFrame, target: Path, **_: Any) -> None:
        Path(target).write_text("smiles,nitro")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    done = cytomol("predict", fine_tuned, molecules, "-o", tmp_path / "o.csv")
    assert_refused(done, r"o.csv: cannot be written: No space left on device")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_full_device_as_standard_output(fine_tuned: Path, molecules: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "cytomol", "predict", str(fine_tuned), str(molecules), "-o", "-"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "cytomol: error: standard output: cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_models_that_are_none(
    cytomol: Run, fine_tuned: Path, untrained: dict[str, Path], molecules: Path, tmp_path: Path
) -> None:
    out = ["-o", tmp_path / "o.csv"]
    assert_refused(cytomol("predict", tmp_path / "none", molecules, *out), r"model directory not found")
    assert_refused(
        cytomol("predict", untrained["chmr"], molecules, *out), r"holds a backbone, not a predictor"
    )
    altered = tmp_path / "altered"
    shutil.copytree(fine_tuned, altered)
    weights = altered / "backbone" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x07")
    done = cytomol("predict", altered, molecules, *out)
    assert_refused(done, r"weights.safetensors: .*SHA-256 [0-9a-f]{64}.*[0-9a-f]{64}")
    assert not (tmp_path / "o.csv").exists()
