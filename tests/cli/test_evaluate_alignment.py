"""cytomol evaluate alignment, as a user calls it, on a small planted corpus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.cli.conftest import Done

SMALL = ("--width", 16, "--workers", 1, "--threads", 1, "--no-report")


@pytest.fixture(scope="module")
def folder(cytomol: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted corpus and a small model of each method."""
    place = tmp_path_factory.mktemp("alignment")
    corpus = place / "corpus"
    assert cytomol("corpus", "planted", "-o", corpus, "--size", 200).code == 0
    for method, options in {
        "contrastive": ("--views", "1d", "--hidden", 32, "--epochs", 12, "--batch-size", 64),
        "chmr": ("--views", "1d", "--epochs", 1, "--depth", 3),
        "infoalign": ("--layers", 2, "--epochs", 1),
    }.items():
        done = cytomol("pretrain", corpus, "-o", place / method, "--method", method, *SMALL, *options)
        assert done.code == 0, done.err
    return place


def _table(cytomol: Callable[..., Done], folder: Path, method: str, *args: object) -> pd.DataFrame:
    out = folder / f"{method}.csv"
    done = cytomol("evaluate", "alignment", folder / method, folder / "corpus", "-o", out, "--force", *args)
    assert done.code == 0, done.err
    return pd.read_csv(out)


def test_training_brings_molecules_and_profiles_together(cytomol: Callable[..., Done], folder: Path) -> None:
    rows = _table(cytomol, folder, "contrastive").set_index(["first", "second", "stage"])
    assert set(rows.index.get_level_values("stage")) == {"features", "untrained", "trained"}
    before, after = (rows.loc[("molecule", "morphology", stage)] for stage in ("untrained", "trained"))
    assert after["mrr_first"] > before["mrr_first"]
    assert after["cka_debiased"] > before["cka_debiased"]
    assert np.isfinite([before["mmd2"], after["mmd2"]]).all()  # a contrast may leave a gap between the two
    assert after["chance"] == pytest.approx(1 / after["molecules"], rel=1e-3)
    assert np.isnan(rows.loc[("molecule", "morphology", "features"), "mmd2"])
    assert rows["cka"].between(0, 1).all()
    # the same before any model, and for the same seed
    again = _table(cytomol, folder, "contrastive").set_index(["first", "second", "stage"])
    pd.testing.assert_frame_equal(again, rows)


def test_coordinates_with_codes(cytomol: Callable[..., Done], folder: Path) -> None:
    path = folder / "places.parquet"
    _table(cytomol, folder, "chmr", "--coordinates", path, "--most", 60, "--modality", "morphology")
    places = pd.read_parquet(path)
    assert set(places["what"]) == {"molecule", "morphology"}
    assert (places["what"] == "molecule").sum() == 60
    assert places[["x", "y"]].notna().all(axis=None)
    assert [name for name in places if name.startswith("code_")] == ["code_1", "code_2", "code_3"]
    for level, name in enumerate(("code_1", "code_2", "code_3"), start=1):
        assert places[name].between(0, 2**level - 1).all()


def test_a_method_that_decodes(cytomol: Callable[..., Done], folder: Path) -> None:
    rows = _table(cytomol, folder, "infoalign").set_index(["first", "second", "stage"])
    own = rows.loc[("molecule", "morphology", "trained")]
    assert own[["cka", "mmd2", "mrr_first"]].notna().all()
    between = {stage: rows.loc[("morphology", "expression", stage)] for stage in ("features", "trained")}
    assert between["features"]["cka"] > 0
    assert between["trained"].drop(["molecules", "chance"]).isna().all()


def test_held_out_molecules_alone(cytomol: Callable[..., Done], folder: Path) -> None:
    molecules = pd.read_parquet(folder / "corpus" / "molecules.parquet")
    molecules[["smiles"]].iloc[:80].to_csv(folder / "few.csv", index=False)
    rows = _table(cytomol, folder, "contrastive", "--only", folder / "few.csv", "--modality", "morphology")
    assert (rows["molecules"] <= 80).all()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--modality", "cell_painting"), "no modality 'cell_painting'"),
        (("--coordinates", "places.xls"), "unknown kind of output"),
        (("--only", "nothing.csv"), "nothing.csv"),
    ],
)
def test_what_is_wrong_is_said(
    cytomol: Callable[..., Done], folder: Path, args: tuple[str, ...], message: str
) -> None:
    given = [folder / arg if "." in arg else arg for arg in args]
    done = cytomol("evaluate", "alignment", folder / "contrastive", folder / "corpus", *given)
    assert done.code != 0
    assert message in done.err


def test_a_corpus_of_other_features(cytomol: Callable[..., Done], folder: Path) -> None:
    other = folder / "other"
    (other / "modalities").mkdir(parents=True)
    (other / "molecules.csv").write_text("mol_id,smiles\na,CCO\nb,CCN\nc,CCC\n")
    (other / "modalities" / "morphology.csv").write_text("mol_id,f1,f2\na,1,2\nb,2,3\nc,4,5\n")
    done = cytomol("evaluate", "alignment", folder / "contrastive", other)
    assert done.code != 0
    assert "lacks 60 of the 60 features of morphology" in done.err
    (other / "modalities" / "morphology.csv").rename(other / "modalities" / "plates.csv")
    done = cytomol("evaluate", "alignment", folder / "contrastive", other)
    assert done.code != 0
    assert "no modality that the model knows" in done.err
