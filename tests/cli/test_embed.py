"""The verb embed: a backbone or a fine-tuned model gives each row its embedding."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.artifact.backbone import Backbone

Run = Callable[..., Any]
SMILES = ["CCO", "C1CC", "c1ccncc1", "CC(=O)Oc1ccccc1C(=O)O"]


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"smiles": SMILES, "id": range(4)}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_formats_agree_and_invalid_rows_are_empty(
    cytomol: Run, untrained: dict[str, Path], molecules: Path, tmp_path: Path, method: str
) -> None:
    for suffix in ("npz", "csv", "parquet"):
        done = cytomol("embed", untrained[method], molecules, "-o", tmp_path / f"e.{suffix}", "--keep", "id")
        assert done.code == 0, done.err
    assert "embedded 3 of 4 molecules, 1 invalid" in done.err
    backbone = Backbone.load(untrained[method])
    expected, valid = backbone.embed(SMILES)
    assert valid.tolist() == [True, False, True, True]
    with np.load(tmp_path / "e.npz", allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["embedding"], expected, rtol=1e-5, atol=1e-6)
        assert arrays["smiles"].tolist() == SMILES
        assert arrays["error"].tolist()[0] == ""
        assert arrays["error"].tolist()[1] != ""
    columns = [f"embedding_{i}" for i in range(backbone.embedding_width)]
    for table in (pd.read_csv(tmp_path / "e.csv"), pd.read_parquet(tmp_path / "e.parquet")):
        assert table.columns.tolist() == ["smiles", "id", "error", *columns]
        np.testing.assert_allclose(table[columns].to_numpy(float), expected, rtol=1e-5, atol=1e-6)


def test_columns_of_the_input_are_not_overwritten(
    cytomol: Run, untrained: dict[str, Path], tmp_path: Path
) -> None:
    frame = pd.DataFrame({"id": ["007"], "smiles": ["CCO"], "embedding_3": ["mine"], "embedding": ["too"]})
    frame.to_csv(tmp_path / "in.csv", index=False)
    for suffix in ("npz", "csv"):
        done = cytomol("embed", untrained["chmr"], tmp_path / "in.csv", "-o", tmp_path / f"e.{suffix}")
        assert done.code == 0, done.err
        assert "the answer is called 'embedding_predicted'" in done.err
    table = pd.read_csv(tmp_path / "e.csv", dtype=str)
    assert table[list(frame)].to_dict("list") == frame.to_dict("list")
    assert "embedding_predicted_0" in table
    with np.load(tmp_path / "e.npz", allow_pickle=False) as arrays:
        assert arrays["embedding"].tolist() == ["too"]
        assert arrays["embedding_predicted"].dtype == np.float32


def test_a_fine_tuned_model_embeds_as_its_backbone(
    cytomol: Run, fine_tuned: Path, untrained: dict[str, Path], molecules: Path, tmp_path: Path
) -> None:
    assert cytomol("embed", fine_tuned, molecules, "-o", tmp_path / "a.npz").code == 0
    assert cytomol("embed", untrained["chmr"], molecules, "-o", tmp_path / "b.npz").code == 0
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        np.testing.assert_array_equal(a["embedding"], b["embedding"])


def test_rows_may_be_dropped_or_stop_it(
    cytomol: Run, untrained: dict[str, Path], molecules: Path, tmp_path: Path
) -> None:
    model = untrained["infoalign"]
    assert cytomol("embed", model, molecules, "-o", tmp_path / "d.npz", "--on-error", "drop").code == 0
    with np.load(tmp_path / "d.npz") as arrays:
        assert arrays["embedding"].shape == (3, 16)
        assert np.isfinite(arrays["embedding"]).all()
    done = cytomol("embed", model, molecules, "-o", tmp_path / "r.npz", "--on-error", "raise")
    assert done.code == 2
    assert "row 2: invalid molecule 'C1CC'" in done.err
    assert not (tmp_path / "r.npz").exists()


def test_a_model_without_embedding_is_refused(
    cytomol: Run, assays: Path, molecules: Path, tmp_path: Path
) -> None:
    model = tmp_path / "m"
    done = cytomol("finetune", assays, "--features", "1d", "--epochs", "1", "--hidden", "4", "-o", model,
                   "--split-type", "random", "--workers", "1")  # fmt: skip
    assert done.code == 0, done.err
    done = cytomol("embed", model, molecules, "-o", tmp_path / "o.npz")
    assert done.code == 2
    assert re.search(r"cytomol: error: .*holds a fine-tuned model that reads no embedding", done.err)


@pytest.mark.parametrize(
    "case",
    [
        ("nowhere", "o.npz", r"model directory not found"),
        ("infoalign", "o.h5", r"unknown kind of output"),
        ("infoalign", "in.csv", r"output exists"),
    ],
    ids=lambda case: case[2],
)
def test_bad_use_is_refused(
    cytomol: Run, untrained: dict[str, Path], molecules: Path, tmp_path: Path, case: tuple[str, str, str]
) -> None:
    model, out, message = case
    done = cytomol("embed", untrained.get(model, tmp_path / model), molecules, "-o", tmp_path / out)
    assert done.code == 2
    assert re.search(rf"cytomol: error: .*{message}", done.err), done.err
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
