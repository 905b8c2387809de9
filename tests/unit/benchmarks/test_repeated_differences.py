"""Differences of models over repeated folds: families, missing folds, corrections and mean places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.quality.repeated.differences import (
    COLUMNS,
    differences,
    grids,
    mean_ranks,
    write_differences,
)
from benchmarks.quality.repeated.rows import read_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.unit.benchmarks.repeated_rows import SOME, rows

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results" / "quality"


def ours(table: pd.DataFrame, second: str) -> pd.Series:
    found = table[(table["first"] == "cytomol") & (table["second"] == second)]
    assert len(found) == 1
    return found.iloc[0]


def test_wins_and_losses_are_told_by_the_corrected_test() -> None:
    table = differences(rows(SOME))
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 6  # all pairs of four models
    assert {second: ours(table, second)["verdict"] for second in ("forest", "kernel", "mlp")} == {
        "forest": "open",
        "kernel": "ahead",
        "mlp": "behind",
    }
    assert (table["folds"] == 25).all()
    assert (table["repeats"] == 5).all()
    assert (table.loc[table["first"] != "cytomol", "verdict"] == "").all()


def test_a_row_agrees_with_its_folds() -> None:
    scores = rows(SOME, noise=0.03)
    wide = scores.pivot_table(index=["repeat", "fold"], columns="model", values="value")
    gaps = wide["cytomol"] - wide["forest"]
    found = ours(differences(scores), "forest")
    t = gaps.mean() / np.sqrt((1 / 25 + 20 / 80) * gaps.var())
    assert found["difference"] == pytest.approx(gaps.mean())
    assert found["p"] == pytest.approx(2 * stats.t.sf(abs(t), 24))
    assert found["d"] == pytest.approx(gaps.mean() / gaps.std())
    half = stats.t.ppf(1 - 0.05 / 2 / 3, 24) * np.sqrt((1 / 25 + 20 / 80) * gaps.var())
    assert found["high"] - found["low"] == pytest.approx(2 * half)
    # of three comparisons the least clear is not multiplied
    table = differences(scores)
    ps = sorted(ours(table, model)["p"] for model in ("forest", "kernel", "mlp"))
    corrected = sorted(ours(table, model)["p_holm"] for model in ("forest", "kernel", "mlp"))
    assert corrected == pytest.approx(
        [min(1, 3 * ps[0]), max(3 * ps[0], 2 * ps[1]), max(3 * ps[0], 2 * ps[1], ps[2])]
    )


def test_folds_that_share_rows_ask_for_more_than_tukey_does() -> None:
    found = ours(differences(rows({"cytomol": 0.82, "forest": 0.80}, noise=0.02)), "forest")
    assert found["p_tukey"] < 0.05 < found["p_holm"]
    assert found["verdict"] == "open"


def test_an_error_is_better_where_it_is_less() -> None:
    table = differences(rows(SOME, metric="mae", name="biogenadme"))
    assert ours(table, "kernel")["verdict"] == "behind"
    assert ours(table, "kernel")["difference"] == pytest.approx(-0.1, abs=0.02)


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_is_nothing(random: object) -> None:
    scores = rows(SOME)
    order = np.arange(len(scores))
    random.shuffle(order)  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(differences(scores.iloc[order]), differences(scores))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1_000))
def test_hard_folds_change_nothing(seed: int) -> None:
    scores = rows(SOME)
    hard = pd.Series(np.random.default_rng(seed).normal(size=25))
    moved = scores.assign(value=scores["value"] + hard[5 * scores["repeat"] + scores["fold"]].to_numpy())
    pd.testing.assert_frame_equal(differences(moved), differences(scores), atol=1e-6)


def test_swapped_models_swap_their_verdict() -> None:
    scores = rows(SOME)
    named = {"cytomol": "mlp", "mlp": "cytomol"}
    other = ours(differences(scores.assign(model=scores["model"].replace(named))), "mlp")
    found = ours(differences(scores), "mlp")
    assert (found["verdict"], other["verdict"]) == ("behind", "ahead")
    assert other["difference"] == pytest.approx(-found["difference"])
    assert (other["low"], other["tukey_high"]) == pytest.approx((-found["high"], -found["tukey_low"]))


def test_only_folds_that_all_models_have_are_compared() -> None:
    scores = rows(SOME)
    late = (scores["model"] == "forest") & (scores["repeat"] == 4) & (scores["fold"] > 2)
    unscored = (scores["model"] == "mlp") & (scores["repeat"] == 0) & (scores["fold"] == 0)
    scores.loc[unscored, "value"] = np.nan
    few = (scores["model"] == "kernel") & (scores["repeat"] > 1)
    grid = grids(scores[~late & ~few], "single")[0]
    assert grid.models == ("cytomol", "forest", "mlp")
    assert grid.absent == ("kernel",)  # 10 of 25 folds
    assert len(grid.scores) == 22
    assert (differences(scores[~late & ~few])["folds"] == 22).all()
    assert not grids(scores[scores["model"] != "cytomol"], "single")


def test_other_ways_to_weigh_are_a_family_of_their_own() -> None:
    ways = {"cytomol-plain": 0.8, "cytomol-equal": 0.8, "cytomol-crossfit": 0.85, "cytomol-refit": 0.84}
    scores = rows({**SOME, **ways})
    crossfit = scores["model"].isin(["cytomol-crossfit", "cytomol-refit"])
    table = differences(scores[~crossfit | (scores["repeat"] == 0)])  # that cost too much for more
    assert table.groupby("family")["folds"].unique().map(list).to_dict() == {
        "single": [25],
        "recipe": [25],
        "crossfit": [5],
    }
    assert set(table.loc[table["family"] == "crossfit", "second"]) == {"cytomol-crossfit", "cytomol-refit"}
    single = table[table["family"] == "single"]
    pd.testing.assert_frame_equal(single.reset_index(drop=True), differences(rows_of(scores, list(SOME))))


def rows_of(scores: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    return scores[scores["model"].isin(models)]


def test_a_single_fold_gives_a_difference_and_no_test() -> None:
    scores = rows(SOME)
    found = ours(differences(scores[(scores["repeat"] == 0) & (scores["fold"] == 0)]), "mlp")
    assert found["difference"] < 0
    assert np.isnan([found["p"], found["p_anova"], found["p_tukey"], found["d"], found["low"]]).all()
    assert found["verdict"] == "open"


def test_mean_places_count_each_set_once() -> None:
    scores = pd.concat(
        [
            rows(SOME),
            rows(SOME, name="bbbp", repeats=1),
            rows(SOME, name="biogenadme", metric="mae"),  # an error: the order is turned
            rows({"cytomol": 0.8, "forest": 0.7, "kernel": 0.6}, name="sider"),  # no mlp: it has no place
        ]
    )
    found = mean_ranks(grids(scores, "single"))
    assert found.sets == ("bace", "bbbp", "sider", "biogenadme")
    places = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3], [3, 2, 1]])
    assert found.ranks == dict(zip(("cytomol", "forest", "kernel"), places.mean(axis=0), strict=True))
    assert found.p == pytest.approx(stats.friedmanchisquare(*places.T).pvalue)
    assert found.critical == pytest.approx(2.343 * np.sqrt(3 * 4 / (6 * 4)), abs=1e-3)  # Demsar 2006


def test_one_set_gives_places_and_no_test() -> None:
    found = mean_ranks(grids(rows(SOME), "single"))
    assert found.ranks["mlp"] == 1
    assert np.isnan([found.p, found.critical]).all()
    assert mean_ranks([]).ranks == {}


def test_the_file_holds_the_table(tmp_path: Path) -> None:
    path = tmp_path / "repeated_differences.csv"
    table = write_differences(path, rows(SOME))
    read = pd.read_csv(path).fillna({"verdict": ""})
    pd.testing.assert_frame_equal(read, table)
    pd.testing.assert_frame_equal(table, differences(rows(SOME)), rtol=1e-5)


def test_the_committed_differences_are_those_of_the_committed_rows() -> None:
    path = RESULTS / "repeated_differences.csv"
    table = differences(read_scores(RESULTS / "repeated.csv"))
    assert path.exists() == bool(len(table))
    if len(table):
        pd.testing.assert_frame_equal(pd.read_csv(path).fillna({"verdict": ""}), table, rtol=1e-4, atol=1e-8)
