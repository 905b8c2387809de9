"""The verb match: every row answered, whatever the tables hold, and one clear message for bad input."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from tests.unit.cells.small_models import COLUMNS, write_small

from cytomol.artifact.backbone import Backbone
from cytomol.cells import profile_stream
from cytomol.cells.match import match as match_module
from cytomol.cells.match.match import match
from cytomol.cells.modality import trained_modality
from cytomol.cells.space import CellSpace

Run = Callable[..., Any]
SMILES = ["CCO", "C1CC", "c1ccncc1", "CC(=O)Oc1ccccc1C(=O)O", "CCN", "CCO", "", "c1ccccc1", "CCCC", "CO"]
FEATURES = list(COLUMNS["painting"])


@pytest.fixture(scope="module")
def cytomol(cytomol: Run) -> Run:
    """Return a function that runs one command; a match writes no report unless asked for."""

    def run(*args: object) -> Any:
        first, *others = args
        return cytomol(first, *(["--no-report"] if first == "match" else []), *others)

    return run


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    found = {name: write_small(folder, name) for name in ("contrastive", "chmr", "infoalign")}
    return found | {"both": write_small(folder / "both", "chmr", ("painting", "genes"))}


@pytest.fixture(scope="module")
def some_models(
    models: dict[str, Path], untrained: dict[str, Path]
) -> tuple[dict[str, Path], dict[str, Path]]:
    return models, untrained


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with molecules, two of them invalid, and profiles, one of them not measured."""
    molecules = pd.DataFrame(
        {"name": [f"m{i}" for i in range(10)], "smiles": SMILES, "vendor": list("abcdefghij")}
    )
    molecules.to_csv(tmp_path / "molecules.csv", index=False)
    values = np.random.default_rng(1).normal(5, 2, (7, 6)).astype(np.float32)
    values[2] = np.nan
    values[3, 0] = np.nan
    profiles = pd.DataFrame(values, columns=FEATURES)[FEATURES[::-1]]  # matched by name, not by place
    profiles.insert(0, "Metadata_pert_id", [f"p{i}" for i in range(7)])
    profiles["Metadata_Well"] = "A01"
    profiles.to_csv(tmp_path / "profiles.csv", index=False)
    return tmp_path


def space_of(model: Path) -> CellSpace:
    return CellSpace.of(trained_modality(Backbone.load(model), "painting"))


def profile_values(work: Path) -> np.ndarray[Any, Any]:
    return pd.read_csv(work / "profiles.csv")[FEATURES].to_numpy(np.float32)


def test_the_report_lies_beside_a_table(cytomol: Run, models: dict[str, Path], work: Path) -> None:
    common = (
        "match",
        models["contrastive"],
        work / "molecules.csv",
        "--in",
        work / "profiles.csv",
        "--report",
    )
    done = cytomol(*common, "-o", work / "o.csv")
    assert done.code == 0, done.err
    assert done.err.splitlines()[-1] == f"report: {work / 'o.report.html'}"
    assert "8 of 10 queries are answered" in (work / "o.report.html").read_text(encoding="utf-8")
    done = cytomol(*common, "-o", work / "p.h5ad", "-q")
    assert (done.code, done.err) == (0, "")
    ours, theirs = ((work / f"{name}.report.html").read_text(encoding="utf-8") for name in "op")
    assert ours.replace("o.csv", "p.h5ad") == theirs


