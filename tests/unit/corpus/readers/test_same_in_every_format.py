"""The same table means the same, whatever format it was written in."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.corpus.assemble import JoinOptions, ProfileSource, RelationSource, extend_corpus, start_corpus
from cytomol.corpus.problems import Problems
from cytomol.corpus.readers import read_profiles
from cytomol.corpus.schema import Corpus
from cytomol.corpus.structures import key_of
from cytomol.errors import InputError

SMILES = ["CCO", "CCN", "CCC", "CCCl", "CCBr"]
MISSING = ["", "NA", "NaN", "None", "-666", "n/a"]
FEATURES = ["f1", "f2"]


def _csv(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


def _commented(frame: pd.DataFrame, path: Path) -> Path:
    text = "!Source\tsomebody\n#\tmore\n" + frame.to_csv(index=False, sep="\t", na_rep="NA")
    path.with_suffix(".txt").write_text(text)
    return path.with_suffix(".txt")


def _quoted(frame: pd.DataFrame, path: Path) -> Path:
    place = path.with_suffix(".tsv.gz")
    frame.to_csv(place, index=False, sep="\t", quoting=1, lineterminator="\r\n")
    return place


def _parquet(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def _indexed(frame: pd.DataFrame, path: Path) -> Path:
    frame.set_index("Metadata_broad_sample").to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def _categorical(frame: pd.DataFrame, path: Path) -> Path:
    ids = [c for c in frame if c not in FEATURES]
    return _parquet(frame.astype(dict.fromkeys(ids, "category")), path)


def _bytes(frame: pd.DataFrame, path: Path) -> Path:
    texts = {c: [str(cell).encode() for cell in frame[c]] for c in frame if c not in FEATURES}
    return _parquet(frame.assign(**texts), path)


def _anndata(frame: pd.DataFrame, path: Path) -> Path:
    anndata = pytest.importorskip("anndata")
    obs = frame.drop(columns=FEATURES).astype("category")
    obs.index = obs.index.astype(str)
    values = frame[FEATURES].to_numpy(np.float32)
    anndata.AnnData(values, obs, pd.DataFrame(index=FEATURES)).write_h5ad(path.with_suffix(".h5ad"))
    return path.with_suffix(".h5ad")


def _gct(frame: pd.DataFrame, path: Path) -> Path:
    about = [c for c in frame if c not in FEATURES]
    lines = ["#1.3", f"{len(FEATURES)}\t{len(frame)}\t0\t{len(about)}"]
    lines.append("\t".join(["id", *(f"sample{i}" for i in range(len(frame)))]))
    lines += ["\t".join([c, *map(str, frame[c])]) for c in (*about, *FEATURES)]
    path.with_suffix(".gct").write_text("\n".join(lines) + "\n")
    return path.with_suffix(".gct")


def _gctx(frame: pd.DataFrame, path: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path.with_suffix(".gctx"), "w") as file:
        file["0/DATA/0/matrix"] = frame[FEATURES].to_numpy(np.float64)
        file["0/META/COL/id"] = np.array([f"sample{i}" for i in range(len(frame))], dtype="S")
        for name in frame:
            if name not in FEATURES:
                cells = frame[name]
                text = np.array([str(cell) for cell in cells], dtype="S")
                file[f"0/META/COL/{name}"] = cells.to_numpy() if cells.dtype.kind == "f" else text
        file["0/META/ROW/id"] = np.array(FEATURES, dtype="S")
    return path.with_suffix(".gctx")


WRITERS: list[Callable[[pd.DataFrame, Path], Path]] = [
    _csv, _commented, _quoted, _parquet, _indexed, _categorical, _bytes, _anndata, _gct, _gctx,
]  # fmt: skip
TABLES = [_csv, _commented, _quoted, _parquet, _indexed, _categorical, _bytes]


def _build(molecules: Path, profiles: Path | None, relation: Path | None, **options: Any) -> Corpus:
    problems = Problems()
    return extend_corpus(
        start_corpus(molecules, problems=problems),
        [ProfileSource("cp", "morphology", profiles)] if profiles else [],
        [RelationSource("targets", "molecule", "gene", relation)] if relation else [],
        problems=problems,
        options=JoinOptions(aggregate="none", **options),
    )


cell = st.tuples(
    st.integers(0, 4), st.sampled_from(["id", "key", "smiles", "cid", "none"]), st.sampled_from(MISSING)
)


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(cell, min_size=1, max_size=8).filter(
        lambda rows: any(kind != "none" for _, kind, _ in rows)
    )
)
def test_profiles(rows: list[tuple[int, str, str]]) -> None:
    truth = [-1 if kind == "none" else molecule for molecule, kind, _ in rows]
    frame = pd.DataFrame(
        {
            "Metadata_broad_sample": [f"B{m}" if kind == "id" else gap for m, kind, gap in rows],
            "Metadata_InChIKey": [
                f"InChIKey={key_of(SMILES[m])}" if kind == "key" else gap for m, kind, gap in rows
            ],
            "Metadata_SMILES": [
                SMILES[m][::-1] if kind == "smiles" and m < 3 else SMILES[m] if kind == "smiles" else gap
                for m, kind, gap in rows
            ],
            "Metadata_pubchem_cid": [702.0 + m if kind == "cid" else np.nan for m, kind, _ in rows],
            "f1": np.arange(len(rows), dtype=float),
            "f2": np.arange(len(rows), dtype=float) / 2,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        molecules = Path(folder, "m.csv")
        table = pd.DataFrame(
            {"broad_sample": [f"B{m}" for m in range(5)], "smiles": SMILES, "pubchem_cid": range(702, 707)}
        )
        table.to_csv(molecules, index=False)
        for writer in WRITERS:
            path = writer(frame, Path(folder, writer.__name__.strip("_")))
            modality = _build(molecules, path, None).modalities["cp"]
            assert modality.columns == ("f1", "f2"), writer
            joined = [(m, float(i)) for i, m in enumerate(truth) if m >= 0]
            assert list(zip(modality.rows.tolist(), modality.values[:, 0].tolist(), strict=True)) == joined, (
                writer
            )


@settings(max_examples=10, deadline=None)
@given(gaps=st.lists(st.sampled_from(MISSING), min_size=4, max_size=4), number=st.booleans())
def test_molecules_and_relations(gaps: list[str], number: bool) -> None:
    """Ids as numbers with a gap, keys with a prefix, empty cells: read alike from every kind of table."""
    ids: list[Any] = [702.0, 6341.0, np.nan] if number else ["702.0", "6341", gaps[0]]
    table = pd.DataFrame(
        {
            "Metadata_broad_sample": ids,
            "Metadata_InChIKey": [f"InChIKey={key_of('CCO')}", gaps[1], gaps[2]],
            "Metadata_SMILES": SMILES[:3],
        }
    )
    genes = [7157.0, np.nan, 16.0] if number else ["7157.0", gaps[3], "16"]
    links = pd.DataFrame({"Metadata_broad_sample": ids, "Metadata_gene": genes})
    profiles = pd.DataFrame({"InChIKey": [key_of(smiles) for smiles in SMILES[:3]], "f": [1.0, 2.0, 3.0]})
    with tempfile.TemporaryDirectory() as folder:
        other = _csv(profiles, Path(folder, "p"))
        for writer in TABLES:
            name = writer.__name__.strip("_")
            molecules, relation = writer(table, Path(folder, name)), writer(links, Path(folder, f"{name}_r"))
            corpus = _build(molecules, other, relation)
            assert corpus.molecules["mol_id"].tolist() == ["702", "6341", key_of("CCC")], writer
            assert corpus.modalities["cp"].rows.tolist() == [0, 1, 2], writer
            assert corpus.genes["gene_id"].tolist() == ["16", "7157"], writer
            relation_ = corpus.relations["targets"]
            assert (relation_.source.tolist(), relation_.target.tolist()) == ([0], [1]), writer


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\x0b", "\x0c", "\x1c"])
def test_lines_end_at_line_ends_only(tmp_path: Path, mark: str) -> None:
    name = f"one{mark}name"
    text = f"#1.3\n1\t2\t0\t2\nid\ts1\ts2\npert_id\tB0\tB1\npert_iname\t{name}\tother\nf1\t1\t2\n"
    _csv(pd.DataFrame({"pert_id": ["B0", "B1"], "smiles": SMILES[:2]}), tmp_path / "m")
    for ends in ("\n", "\r\n", "\r"):
        (tmp_path / "p.gct").write_bytes(text.replace("\n", ends).encode())
        corpus = _build(tmp_path / "m.csv", tmp_path / "p.gct", None)
        assert corpus.modalities["cp"].values.ravel().tolist() == [1, 2]


def test_names_of_observations_that_only_count(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    _csv(pd.DataFrame({"id": ["0", "1", "2"], "smiles": SMILES[:3]}), tmp_path / "m")
    obs = pd.DataFrame({"smiles": ["CCC", "CCO", "CCN"]}, index=["0", "1", "2"])
    path = tmp_path / "x.h5ad"
    anndata.AnnData(np.eye(3, dtype=np.float32), obs, pd.DataFrame(index=list("abc"))).write_h5ad(path)
    assert _build(tmp_path / "m.csv", path, None).modalities["cp"].rows.tolist() == [2, 0, 1]
    # who asks for these numbers all the same learns that the structures beside them are others
    with pytest.raises(InputError, match="structure and id contradict each other in 3 of 3 rows"):
        _build(tmp_path / "m.csv", path, None, columns={"cp": "id"})
    with pytest.raises(InputError, match="left out for a structure that contradicts the id: 3 rows"):
        _build(tmp_path / "m.csv", path, None, columns={"cp": "id"}, leave_out=True)


@pytest.mark.parametrize("name", ["cells.npz", "plate.h5", "plate.xlsx", "plate.rds"])
def test_what_is_no_table_of_profiles(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        InputError, match=rf"{name}: .*no table of profiles \(tables of profiles are .csv.*wells first"
    ):
        read_profiles(tmp_path / name)
