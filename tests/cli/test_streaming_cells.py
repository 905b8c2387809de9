"""Imputed profiles, explained atoms and matches of long inputs: in parts they are those of the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.cells import small_models
from tests.unit.cells.explained_backbones import cell_backbone, save_cell_backbone

Run = Callable[..., Any]
SMILES = [f"{'C' * (i % 5 + 1)}{tail}" for i in range(10) for tail in ("O", "N", "c1ccncc1", "C1")]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cell_backbone(cell_backbone("chmr"), tmp_path_factory.mktemp("backbones") / "chmr")


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"id": range(len(SMILES)), "smiles": SMILES}).to_csv(path, index=False)
    return path


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", "/"])
@pytest.mark.parametrize("verb", ["impute", "explain"])
def test_parts_give_what_the_whole_gives(
    *, cytomol: Run, backbone: Path, molecules: Path, tmp_path: Path, verb: str, suffix: str
) -> None:
    ask = (verb, backbone, molecules, "--keep", "id", "-o")
    whole, parts = tmp_path / "whole.parquet", tmp_path / f"parts{suffix}"
    one = cytomol(*ask, whole)
    two = cytomol(*ask, f"{tmp_path}/parts{suffix}", "--chunk-rows", "7")
    assert (one.code, two.code) == (0, 0), two.err
    assert one.err.splitlines()[-1].split(":")[0] == two.err.splitlines()[-1].split(":")[0]
    frame = read(parts)
    assert frame.columns.tolist() == pd.read_parquet(whole).columns.tolist()
    assert frame["id"].astype(int).is_monotonic_increasing
    wanted = pd.read_parquet(whole).astype({"id": frame["id"].dtype})
    for name in frame.select_dtypes(object):  # CSV knows no empty text
        frame[name], wanted[name] = frame[name].fillna(""), wanted[name].fillna("")
    pd.testing.assert_frame_equal(frame, wanted, rtol=1e-4, atol=1e-5, check_dtype=False)
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_an_annotated_file_in_parts(cytomol: Run, backbone: Path, molecules: Path, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    for name, more in (("whole", ()), ("parts", ("--chunk-rows", "9"))):
        done = cytomol("impute", backbone, molecules, "-o", tmp_path / f"{name}.h5ad", *more)
        assert done.code == 0, done.err
    whole, parts = (anndata.read_h5ad(tmp_path / f"{name}.h5ad") for name in ("whole", "parts"))
    pd.testing.assert_frame_equal(whole.obs, parts.obs)
    assert sorted(whole.obsm) == sorted(parts.obsm)
    pd.testing.assert_frame_equal(whole.to_df(), parts.to_df(), rtol=1e-4, atol=1e-5)
    assert whole.uns["imputation"].keys() == parts.uns["imputation"].keys()


def test_finished_parts_are_taken_up(
    cytomol: Run, backbone: Path, molecules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cytomol.cells.impute.imputed_rows import ImputedRows

    real, asked = ImputedRows.part, list[int]()

    def failing(self: ImputedRows, table: Any, first: int = 0) -> Any:
        asked.append(first)
        if first == 16 and len(asked) == 3:
            raise KeyboardInterrupt
        return real(self, table, first)

    monkeypatch.setattr(ImputedRows, "part", failing)
    ask = ("impute", backbone, molecules, "--chunk-rows", "8")
    assert cytomol(*ask, "-o", tmp_path / "out.csv").code != 0
    other = cytomol(*ask, "-o", tmp_path / "out.csv", "--resume", "--coverage", "0.8")
    assert "holds parts of another run: options differs" in other.err
    done = cytomol(*ask, "-o", tmp_path / "out.csv", "--resume")
    assert done.code == 0, done.err
    assert "took up 2 finished chunks" in done.err
    assert asked == [0, 8, 16, 16, 24, 32]
    assert cytomol(*ask, "-o", tmp_path / "whole.csv").code == 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_the_first_molecules_of_a_long_input_are_drawn(
    cytomol: Run, backbone: Path, molecules: Path, tmp_path: Path
) -> None:
    ask = ("explain", backbone, molecules, "--of", "norm", "--draw-first", "6")
    for name, more in (("whole", ()), ("parts", ("--chunk-rows", "7"))):
        folder = tmp_path / f"drawn-{name}"
        done = cytomol(*ask, "-o", tmp_path / f"{name}.csv", "--draw", folder, *more)
        assert done.code == 0, done.err
        assert "drew the first 6 of them" in done.err
    drawn = [
        {path.name: path.read_text() for path in (tmp_path / f"drawn-{name}").glob("*.svg")}
        for name in ("whole", "parts")
    ]
    assert len(drawn[0]) == 6
    assert drawn[0].keys() == drawn[1].keys()


def test_an_input_is_refused_before_any_work(
    cytomol: Run, backbone: Path, molecules: Path, tmp_path: Path
) -> None:
    for verb in ("impute", "explain"):
        for more, said in (
            (("-o", tmp_path / "o.npz"), "use .csv, .tsv, .parquet, .h5ad"),
            (("-o", tmp_path / "o.csv", "--keep", "absent"), "has no column 'absent'"),
        ):
            done = cytomol(verb, backbone, molecules, *more, "--chunk-rows", "7")
            assert done.code == 2
            assert said in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


FEATURES = list(small_models.COLUMNS["painting"])


@pytest.fixture(scope="module")
def placing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that places molecules and profiles."""
    return small_models.write_small(tmp_path_factory.mktemp("placing"), "contrastive")


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """Return a table of 23 profiles, the third of which was not measured."""
    values = np.random.default_rng(1).normal(5, 2, (23, len(FEATURES)))
    values[2] = np.nan
    frame = pd.DataFrame(values, columns=FEATURES)
    frame.insert(0, "Metadata_pert_id", [f"p{row}" for row in range(len(frame))])
    frame.to_csv(tmp_path / "profiles.csv", index=False)
    return tmp_path / "profiles.csv"