@pytest.mark.parametrize("method", ["contrastive", "chmr", "infoalign"])
@pytest.mark.parametrize(
    "tables", [("profiles", "molecules"), ("molecules", "profiles"), ("molecules", "molecules")]
)
def test_every_query_is_answered_in_order(
    cytomol: Run, models: dict[str, Path], work: Path, method: str, tables: tuple[str, str]
) -> None:
    queries, candidates = (work / f"{name}.csv" for name in tables)
    done = cytomol("match", models[method], queries, "--in", candidates, "-o", work / "o.csv", "--top", "4")
    assert done.code == 0, done.err
    for what, name in zip(("queries", "candidates"), tables, strict=True):
        taken = "profiles of painting" if name == "profiles" else "molecules"
        assert f"{what}: {work / name}.csv, taken as {taken}" in done.err
    table = pd.read_csv(work / "o.csv")
    held = {"profiles": profile_values(work), "molecules": SMILES}
    found = match(space_of(models[method]), held[tables[0]], held[tables[1]], 4)
    ids = {"profiles": [f"p{i}" for i in range(7)], "molecules": [f"m{i}" for i in range(10)]}
    for query in range(len(held[tables[0]])):
        rows = table[table["query_row"] == query + 1]
        assert set(rows["query_id"]) == {ids[tables[0]][query]}
        if found.rows[query, 0] < 0:
            assert len(rows) == 1
            assert isinstance(rows["error"].iloc[0], str)
            assert (
                rows[["rank", "candidate_row", "similarity", "top_percent", "spreads"]].isna().all(axis=None)
            )
            continue
        assert rows["error"].isna().all()
        assert rows["rank"].tolist() == [1, 2, 3, 4]
        assert rows["candidate_row"].tolist() == (found.rows[query] + 1).tolist()
        assert rows["candidate_id"].tolist() == [ids[tables[1]][row] for row in found.rows[query]]
        np.testing.assert_allclose(rows["similarity"], found.similarity[query], atol=1e-6)
        np.testing.assert_allclose(rows["spreads"], found.spreads[query], atol=1e-3)
        assert rows["top_percent"].tolist() == [
            round(100 * rank / found.candidates, 4) for rank in (1, 2, 3, 4)
        ]
    assert table["query_row"].is_monotonic_increasing


def test_a_molecule_finds_itself_and_its_repeat_first(
    cytomol: Run, models: dict[str, Path], work: Path
) -> None:
    done = cytomol("match", models["chmr"], work / "molecules.csv", "--in", work / "molecules.csv", "-o",
                   work / "o.csv", "--keep", "vendor,name")  # fmt: skip
    assert done.code == 0, done.err
    assert "matched 8 of 10 queries with 8 candidates" in done.err
    assert "2 of 10 candidates have no place (row 2: " in done.err
    table = pd.read_csv(work / "o.csv")
    ethanol = table[table["query_row"] == 1]
    assert ethanol["candidate_row"].tolist()[:2] == [1, 6]
    assert ethanol["similarity"].tolist()[:2] == [1, 1]
    assert ethanol["kept_vendor"].tolist()[:2] == ["a", "f"]
    assert ethanol["kept_name"].tolist() == ethanol["candidate_id"].tolist()
    assert len(ethanol) == 8  # no more candidates have a place


