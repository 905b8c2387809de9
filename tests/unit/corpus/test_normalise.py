"""Plate-wise normalisation through pycytominer, against NumPy."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.controls import Controls
from cytomol.corpus.normalise import normalise_plates, whiten
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable
from cytomol.corpus.roles import Roles
from cytomol.errors import InputError, MissingDependencyError

pytest.importorskip("pycytominer")

PLATES = Roles({"plate": ("Metadata_Plate",)})


def table(gap: bool = False) -> tuple[ProfileTable, Controls]:
    """Two plates of 20 wells with shifts of their own, the first eight of each controls."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 4)) * [1, 10, 0.1, 5]
    values[20:] = values[20:] * 3 + 50
    if gap:
        values[3, 1], values[25] = np.nan, np.nan
    values[20:, 3] = 7
    metadata = pd.DataFrame({"Metadata_Plate": ["A"] * 20 + ["B"] * 20})
    rows = np.tile(np.arange(20) < 8, 2)
    columns = ("Cells_a", "Cells_b", "Cells_c", "Cells_d")
    return ProfileTable("p.csv", metadata, values.astype(np.float32), columns), Controls(rows, {})


def robust(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    median = np.nanmedian(reference, axis=0)
    return (values - median) / (1.4826 * np.nanmedian(np.abs(reference - median), axis=0))


@pytest.mark.parametrize("reference", ["controls", "plate"])
@pytest.mark.parametrize("gap", [False, True])
def test_robust_z_of_each_plate(reference: str, gap: bool) -> None:
    wells, controls = table(gap)
    problems = Problems()
    found = normalise_plates(wells, PLATES, controls, reference, problems)  # type: ignore[arg-type]
    for plate in (slice(0, 20), slice(20, 40)):
        values = wells.features[plate].astype(np.float64)
        chosen = values[controls.rows[plate]] if reference == "controls" else values
        with np.errstate(all="ignore"):
            wanted = robust(values, chosen)
        wanted[~np.isfinite(wanted)] = np.nan
        np.testing.assert_allclose(found.features[plate], wanted, rtol=1e-4, atol=1e-4)
    assert np.isnan(found.features[20:, 3]).all()
    assert any("1 feature has no spread on a plate" in note and "Cells_d" in note for note in problems.notes)


def test_a_plate_without_controls_is_named() -> None:
    wells, controls = table()
    rows = controls.rows.copy()
    rows[20:38] = False
    with pytest.raises(InputError, match=r"1 of 2 plates has fewer than 3 control wells .*: B"):
        normalise_plates(wells, PLATES, Controls(rows, {}), "controls", Problems())


def test_without_a_column_of_plates_all_wells_are_one_plate() -> None:
    wells, controls = table()
    problems = Problems()
    found = normalise_plates(wells, Roles(), controls, "plate", problems)
    np.testing.assert_allclose(np.nanmedian(found.features, axis=0), 0, atol=1e-4)
    assert any("no column of plates" in note for note in problems.notes)


def test_whitened_controls_are_uncorrelated() -> None:
    rng = np.random.default_rng(1)
    values = (rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5))).astype(np.float32)
    values[:, 4] = 2  # constant, cannot be whitened
    controls = np.arange(300) < 200
    found, kept = whiten(values, controls, tuple("abcde"), where="cp")
    assert kept.tolist() == [True] * 4 + [False]
    np.testing.assert_allclose(np.cov(found[controls].T), np.eye(4), atol=0.05)
    gap = values.copy()
    gap[250, 1] = np.nan
    assert whiten(gap, controls, tuple("abcde"), where="cp")[1].tolist() == [True, False, True, True, False]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("controls", r"cp: 2 control wells are too few to whiten by"),
        ("gaps", r"cp: none of 4 features is measured in every well"),
        ("repeat", r"cp: cannot be whitened: .*leave features that repeat others out"),
    ],
)
def test_what_cannot_be_whitened(spoil: str, message: str) -> None:
    values = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32)
    controls = np.arange(60) < (2 if spoil == "controls" else 40)
    if spoil == "gaps":
        values[:4][np.eye(4, dtype=bool)] = np.nan
    if spoil == "repeat":
        values[:, 3] = values[:, 2]
    with pytest.raises(InputError, match=message):
        whiten(values, controls, tuple("abcd"), where="cp")


def test_absent_package(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(module: str, *rest: object, **named: object) -> object:
        if module == "pycytominer":
            raise ImportError(module)
        return real(module, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    wells, controls = table()
    with pytest.raises(MissingDependencyError, match=r"pycytominer \(pip install 'cytomol\[omics\]'\)"):
        normalise_plates(wells, PLATES, controls, "plate", Problems())


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cytomol.cli.main import main
    from cytomol.corpus import read_corpus

    rng = np.random.default_rng(0)
    (tmp_path / "m.csv").write_text("id,smiles\na,CCO\nb,CCN\n")
    for number in (1, 2):
        pd.DataFrame(
            {
                "Metadata_Plate": [f"P{number}"] * 12,
                "Metadata_id": ["DMSO"] * 10 + ["a", "b"],
                "Cells_f": [*rng.normal(100 * number, 2, 10), 100 * number + 30, 100 * number - 30],
                "Cells_g": rng.normal(size=12),
            }
        ).to_csv(tmp_path / f"P{number}.csv", index=False)
    files = [word for n in (1, 2) for word in ("--profiles", f"cp:morphology:{tmp_path / f'P{n}.csv'}")]
    options = ["corpus", "build", "-o", str(tmp_path / "out"), "--molecules", str(tmp_path / "m.csv"), *files]
    with pytest.raises(SystemExit) as exit_:
        main([*options, "--normalise", "controls", "--whiten"])
    assert not exit_.value.code
    assert "20 control" not in capsys.readouterr().err
    modality = read_corpus(tmp_path / "out").modalities["cp"]
    assert modality.rows.tolist() == [0, 1]
    assert (modality.values[:, 0] > 0).tolist() == [True, False]  # noqa: PD011
    assert (np.abs(modality.values[:, 0]) > 3).all()  # noqa: PD011
