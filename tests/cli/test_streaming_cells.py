"""What cells show, explained atoms and matches of long inputs: the answers in parts are those of the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
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
    cytomol: Run, backbone: Path, molecules: Path, tmp_path: Path, verb: str, suffix: str
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
    if suffix == ".csv":
        frame["error"] = frame["error"].fillna("")
        wanted["error"] = wanted["error"].fillna("")
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