def test_formats_agree_and_chunks_do_not_matter(
    cytomol: Run, models: dict[str, Path], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ("match", models["infoalign"], work / "profiles.csv", "--in", work / "molecules.csv", "--top", "3")
    for number, suffix in enumerate(("csv", "tsv", "parquet", "h5ad", "csv.gz")):
        if number == 1:
            monkeypatch.setattr(match_module, "_QUERIES", 2)
        done = cytomol(*call, "-o", work / f"o.{suffix}")
        assert done.code == 0, done.err
    first = pd.read_csv(work / "o.csv")
    others = [
        pd.read_csv(work / "o.tsv", sep="\t"),
        pd.read_csv(work / "o.csv.gz"),
        pd.read_parquet(work / "o.parquet"),
    ]
    for other in others:
        as_text = io.StringIO(other.to_csv(index=False))  # in which whole numbers and nothings are alike
        pd.testing.assert_frame_equal(first, pd.read_csv(as_text))
    data = anndata.read_h5ad(work / "o.h5ad")
    assert data.obs["Metadata_id"].tolist() == [f"p{i}" for i in range(7)]
    rows = data.obsm["match_row"]
    assert rows[2].tolist() == [0, 0, 0]
    assert data.obs["Metadata_error"].tolist()[2] == "nothing was measured"
    expected = first[first["rank"].notna()].groupby("query_row")["candidate_row"].apply(list)
    assert {row + 1: rows[row].tolist() for row in range(7) if row != 2} == expected.to_dict()
    ids = data.obsm["match_id"].to_numpy()
    assert ids[0].tolist() == first.loc[first["query_row"] == 1, "candidate_id"].tolist()
    assert data.obsm["X_cell"].shape == (7, 6)


def test_candidates_are_kept_and_taken_again(
    cytomol: Run, models: dict[str, Path], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_stream, "CHUNK", 3)
    call = (
        "match",
        models["chmr"],
        work / "profiles.csv",
        "--in",
        work / "molecules.csv",
        "--library",
        work / "kept",
    )
    assert cytomol(*call, "-o", work / "a.csv", "--keep", "vendor").code == 0
    before = {path: path.stat().st_mtime_ns for path in (work / "kept").iterdir()}
    monkeypatch.setattr("cytomol.cells.space.featurize", None)  # nothing is featurized any more
    assert cytomol(*call, "-o", work / "b.csv", "--keep", "vendor").code == 0
    assert {path: path.stat().st_mtime_ns for path in (work / "kept").iterdir()} == before
    assert (work / "a.csv").read_bytes() == (work / "b.csv").read_bytes()
    done = cytomol(*call, "-o", work / "c.csv", "--index", "index", "--keep", "vendor")
    assert done.code == 0, done.err
    assert "index: recall 1.000, measured when it was built, on 8 candidates" in done.err
    assert (work / "a.csv").read_bytes() == (work / "c.csv").read_bytes()
    assert (work / "kept" / "index.json").exists()
    done = cytomol(*call, "-o", work / "d.csv", "--keep", "name")
    assert done.code == 2
    assert "holds no column 'name' of the candidates" in done.err
    assert not (work / "d.csv").exists()


def test_kept_candidates_of_another_model_or_file_are_refused(
    cytomol: Run, models: dict[str, Path], work: Path
) -> None:
    def call(model: str, candidates: str, *more: str) -> Any:
        return cytomol("match", models[model], work / "profiles.csv", "--in", work / candidates, "-o",
                       work / "o.csv", "--library", work / "kept", "--force", *more)  # fmt: skip

    assert call("chmr", "molecules.csv").code == 0
    assert "kept: was made of another model" in call("infoalign", "molecules.csv").err
    assert "kept: was made of another way of placing" in call("chmr", "molecules.csv", "--way", "decoded").err
    assert "kept: was made of another id column: None, not name" in call(
        "chmr", "molecules.csv", "--candidate-id", "name").err  # fmt: skip
    pd.DataFrame({"smiles": ["CCO"]}).to_csv(work / "other.csv")
    done = call("chmr", "other.csv")
    assert done.code == 2
    assert "kept: was made of another file of candidates" in done.err
    (work / "kept" / "places.f32").write_bytes(b"1234")
    assert (
        "holds no candidates placed by cytomol: places.f32 has 4 bytes" in call("chmr", "molecules.csv").err
    )


def test_candidates_in_one_place_say_little(cytomol: Run, models: dict[str, Path], work: Path) -> None:
    values = pd.read_csv(work / "profiles.csv").head(1)
    frame = pd.concat([values, values.assign(**dict.fromkeys(FEATURES, np.nan))])
    frame.to_csv(work / "q.csv", index=False)
    one = pd.DataFrame({"smiles": ["CCO", "CCO"]})
    one.to_csv(work / "same.csv", index=False)
    done = cytomol(
        "match", models["infoalign"], work / "q.csv", "--in", work / "same.csv", "-o", work / "o.csv"
    )
    assert done.code == 0, done.err
    assert "the candidates stand almost in one place (mean of length 1.0000)" in done.err
    table = pd.read_csv(work / "o.csv")
    assert (
        table["note"].tolist()[:2]
        == ["all candidates are about equally similar, so the order says little"] * 2
    )
    assert table["spreads"].isna().all()
    assert table["error"].tolist()[2] == "nothing was measured"


@pytest.mark.parametrize(
    "case",
    [
        ("nowhere", "profiles.csv", (), "model directory not found"),
        ("untrained", "profiles.csv", (), "the model has learnt from no profiles"),
        ("both", "profiles.csv", (), r"the model knows several modalities .choose one: painting, genes"),
        ("chmr", "profiles.csv", ("--modality", "rna"), "learnt from no modality 'rna' .it knows painting"),
        ("infoalign", "profiles.csv", ("--way", "projected"), "infoalign projects no profiles of painting"),
        ("contrastive", "profiles.csv", ("--way", "decoded"), "contrastive decodes no profiles of painting"),
        ("chmr", "narrow.csv", (), r"narrow.csv: lacks 2 of the 6 features of painting: Cells_4, Cells_5"),
        ("chmr", "renamed.csv", (), r"renamed.csv: holds neither SMILES nor features of painting .col.*f5"),
        ("chmr", "renamed.csv", ("--queries-are", "profiles"), r"lacks 6 of the 6 features of painting"),
        ("chmr", "profiles.csv", ("--queries-are", "molecules"), r"has no column 'smiles'"),
        ("chmr", "text.csv", (), r"text.csv, row 2, column Cells_3: 'high' is not a number"),
        ("chmr", "unreadable.csv", ("--in", "unreadable.csv"), r"none of its 2 rows can be placed; row 1: "),
        ("chmr", "absent.csv", (), r"absent.csv: table of profiles not found"),
        ("chmr", "profiles.csv", ("--query-id", "plate"), r"profiles.csv: has no column 'plate'"),
        ("chmr", "profiles.csv", ("--candidate-id", "plate"), r"molecules.csv: has no column 'plate'"),
        ("chmr", "profiles.csv", ("--keep", "plate"), r"molecules.csv: has no column 'plate'"),
        ("chmr", "profiles.csv", ("--query-layer", "z"), r"only AnnData files have layers"),
        ("chmr", "profiles.csv", ("-o", "o.npz"), r"unknown kind of output '.npz' .use .csv"),
        ("chmr", "profiles.csv", ("-o", "molecules.csv"), r"output exists"),
        ("chmr", "profiles.csv", ("--library", "molecules.csv"), r"holds no candidates placed by cytomol"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_clear_message(
    cytomol: Run,
    some_models: tuple[dict[str, Path], dict[str, Path]],
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, str, tuple[str, ...], str],
) -> None:
    model, queries, options, message = case
    monkeypatch.chdir(work)
    profiles = pd.read_csv("profiles.csv")
    profiles.drop(columns=["Cells_4", "Cells_5"]).to_csv("narrow.csv", index=False)
    profiles.rename(columns=lambda c: c.replace("Cells_", "f")).to_csv("renamed.csv", index=False)
    profiles.astype({"Cells_3": object}).assign(Cells_3=["1", "high", *"12345"]).to_csv(
        "text.csv", index=False
    )
    pd.DataFrame({"smiles": ["C1CC", "X"]}).to_csv("unreadable.csv", index=False)
    before = sorted(path.name for path in work.iterdir())
    models, untrained = some_models
    directory = {"untrained": untrained["chmr"]}.get(model, models.get(model, work / model))
    given = () if "--in" in options else ("--in", "molecules.csv")
    out = () if "-o" in options else ("-o", "o.csv")
    done = cytomol("match", directory, queries, *given, *out, *options, "--workers", "1")
    assert done.code == 2, done.err
    assert re.search(rf"cytomol: error: .*{message}", done.err), done.err
    assert sorted(path.name for path in work.iterdir()) == before


def test_queries_without_a_place_are_answered(cytomol: Run, models: dict[str, Path], work: Path) -> None:
    (work / "q.smi").write_text("C1CC bad\nno_molecule worse\n")
    done = cytomol(
        "match", models["chmr"], work / "q.smi", "--in", work / "molecules.csv", "-o", work / "o.csv"
    )
    assert done.code == 0, done.err
    assert "no query has a place; row 1: " in done.err
    table = pd.read_csv(work / "o.csv")
    assert table["query_id"].tolist() == ["bad", "worse"]
    assert table["error"].notna().all()
