"""Rows answer rows, equal molecules are computed once, bad options are said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cytomol.chem.geometry import compute_geometry, geometry_features, geometry_width
from cytomol.errors import ConfigError, MissingDependencyError


def test_order_is_kept_whatever_finishes_first(orders: str) -> None:
    wanted = ["sleep:0.6", "value:1", "", "value:2", "reason:no", "value:1", "  value:3 ", "work:600"]
    geometry = compute_geometry(wanted, orders, timeout=2.0, workers=2, cache=None)
    np.testing.assert_array_equal(geometry.values[:, 0], [0, 1, np.nan, 2, np.nan, 1, 3, np.nan])
    assert geometry.values.dtype == np.float32
    assert geometry.valid.tolist() == [True, True, False, True, False, True, True, False]
    assert geometry.reasons[2] == "empty SMILES"
    assert geometry.reasons[4] == "no"
    assert geometry.reasons[7] == "not finished after 2 s"
    assert np.isnan(geometry.values[~geometry.valid]).all()


def test_equal_molecules_are_computed_once_and_progress_ends_at_all_rows(orders: str) -> None:
    calls: list[tuple[int, int]] = []
    values, valid = geometry_features(
        ["value:1", "value:2", "value:1", ""],
        orders,
        workers=1,
        cache=None,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert valid.tolist() == [True, True, True, False]
    assert values.shape == (4, 3)
    assert calls == [(3, 4), (4, 4)]


def test_default_cache_lies_below_the_root(
    orders: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CYTOMOL_CACHE", str(tmp_path))
    compute_geometry(["value:1"], orders, workers=1)
    assert list((tmp_path / "geometry").glob("test-orders-1-*.sqlite"))


@pytest.mark.parametrize("smiles", [[], ["", "  "]])
def test_nothing_to_do(smiles: list[str]) -> None:
    values, valid = geometry_features(smiles)
    assert values.shape == (len(smiles), geometry_width())
    assert not valid.any()


def test_bad_options_are_said(orders: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown geometry provider 'x'.*rdkit.*unimol"):
        geometry_features(["C"], "x")
    with pytest.raises(ConfigError, match="timeout must be positive"):
        geometry_features(["C"], orders, timeout=0)
    with pytest.raises(ConfigError, match="timeout must be positive"):
        geometry_features(["C"], orders, timeout=float("nan"))
    with pytest.raises(ConfigError, match="at least 1"):
        geometry_features(["C"], orders, workers=0)


def test_missing_package_is_said_before_any_work(orders: str, tmp_path: Path) -> None:
    code = "import importlib.util as u; import sys; sys.exit(u.find_spec('unimol_tools') is not None)"
    if subprocess.run([sys.executable, "-c", code], check=False).returncode:
        pytest.skip("unimol_tools is installed")
    with pytest.raises(MissingDependencyError, match=r"pip install 'cytomol\[unimol\]'"):
        compute_geometry(["C"], "unimol", cache=tmp_path)


def test_import_stays_light() -> None:
    code = (
        "import sys, cytomol.chem.geometry;"
        "heavy = {'torch', 'lightning', 'pandas', 'sklearn'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, env={**os.environ})
    assert done.returncode == 0, done.stderr
