"""The rows of weights, corrections and alignment: what they compare, and the page that shows them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.cells import alignment_page, signal, signal_page
from benchmarks.cells.signal_job import Job


@pytest.mark.parametrize("page", [alignment_page, signal_page])
def test_the_section_shows_its_rows(page: object) -> None:
    text = page.section()  # type: ignore[attr-defined]
    assert "nan" not in text
    assert text.count("\n|---") >= 2


def _result(path: Path, hits: list[float], scores: dict[str, float]) -> None:
    parts = {"test": hits, "valid": [0.0]}
    strata = {"all": parts}
    found = {
        "places": {"molecule to profile": strata, "profile to molecule": strata},
        "errors": {
            "all": {f"{whose}, {word}": hits for whose in ("form", "mean") for word in ("measured", "freed")}
        },
        "scores": scores,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))


def test_gains_are_paired_and_forms_without_a_partner_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "signal" / "jobs"
    plain, better = [30.0] * 20 + [0.0] * 20, [0.0] * 40
    _result(work / f"{Job('real', 'chmr', 'as measured', 0).name}.json", plain, {"a": 0.5, "b": 0.6})
    _result(work / f"{Job('real', 'chmr', 'weighted', 0).name}.json", better, {"a": 0.7, "b": 0.8})
    _result(work / f"{Job('real', 'ridge', 'centered', 0).name}.json", better, {})
    for name in ("real_ground", "planted_ground"):
        monkeypatch.setattr(signal, name, lambda work: None)
    monkeypatch.setattr(signal, "annotated", lambda ground, work: None)
    out = tmp_path / "rows.csv"
    assert signal.main(["--work", str(tmp_path), "-o", str(out), "--minutes", "0"]) == 0
    rows = pd.read_csv(out).set_index(["method", "form", "figure"])
    assert set(rows.index.get_level_values("form")) == {"as measured", "weighted"}
    row = rows.loc[("chmr", "weighted", "top 5%, molecule to profile")]
    assert (row["value"], row["gain"], row["n"]) == (1, 0.5, 40)
    assert 0 < row["gain_low"] < 0.5 < row["gain_high"] < 1
    assert rows.loc[("chmr", "weighted", "ROC-AUC of a linear learner"), "gain"] == pytest.approx(0.2)
    assert np.isnan(rows.loc[("chmr", "as measured", "top 5%, molecule to profile"), "gain"])
    assert rows.loc[("chmr", "weighted", "R2 over the mean, measured"), "value"] == 0
