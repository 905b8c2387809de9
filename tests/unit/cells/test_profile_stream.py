"""Profiles read chunk by chunk are those that are read whole, in every format."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytomol.cells.modality import TrainedModality
from cytomol.cells.profile_stream import ProfileChunk, read_profile_chunks
from cytomol.corpus.correction import GroupCorrection
from cytomol.corpus.readers import read_profiles
from cytomol.errors import InputError, InputNote

FORMATS = ("csv", "csv.gz", "tsv", "parquet", "h5ad", "sparse.h5ad", "layer.h5ad", "gct", "gctx")
TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N"), include_characters=' "_,'), max_size=6)


def modality(*columns: str) -> TrainedModality:
    backbone: Any = SimpleNamespace(
        corrections={}, modalities={"m": {"columns": list(columns), "entity": "molecule"}}
    )
    return TrainedModality(backbone, "m")


def measured(chunks: list[ProfileChunk]) -> NDArray[np.float32]:
    return np.concatenate([chunk.values for chunk in chunks])  # noqa: PD011 (an array)


def write(frame: pd.DataFrame, folder: Path, kind: str) -> Path:
    """Write metadata and features (columns f0, f1, ...) as a format has them."""
    path = folder / f"table.{kind}"
    about = frame[[c for c in frame if not c.startswith("f")]]
    values = frame[[c for c in frame if c.startswith("f")]]
    matrix = values.to_numpy(np.float32)
    match kind:
        case "csv" | "csv.gz":
            frame.to_csv(path, index=False)
        case "tsv":
            frame.to_csv(path, index=False, sep="\t")
        case "parquet":
            frame.to_parquet(path, row_group_size=3)
        case "gct":
            write_gct(path, about, values)
        case "gctx":
            with h5py.File(path, "w") as file:
                file["0/DATA/0/matrix"] = matrix
                file["0/META/COL/id"] = np.array([f"s{i}" for i in range(len(frame))], dtype="S")
                file["0/META/COL/batch"] = np.array([text.encode() for text in about["Metadata_b"]])
                file["0/META/ROW/id"] = np.array(list(values), dtype="S")
        case _:
            stored = scipy.sparse.csr_matrix(np.nan_to_num(matrix)) if kind.startswith("sparse") else matrix
            data = anndata.AnnData(obs=about.set_axis([f"s{i}" for i in range(len(frame))]))
            data = anndata.AnnData(stored, obs=data.obs, var=pd.DataFrame(index=list(values)))
            if kind.startswith("layer"):
                data.layers["z"] = matrix + 1
            data.write_h5ad(path)
    return path


def write_gct(path: Path, about: pd.DataFrame, values: pd.DataFrame) -> None:
    plain = about["Metadata_b"].str.replace('"', "").str.strip()
    lines = ["#1.3", f"{values.shape[1]}\t{len(values)}\t0\t1"]
    lines.append("\t".join(["id", *(f"s{i}" for i in range(len(values)))]))
    lines.append("\t".join(["batch", *plain]))
    lines += ["\t".join([name, *map(str, values[name])]) for name in values]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows, width = draw(st.integers(1, 9)), draw(st.integers(2, 4))
    cell = st.one_of(st.floats(-1e6, 1e6, width=32), st.integers(-3, 3).map(float), st.just(float("nan")))
    frame = pd.DataFrame(
        {
            "Metadata_a": [f"{draw(st.integers(0, 20)):03d}" for _ in range(rows)],
            "Metadata_b": draw(st.lists(TEXTS, min_size=rows, max_size=rows)),
        }
    )
    for number in range(width):
        frame[f"f{number}"] = np.array(draw(st.lists(cell, min_size=rows, max_size=rows)), np.float32)
    return frame


@pytest.mark.parametrize("kind", FORMATS)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(frame=tables(), rows=st.integers(1, 5), data=st.data())
def test_chunks_are_the_whole(
    frame: pd.DataFrame, rows: int, data: st.DataObject, kind: str, tmp_path: Path
) -> None:
    path = write(frame, tmp_path, kind)
    layer = "z" if kind.startswith("layer") else None
    whole = read_profiles(path, layer=layer)
    names = data.draw(st.permutations(whole.columns))[: data.draw(st.integers(1, len(whole.columns)))]
    chunks = list(read_profile_chunks(path, modality(*names), layer=layer, rows=rows))
    assert [chunk.start for chunk in chunks] == list(np.cumsum([0, *map(len, chunks)])[:-1])
    assert max(map(len, chunks)) <= rows
    values = measured(chunks)
    expected = whole.features[:, [whole.columns.index(name) for name in names]]
    np.testing.assert_array_equal(values, expected)
    assert values.dtype == np.float32
    about = pd.concat([chunk.metadata for chunk in chunks], ignore_index=True)
    pd.testing.assert_frame_equal(about, whole.metadata, check_dtype=False)


def test_columns_are_told_by_the_header(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Metadata_Well": ["A1"], "compound": ["c"], "dose": [1.5], "x": [1.0], "y": ["?"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    (chunk,) = read_profile_chunks(tmp_path / "t.csv", modality("x"))
    assert list(chunk.metadata) == ["Metadata_Well", "compound", "dose"]
    (chunk,) = read_profile_chunks(tmp_path / "t.csv", modality("x"), beside=("y",))
    assert chunk.metadata["y"].tolist() == ["?"]
    (chunk,) = read_profile_chunks(tmp_path / "t.csv", modality("dose"))  # the model's word counts more
    assert measured([chunk]).tolist() == [[1.5]]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_nameless_index_is_told_as_in_the_whole(tmp_path: Path, kind: str) -> None:
    for index in (["a", "b", "c"], [0, 1, 2], [5, 6, 7]):
        frame = pd.DataFrame({"f0": [1.0, 2, 3], "f1": [4.0, 5, 6]}, index=index)
        path = tmp_path / f"t.{kind}"
        frame.to_csv(path) if kind == "csv" else frame.to_parquet(path)
        chunks = list(read_profile_chunks(path, modality("f1"), rows=2))
        about = pd.concat([chunk.metadata for chunk in chunks], ignore_index=True)
        pd.testing.assert_frame_equal(about, read_profiles(path).metadata, check_dtype=False)


def test_comments_and_quoted_line_ends_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('#made by hand\n\nMetadata_a,f0\n"one\nor two",1\nthree,2\n\n"four",3\n')
    whole = read_profiles(path)
    chunks = list(read_profile_chunks(path, modality("f0"), rows=1))
    assert measured(chunks).ravel().tolist() == [1, 2, 3]
    names = [name for chunk in chunks for name in chunk.metadata["Metadata_a"]]
    assert names == whole.metadata["Metadata_a"].tolist() == ["one\nor two", "three", "four"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Metadata_a,f0\na,1\nb,2\nc,3\nd,four\n", r"row 4, column f0.*'four' is not a number"),
        ("Metadata_a,f0\na,1\nb,2\nc,3\nd,4,5\n", r"Expected 2 fields in line 5, saw 3"),
        ('Metadata_a,f0\na,1\nb,2\nc,3\n"d,4\n', r"line 5: a quote opens a cell that does not close"),
        ("Metadata_a,f1\na,1\n", r"lacks 1 of the 1 features of m: f0"),
        ("Metadata_a\na\n", r"holds no feature columns"),
        ("Metadata_a,f0\n", r"holds no rows"),
        ("\n\n", r"table is empty"),
        ("Metadata_a,f0,f0\na,1,2\n", r"'f0' stands 2 times"),
        ("<html></html>", r"web page"),
    ],
)
def test_a_defect_is_told_with_the_line_of_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    for rows in (1, 2, 100):
        with pytest.raises(InputError, match=message):
            list(read_profile_chunks(path, modality("f0"), rows=rows))


def test_a_broken_gzip_and_a_broken_parquet_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"f0": rng.normal(size=4000)})
    whole = gzip.compress(frame.to_csv(index=False).encode())
    (tmp_path / "t.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a whole gzip file"):
        list(read_profile_chunks(tmp_path / "t.csv.gz", modality("f0"), rows=10))
    frame.to_parquet(tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="not a readable Parquet file"):
        list(read_profile_chunks(tmp_path / "t.parquet", modality("f0")))


def test_infinite_values_are_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Metadata_a,f0\na,1\nb,inf\nc,-inf\n")
    with pytest.warns(InputNote, match="first in row 2: counted as not measured"):
        chunks = list(read_profile_chunks(path, modality("f0"), rows=1))
    np.testing.assert_array_equal(measured(chunks).ravel(), [1, np.nan, np.nan])


def test_only_anndata_has_layers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Metadata_a,f0\na,1\n")
    with pytest.raises(InputError, match="only AnnData files have layers"):
        list(read_profile_chunks(path, modality("f0"), layer="z"))
    other = write(pd.DataFrame({"Metadata_a": ["a"], "f0": [1.0]}), tmp_path, "h5ad")
    with pytest.raises(InputError, match="has no layer 'z'"):
        list(read_profile_chunks(other, modality("f0"), layer="z"))


def test_profiles_are_corrected_as_those_of_training(tmp_path: Path) -> None:
    columns = ("f1", "f2")
    values = np.arange(40, dtype=np.float32).reshape(20, 2)
    plates = np.repeat(np.array(["P1", "P2"], dtype=object), 10)
    correction = GroupCorrection.fit(values, plates, "center", by="Metadata_Plate")
    backbone = SimpleNamespace(
        corrections={"cp": correction}, modalities={"cp": {"columns": list(columns), "entity": "molecule"}}
    )
    frame = pd.DataFrame(values[8:12], columns=list(columns))
    frame.insert(0, "Metadata_Plate", ["P1", "P2", "elsewhere", ""])
    frame.to_csv(tmp_path / "plates.csv", index=False)
    modality = TrainedModality(backbone, "cp")  # type: ignore[arg-type]
    (chunk,) = read_profile_chunks(tmp_path / "plates.csv", modality)
    wanted = correction.apply(values[8:12], ["P1", "P2", "elsewhere", ""])
    np.testing.assert_array_equal(chunk.values, wanted)
    assert (wanted[:2] != values[8:10]).all()
