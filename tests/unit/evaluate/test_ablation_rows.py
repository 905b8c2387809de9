"""The file of an ablation: units whole or absent, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cytomol.errors import InputError
from cytomol.evaluate.ablation_rows import COLUMNS, AblationRows, Unit, summarize_ablation


def _unit(
    variant: str = "full", seed: int = 0, scores: tuple[float | None, ...] = (0.5, 0.7)
) -> list[dict[str, Any]]:
    common = {"study": "walks", "variant": variant, "method": "chmr", "seed": seed, "set": "s"}
    cost = {
        "metric": "roc_auc",
        "seconds_pretrain": 1.5,
        "seconds_finetune": 0.5,
        "model": f"k{variant}{seed}",
    }
    return [
        {**common, **cost, "fold": "test", "task": f"t{i}", "score": score} for i, score in enumerate(scores)
    ]


def _read(path: Path) -> tuple[AblationRows, int]:
    rows = AblationRows(path)
    return rows, rows.read({"s": 2})


def test_what_is_appended_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "ablation.csv"
    rows = AblationRows(path)
    rows.append(_unit("a, or b"))
    rows.append(_unit("c", scores=(0.5, None)))
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    again, cut = _read(path)
    assert cut == 0
    assert again.rows == rows.rows
    assert again.jobs() == {Unit("walks", "a, or b", "chmr", "0", "s"), Unit("walks", "c", "chmr", "0", "s")}
    assert again.frame()["score"].isna().tolist() == [False, False, False, True]
    assert [row["task"] for row in again.first_job(model="kc0", set="s")] == ["t0", "t1"]
    assert again.first_job(model="kc0", set="other") == []


@pytest.mark.parametrize("lost", [1, 30, 60, 90])
def test_a_unit_that_was_cut_goes(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "ablation.csv"
    rows = AblationRows(path)
    rows.append(_unit("a"))
    whole = path.read_bytes()
    rows.append(_unit("b"))
    path.write_bytes(path.read_bytes()[:-lost])
    again, _ = _read(path)
    assert {unit.variant for unit in again.jobs()} == {"a"}
    assert path.read_bytes() == whole
    assert _read(tmp_path / "absent.csv")[0].rows == []


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ablation.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no table of an ablation"):
        _read(path)


def test_summary_compares_the_seeds_that_both_have() -> None:
    rows = [*_unit(seed=0), *_unit(seed=1, scores=(0.6, 1.0)), *_unit(seed=2, scores=(0.1, 0.1))]
    rows += [*_unit("x", 0, (0.4, None)), *_unit("x", 1, (0.5, 0.7))]
    summary = summarize_ablation(pd.DataFrame(rows)).set_index("variant")
    assert summary.loc["full", "seeds"] == 3
    assert summary.loc["full", "mean"] == pytest.approx((0.6 + 0.8 + 0.1) / 3)
    assert summary.loc["x", "mean"] == pytest.approx(0.5)
    assert summary.loc["x", "std"] == pytest.approx(0.1 * 2**0.5)
    assert summary.loc["x", "difference"] == pytest.approx((-0.2 - 0.2) / 2)
    assert summary.loc["full", "difference"] == 0
