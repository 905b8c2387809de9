"""pycytominer tables, AnnData, GCT and GCTX as tables of profiles."""

from __future__ import annotations

import builtins
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.assemble import ProfileSource, extend_corpus, start_corpus
from cytomol.corpus.feature_columns import ColumnChoice
from cytomol.corpus.problems import Problems
from cytomol.corpus.readers import gctx, read_corpus, read_profile_metadata, read_profiles
from cytomol.errors import ConfigError, InputError, MissingDependencyError

Plates = Callable[[], pd.DataFrame]


@pytest.mark.parametrize("name", ["p.csv", "p.csv.gz", "p.parquet", "p.tsv"])
def test_pycytominer(plates: Plates, tmp_path: Path, name: str) -> None:
    frame, path = plates(), tmp_path / name
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_csv(
        path, index=False, sep="\t" if "tsv" in name else ","
    )
    table = read_profiles(path)
    assert table.columns == ("Cells_area", "Nuclei_area")
    assert table.features.dtype == np.float32
    np.testing.assert_array_equal(table.features, frame[list(table.columns)].to_numpy(np.float32))
    assert table.metadata["Metadata_broad_sample"].tolist() == frame["Metadata_broad_sample"].tolist()


def test_pycytominer_table_as_corpus(plates: Plates, tmp_path: Path) -> None:
    plates().to_csv(tmp_path / "cp_plates.csv", index=False)
    corpus = read_corpus(tmp_path / "cp_plates.csv")
    assert corpus.molecules["mol_id"].tolist() == ["m0", "m1"]
    assert corpus.smiles == ["OCC", "Oc1ccccc1"]
    modality = corpus.modalities["cp_plates"]
    assert (modality.kind, modality.rows.tolist()) == ("morphology", [0, 1])
    np.testing.assert_array_equal(
        modality.values, np.array([[2, 3], [15, 7]], np.float32)
    )  # medians without NaN
    assert "2 of 7 wells are controls (Metadata_broad_sample = DMSO (2))" in corpus.notes[0]


def test_table_without_structures_is_no_corpus(plates: Plates, tmp_path: Path) -> None:
    plates().drop(columns="Metadata_smiles").to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(InputError, match=r"no column of SMILES.*cytomol corpus build"):
        read_corpus(tmp_path / "p.csv")


def test_text_among_features(plates: Plates, tmp_path: Path) -> None:
    plates().assign(Cells_name=list("abcdefg")).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(InputError, match=r"p.csv, row 1, column Cells_name: 'a' is not a number.*Metadata_"):
        read_profiles(tmp_path / "p.csv")