@pytest.mark.parametrize("queries", ["molecules", "profiles"])
@pytest.mark.parametrize("suffix", [".csv", "/"])
def test_matches_in_parts(
    *,
    cytomol: Run,
    placing: Path,
    molecules: Path,
    profiles: Path,
    tmp_path: Path,
    queries: str,
    suffix: str,
) -> None:
    tables = (molecules, profiles) if queries == "molecules" else (profiles, molecules)
    ask = ("match", placing, tables[0], "--in", tables[1], "--top", "3", "--no-report", "-o")
    whole, parts = cytomol(*ask, tmp_path / "whole.csv"), f"{tmp_path}/parts{suffix}"
    done = cytomol(*ask, parts, "--chunk-rows", "7")
    assert (whole.code, done.code) == (0, 0), done.err
    assert whole.err.splitlines()[-1].split(":")[0] == done.err.splitlines()[-1].split(":")[0]
    wanted, found = pd.read_csv(tmp_path / "whole.csv"), read(Path(parts))
    for name in ("query_id", "candidate_id"):
        wanted[name], found[name] = wanted[name].astype(str), found[name].astype(str).replace("<NA>", "nan")
    told = ["query_row", "query_id", "candidate_row", "similarity", "spreads"]
    pd.testing.assert_frame_equal(found[told], wanted[told], atol=1e-3, check_dtype=False)
    assert found.columns.tolist() == wanted.columns.tolist()
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_matching_goes_on_after_a_stop(
    *,
    cytomol: Run,
    placing: Path,
    molecules: Path,
    profiles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cytomol.cells.match.match_table import MatchTable

    real, asked = MatchTable.place, list[int]()

    def failing(self: MatchTable, chunk: Any, space: Any, *, first: int, **more: Any) -> Any:
        if self.path == str(profiles):
            asked.append(first)
            if len(asked) == 3:
                raise KeyboardInterrupt
        return real(self, chunk, space, first=first, **more)

    monkeypatch.setattr(MatchTable, "place", failing)
    ask = ("match", placing, profiles, "--in", molecules, "--no-report", "--chunk-rows", "6", "--library")
    assert cytomol(*ask, tmp_path / "placed", "-o", tmp_path / "out.csv").code != 0
    done = cytomol(*ask, tmp_path / "placed", "-o", tmp_path / "out.csv", "--resume", "--top", "9")
    assert "holds parts of another run: options differs" in done.err
    done = cytomol(*ask, tmp_path / "placed", "-o", tmp_path / "out.csv", "--resume")
    assert done.code == 0, done.err
    assert "took up 2 finished chunks" in done.err
    assert asked == [0, 6, 12, 12, 18]
    assert cytomol(*ask, tmp_path / "placed", "-o", tmp_path / "whole.csv").code == 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    done = cytomol(*ask, tmp_path / "placed", "-o", tmp_path / "out.h5ad", "--resume")
    assert done.code == 2
    assert "use .csv or .parquet" in done.err
    done = cytomol(*ask, tmp_path / "placed", "-o", tmp_path / "out.h5ad")
    assert done.code == 0, done.err
    assert "holds the matches of all 23 queries in memory" in done.err
