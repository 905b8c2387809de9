"""AnnData files written by chunks hold what was written, as anndata itself reads it."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytomol.errors import MissingDependencyError, OutputError
from cytomol.tables.write_chunks import Layout, open_chunks

anndata = pytest.importorskip("anndata")

TEXT = st.text(max_size=8)
LAYOUT = Layout(
    columns={"m": ["a/b", "b", "c"], "half": ["a/b", "b", "c"], "X_place": ["east", "north"]},
    x="m",
    layers={"half": "half_width"},
    notes={"what": "a test", "coverage": 0.9, "of": {"names": ["x", "y"], "numbers": np.arange(3)}},
)


def _matrices(rows: int, start: int = 0) -> dict[str, np.ndarray]:
    numbers = np.arange(start * 3, (start + rows) * 3, dtype=np.float32).reshape(-1, 3)
    return {
        "m": numbers,
        "half": numbers / 2,
        "X_place": numbers[:, :2] - 1,
        "codes": numbers.astype(np.int64),
    }


@given(
    rows=st.lists(st.tuples(TEXT, st.integers(-9, 9), st.floats(width=32), st.booleans()), max_size=12),
    size=st.integers(1, 5),
)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_rows_in_any_chunks_come_back_in_order(
    rows: list[tuple[str, int, float, bool]], size: int, tmp_path: Path
) -> None:
    frame = pd.DataFrame(rows, columns=["name", "count", "Metadata_dose", "flag/x"])
    frame = frame.astype({"name": object, "count": int, "Metadata_dose": float, "flag/x": bool})
    path = tmp_path / "t.h5ad"
    with open_chunks(path, force=True, layout=LAYOUT) as writer:
        for start in range(0, len(frame), size):
            part = frame.iloc[start : start + size]
            writer.write(part, _matrices(len(part), start))
    data = anndata.read_h5ad(path)
    assert data.n_obs == len(frame)
    if not len(frame):
        return
    assert list(data.obs) == ["Metadata_name", "Metadata_count", "Metadata_dose", "Metadata_flag_x"]
    assert data.obs["Metadata_name"].tolist() == [name.replace("\0", "") for name in frame["name"]]
    for obs, column in (("count", "count"), ("dose", "Metadata_dose"), ("flag_x", "flag/x")):
        np.testing.assert_array_equal(data.obs[f"Metadata_{obs}"].to_numpy(), frame[column].to_numpy())
    assert data.obs_names.tolist() == [str(row) for row in range(len(frame))]
    expected = _matrices(len(frame))
    assert data.var_names.tolist() == ["a/b", "b", "c"]
    np.testing.assert_array_equal(data.X, expected["m"])
    np.testing.assert_array_equal(data.layers["half_width"], expected["half"])
    np.testing.assert_array_equal(data.obsm["X_place"], expected["X_place"])
    np.testing.assert_array_equal(data.obsm["codes"], expected["codes"])
    assert data.uns["columns"]["X_place"].tolist() == ["east", "north"]
    assert (data.uns["what"], float(data.uns["coverage"])) == ("a test", 0.9)
    assert data.uns["of"]["names"].tolist() == ["x", "y"]
    np.testing.assert_array_equal(data.uns["of"]["numbers"], np.arange(3))


def test_a_file_without_x_has_its_matrices_in_obsm(tmp_path: Path) -> None:
    with open_chunks(tmp_path / "t.h5ad") as writer:
        writer.write(pd.DataFrame({"smiles": ["C", None]}), {"X_cytomol": np.ones((2, 4), np.float32)})
    data = anndata.read_h5ad(tmp_path / "t.h5ad")
    assert data.shape == (2, 0)
    assert data.obs["Metadata_smiles"].tolist() == ["C", ""]
    assert data.obsm["X_cytomol"].shape == (2, 4)


def test_what_it_writes_anndata_writes_alike(tmp_path: Path) -> None:
    with open_chunks(tmp_path / "t.h5ad", layout=LAYOUT) as writer:
        writer.write(pd.DataFrame({"smiles": ["C", "CC"]}), _matrices(2))
    data = anndata.read_h5ad(tmp_path / "t.h5ad")
    data.write_h5ad(tmp_path / "again.h5ad")
    again = anndata.read_h5ad(tmp_path / "again.h5ad")
    np.testing.assert_array_equal(again.X, data.X)
    pd.testing.assert_frame_equal(again.obs.astype(object), data.obs.astype(object))
    assert anndata.read_h5ad(tmp_path / "t.h5ad", backed="r")[1].X.tolist() == [[3.0, 4.0, 5.0]]


def test_names_that_meet_are_told_apart(tmp_path: Path) -> None:
    with open_chunks(tmp_path / "t.h5ad") as writer:
        writer.write(pd.DataFrame({"a": [1], "Metadata_a": [2]}))
    assert anndata.read_h5ad(tmp_path / "t.h5ad").obs.iloc[0].to_dict() == {
        "Metadata_a": 1,
        "Metadata_a_2": 2,
    }


def test_a_column_that_changes_its_kind_is_an_error_and_nothing_stays(tmp_path: Path) -> None:
    def write() -> None:
        with open_chunks(tmp_path / "t.h5ad") as writer:
            writer.write(pd.DataFrame({"a": [1]}))
            writer.write(pd.DataFrame({"a": [1.5]}))

    with pytest.raises(OutputError, match="Metadata_a holds int64 and later float64"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_without_h5py_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError, match=r"cytomol\[omics\]"), open_chunks(tmp_path / "t.h5ad"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(chunks: int) -> int:
        matrix = np.ones((500, 100), np.float32)
        tracemalloc.start()
        with open_chunks(tmp_path / f"{chunks}.h5ad", layout=Layout(x="m")) as writer:
            for _ in range(chunks):
                writer.write(pd.DataFrame({"smiles": ["C"] * 500}), {"m": matrix})
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(2)
    # 54 chunks more, each of 200 kB: less than one of them is kept, whatever else the process does meanwhile
    assert peak(60) < peak(6) + 100_000
    assert anndata.read_h5ad(tmp_path / "60.h5ad").shape == (30_000, 100)