def test_no_features_and_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Metadata_x,mol_id\n1,m0\n")
    with pytest.raises(InputError, match="no feature columns"):
        read_profiles(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("mol_id,f\n")
    with pytest.raises(InputError, match="holds no rows"):
        read_profiles(tmp_path / "b.csv")


GCT_12 = "#1.2\n2\t3\nName\tDescription\tm0\tm1\tm2\ng1\tfirst\t1\t2\t3\ng2\t\t4\t\t-6.5\n"
GCT_13 = (
    "#1.3\n2\t3\t1\t2\nid\tpr_gene_symbol\ts1\ts2\ts3\npert_id\tna\tm0\tm1\t-666\n"
    "cell\tna\tA549\tA549\tU2OS\n100_at\tTP53\t1\t2\t3\n200_at\tEGFR\t4\tnan\t-6.5\n"
)


@pytest.mark.parametrize("packed", [False, True])
def test_gct_12(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("x.gct.gz" if packed else "x.gct")
    path.write_bytes(gzip.compress(GCT_12.encode()) if packed else GCT_12.replace("\n", "\r\n").encode())
    table = read_profiles(path)
    assert table.columns == ("g1", "g2")
    assert table.metadata["id"].tolist() == ["m0", "m1", "m2"]
    np.testing.assert_array_equal(table.features, np.array([[1, 4], [2, np.nan], [3, -6.5]], np.float32))


def test_gct_13(tmp_path: Path) -> None:
    (tmp_path / "x.gct").write_text(GCT_13)
    table = read_profiles(tmp_path / "x.gct")
    assert table.columns == ("TP53", "EGFR")
    assert table.metadata["pert_id"].tolist() == ["m0", "m1", ""]
    np.testing.assert_array_equal(table.features, np.array([[1, 4], [2, np.nan], [3, -6.5]], np.float32))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("#1.3", "#9", r"line 1: starts with '#9'"),
        ("2\t3\t1\t2", "2\tx", r"line 2: does not hold the 4 sizes"),
        ("2\t3\t1\t2", "0\t3\t1\t2", r"announces 0 features"),
        ("2\t3\t1\t2", "3\t3\t1\t2", r"has 4 rows after the header, but line 2 announces 5"),
        ("\ts3\n", "\n", r"line 3: has 4 columns, but line 2 announces 5"),
        ("EGFR\t4\tnan", "EGFR\t4\toops", r"line 7, column s2: 'oops' is not a number"),
        ("EGFR\t4\tnan\t-6.5", "EGFR\t4\tnan", r"line 7: has 4 cells where the header has 5"),
        ("pert_id\tna\tm0", "pert_id\tna", r"line 4: has 4 cells where the header has 5"),
    ],
)
def test_bad_gct(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "x.gct").write_text(GCT_13.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_profiles(tmp_path / "x.gct")


def test_repeated_features_of_gct(tmp_path: Path) -> None:
    (tmp_path / "x.gct").write_text(GCT_12.replace("g2", "g1"))
    with pytest.raises(InputError, match="feature 'g1' stands twice"):
        read_profiles(tmp_path / "x.gct")
    # symbols that are not all different do not name features; the ids do
    (tmp_path / "y.gct").write_text(GCT_13.replace("EGFR", "TP53"))
    assert read_profiles(tmp_path / "y.gct").columns == ("100_at", "200_at")


def write_gctx(path: Path, matrix: np.ndarray, samples: list[str], features: list[str]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["0/DATA/0/matrix"] = matrix
        file["0/META/COL/id"] = np.array(samples, dtype="S")
        if len(samples) <= 2:
            file["0/META/COL/pert_id"] = np.array(["m0", "-666"][: len(samples)], dtype="S")
        file["0/META/COL/dose"] = np.arange(len(samples), dtype=float)
        file["0/META/ROW/id"] = np.array(features, dtype="S")


def test_gctx(tmp_path: Path) -> None:
    matrix = np.array([[1.0, 2, 3], [4, 5, 6]])
    write_gctx(tmp_path / "x.gctx", matrix, ["s0", "s1"], ["a", "b", "c"])
    table = read_profiles(tmp_path / "x.gctx")
    np.testing.assert_array_equal(table.features, matrix.astype(np.float32))
    assert table.columns == ("a", "b", "c")
    assert table.metadata["pert_id"].tolist() == ["m0", ""]
    assert table.metadata["id"].tolist() == ["s0", "s1"]


@pytest.mark.parametrize("block", [1, 40, 2**26])
def test_gctx_by_rows(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytomol.corpus.readers.gctx._BLOCK_BYTES", block)
    matrix = np.arange(60.0).reshape(20, 3)
    write_gctx(tmp_path / "x.gctx", matrix, [f"s{i}" for i in range(20)], ["a", "b", "Metadata_n"])
    wanted = np.isin(np.arange(20), [0, 3, 4, 19])
    table = read_profiles(tmp_path / "x.gctx", rows=wanted)
    np.testing.assert_array_equal(table.features, matrix[wanted][:, :2])
    assert table.metadata["id"].tolist() == ["s0", "s3", "s4", "s19"]
    assert table.metadata["Metadata_n"].tolist() == ["2", "11", "14", "59"]
    table = read_profiles(tmp_path / "x.gctx", rows=wanted, choice=ColumnChoice(features=("b",)))
    assert table.columns == ("b",)
    np.testing.assert_array_equal(table.features, matrix[wanted][:, 1:2])
    metadata = read_profile_metadata(tmp_path / "x.gctx")
    assert metadata is not None
    assert metadata["id"].tolist() == [f"s{i}" for i in range(20)]


def test_only_rows_with_a_molecule_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.arange(40.0).reshape(20, 2)
    names = [f"m{i}" if i % 5 == 0 else ("DMSO" if i == 1 else f"x{i}") for i in range(20)]
    write_gctx(tmp_path / "x.gctx", matrix, names, ["a", "b"])
    (tmp_path / "m.csv").write_text("id,smiles\nm0,C\nm5,CC\nm10,CCC\n")
    read: list[int] = []
    real = gctx._read_rows

    def counted(matrix: object, wanted: np.ndarray, columns: np.ndarray) -> np.ndarray:
        read.append(int(wanted.sum()))
        return real(matrix, wanted, columns)

    monkeypatch.setattr(gctx, "_read_rows", counted)
    problems = Problems()
    start = start_corpus(tmp_path / "m.csv", problems=problems)
    source = ProfileSource("ge", "expression", tmp_path / "x.gctx")
    corpus = extend_corpus(start, [source], [], problems=problems)
    np.testing.assert_array_equal(corpus.modalities["ge"].values, matrix[[0, 5, 10]])
    assert read == [3]
    assert sum("1 of 20 wells is a control (id = DMSO (1))" in note for note in corpus.notes) == 1
    fates = problems.built[0].files[0].fates
    assert fates.counts() == {"without molecule": 16, "joined by mol_id": 3, "control": 1}
    assert fates.as_list()[0]["examples"][0] == {"row": 3, "id": "x2"}


def test_bad_gctx(tmp_path: Path) -> None:
    import h5py

    write_gctx(tmp_path / "x.gctx", np.zeros((3, 3)), ["s0", "s1"], ["a", "b", "c"])
    with pytest.raises(InputError, match=r"matrix of shape \(3, 3\), but 2 samples and 3 features"):
        read_profiles(tmp_path / "x.gctx")
    (tmp_path / "y.gctx").write_bytes(b"not HDF5")
    with pytest.raises(InputError, match=r"y.gctx: is not a readable HDF5 file"):
        read_profiles(tmp_path / "y.gctx")
    with h5py.File(tmp_path / "z.gctx", "w") as file:
        file["other"] = np.zeros(1)
    with pytest.raises(InputError, match="has no /0/DATA/0/matrix"):
        read_profiles(tmp_path / "z.gctx")


@pytest.mark.parametrize("compressed", [False, True])
def test_anndata(tmp_path: Path, compressed: bool) -> None:
    anndata = pytest.importorskip("anndata")
    from scipy import sparse

    matrix = np.array([[1.0, 0, 3], [0, 5, 6]], np.float32)
    obs = pd.DataFrame({"pert_id": pd.Categorical(["m0", "m1"]), "plate": [1, 2]}, index=["w1", "w2"])
    var = pd.DataFrame(index=["a", "b", "c"])
    anndata.AnnData(sparse.csr_matrix(matrix) if compressed else matrix, obs, var).write_h5ad(
        tmp_path / "x.h5ad"
    )
    table = read_profiles(tmp_path / "x.h5ad")
    np.testing.assert_array_equal(table.features, matrix)
    assert table.columns == ("a", "b", "c")
    assert table.metadata["pert_id"].tolist() == ["m0", "m1"]
    assert table.metadata["id"].tolist() == ["w1", "w2"]


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.gct"])
def test_a_layer_of_a_file_without_layers_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Metadata_broad_sample,f1\nA,1\n", encoding="utf-8")
    with pytest.raises(InputError, match="only AnnData files have layers"):
        read_profiles(tmp_path / name, layer="counts")


@pytest.mark.parametrize("matrix", ["none", "zeros"])
def test_layers_of_anndata(tmp_path: Path, matrix: str) -> None:
    anndata = pytest.importorskip("anndata")
    from scipy import sparse

    layers = {"raw": np.array([[1.0, 2], [3, 4]], np.float32), "z": sparse.csr_matrix([[5.0, 0], [0, 6]])}
    x = None if matrix == "none" else np.zeros((2, 2), np.float32)
    obs, var = pd.DataFrame({"pert_id": ["m0", "m1"]}, index=["w1", "w2"]), pd.DataFrame(index=["a", "b"])
    anndata.AnnData(x, obs, var, layers=layers).write_h5ad(tmp_path / "x.h5ad")
    np.testing.assert_array_equal(read_profiles(tmp_path / "x.h5ad", layer="raw").features, layers["raw"])
    np.testing.assert_array_equal(read_profiles(tmp_path / "x.h5ad", layer="z").features, [[5, 0], [0, 6]])
    with pytest.raises(InputError, match=r"has no layer 'counts' \(choose a layer with --layer: raw, z\)"):
        read_profiles(tmp_path / "x.h5ad", layer="counts")
    if matrix == "none":
        with pytest.raises(InputError, match=r"has no matrix X \(choose a layer with --layer: raw, z\)"):
            read_profiles(tmp_path / "x.h5ad")


def test_repeated_features_of_anndata(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    names = ["ATF1", "ATF1-1", "ATF1", "B", "ATF1"]
    with pytest.warns(UserWarning, match="not unique"):
        data = anndata.AnnData(np.arange(5, dtype=np.float32)[None], var=pd.DataFrame(index=names))
    data.write_h5ad(tmp_path / "x.h5ad")
    table = read_profiles(tmp_path / "x.h5ad")
    assert len(set(table.columns)) == 5
    assert table.columns[:2] == ("ATF1", "ATF1-1")
    assert table.features.tolist() == [[0, 1, 2, 3, 4]]
    assert "2 features under the name of another, numbered" in table.notes[0]


def test_bad_anndata(tmp_path: Path) -> None:
    pytest.importorskip("anndata")
    (tmp_path / "x.h5ad").write_bytes(b"not HDF5")
    with pytest.raises(InputError, match=r"x.h5ad: is not a readable AnnData file"):
        read_profiles(tmp_path / "x.h5ad")


@pytest.mark.parametrize(("package", "name"), [("anndata", "x.h5ad"), ("h5py", "x.gctx")])
def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, name: str) -> None:
    real = builtins.__import__

    def without(module: str, *rest: object, **named: object) -> object:
        if module == package:
            raise ImportError(module)
        return real(module, *rest, **named)  # type: ignore[arg-type]

    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=rf"{package} \(pip install 'cytomol\[omics\]'\)"):
        read_profiles(tmp_path / name)


def test_formats(own: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"unknown corpus format 'x'.*known: anndata, gct, gctx, infoalign, own"
    ):
        read_corpus(own, "x")
    (tmp_path / "p.csv").write_text("mol_id,f\nm0,1\n")
    with pytest.raises(InputError, match="'own' is no table of profiles"):
        read_profiles(tmp_path / "p.csv", "own")
    with pytest.raises(InputError, match="is in no known corpus format"):
        read_corpus(tmp_path)
    with pytest.raises(InputError, match="corpus not found"):
        read_corpus(tmp_path / "nowhere")
