"""The page of repeated cross-validation: its sentences follow the rows, whatever they say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from benchmarks.quality.figures import draw, figures
from benchmarks.quality.front import front
from benchmarks.quality.page import main as write_page
from benchmarks.quality.repeated.differences import write_differences
from benchmarks.quality.repeated.figure import FILE, TITLE
from benchmarks.quality.repeated.page import headlines, lines
from benchmarks.quality.rows import Rows
from tests.unit.benchmarks.repeated_rows import SOME, rows

from cytomol.evaluate.results import Results
from cytomol.evaluate.rows import Job


def campaign(folder: Path) -> None:
    """Write one row that the page of results needs."""
    folder.mkdir(exist_ok=True)
    cost = {"seconds_fit": 60.0, "seconds_predict": 2.0, "seconds_features": 10.0, "peak_mb": 500.0}
    rest = {"fold": "test", "metric": "roc_auc", "n": 50, "positives": 9, "version": "0", "commit": ""}
    job = Job("bace", "forest", 0, "")
    Results(folder).append(job, [{**vars(job), **rest, **cost, "task": "t0", "score": 0.8}], [])


def made(folder: Path, scores: pd.DataFrame) -> Rows:
    """Write rows and differences beside a row of the campaign, and read them as the page does."""
    campaign(folder)
    scores.to_csv(folder / "repeated.csv", index=False)
    write_differences(folder / "repeated_differences.csv", scores)
    return Rows.read(folder)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Return rows of a set where another model is ahead, one where ours is, and other ways to weigh."""
    ways = {"cytomol-plain": 0.7, "cytomol-equal": 0.8, "cytomol-refit": 0.9}
    wins = {"cytomol": 0.9, "forest": 0.8, "kernel": 0.75, "mlp": 0.7}
    errors = rows(SOME, name="biogenadme", metric="mae", repeats=1)
    scores = pd.concat([rows({**SOME, **ways}), rows(wins, name="sider"), errors])
    return made(tmp_path_factory.mktemp("rows"), scores)


def test_headlines_tell_losses_as_they_tell_wins(told: Rows) -> None:
    said = list(headlines(told))
    assert said[0] == "`cytomol` has the best mean place over 3 sets, of 4 models: 2.0; next is forest (2.3)."
    means = 100 * told.repeated.groupby(["set", "model"])["value"].mean()
    mlp = means["bace", "mlp"] - means["bace", "cytomol"]
    kernel = means["biogenadme", "cytomol"] - means["biogenadme", "kernel"]
    lost = f"mlp (+{mlp:.1f}) on bace; kernel (+{kernel:.1f}) on biogenadme"
    assert said[1] == f"Significantly ahead of `cytomol`: {lost}."
    assert said[2].startswith(
        "Of 9 comparisons with single models on 3 sets `cytomol` is significantly ahead in "
    )
    assert "significantly ahead of it on sider (" in said[3]
    assert f"significantly behind on bace (mlp, -{mlp:.1f})" in said[3]


def test_a_better_place_is_told(tmp_path: Path) -> None:
    said = next(headlines(made(tmp_path, rows(SOME))))
    assert said == "`cytomol` has mean place 2.0 over 1 set, of 4 models; better have mlp (1.0)."


def test_where_nothing_is_ahead_the_page_says_so(tmp_path: Path) -> None:
    said = list(headlines(made(tmp_path, rows({"cytomol": 0.9, "forest": 0.8, "mlp": 0.7}))))
    assert said[0] == "`cytomol` has the best mean place over 1 set, of 3 models: 1.0; next is forest (2.0)."
    assert said[1] == "No single model is significantly ahead of `cytomol` on any set."
    assert said[2].endswith("significantly ahead in 2 and behind in 0; 0 are open.")


def test_the_page_shows_means_folds_and_what_is_missing(told: Rows) -> None:
    text = "\n".join(lines(told))
    assert (
        "there are of bbbp 0 of 25, clintox 0 of 25, chembl2k 0 of 25, biogenadme 5 of 25, broad6k 0 of 15."
        in text
    )
    assert "| folds | 25 | 25 | 5 |" in text
    own = told.repeated[(told.repeated["set"] == "bace") & (told.repeated["model"] == "mlp")]["value"] * 100
    assert f"| mlp | **{own.mean():.1f} ± {own.std():.1f}** |" in text
    assert "Significant: `cytomol` on bace (ahead of cytomol-plain), bace (behind cytomol-refit)." in text
    assert "### biogenadme" in text
    row = told.repeated_differences.query("set == 'bace' and first == 'cytomol' and second == 'kernel'").iloc[
        0
    ]
    start = (
        f"| kernel | {100 * row['difference']:+.1f} | {100 * row['low']:+.1f} to {100 * row['high']:+.1f} |"
    )
    assert start in text


def test_one_fold_has_no_verdict(tmp_path: Path) -> None:
    scores = rows(SOME)
    found = made(tmp_path, scores[(scores["repeat"] == 0) & (scores["fold"] == 0)])
    text = "\n".join(lines(found))
    assert "One fold, so no test." in text
    assert "on 0 sets" in text
    assert "**ahead**" not in text
    assert "**behind**" not in text
    assert "nan" not in text
    assert TITLE not in figures(found)


def test_the_figure_is_drawn_alike_from_equal_rows(told: Rows, tmp_path: Path) -> None:
    assert figures(told)[TITLE] == FILE
    for name in ("one", "two"):
        draw(told, tmp_path / name)
    drawn = (tmp_path / "one" / FILE).read_text("utf-8")
    assert drawn == (tmp_path / "two" / FILE).read_text("utf-8")
    for name in ("bace", "sider", "biogenadme", "kernel", "significantly behind"):
        assert f">{name}<" in drawn


def test_the_front_page_and_the_page_agree(told: Rows, tmp_path: Path) -> None:
    text = front(told, "page")
    assert f"[Repeated cross-validation](page/repeated.md): {next(headlines(told))}" in text
    assert "MORE" not in text
    campaign(tmp_path)
    none = Rows.read(tmp_path)
    assert "Other splits" not in front(none, "page")
    assert list(lines(none)) == ["No rows yet.\n"]


def test_check_holds_the_page_to_its_rows(
    told: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "results", tmp_path / "docs" / "page.md"
    made(folder, told.repeated)
    arguments = ["--results", str(folder), "--out", str(out)]
    assert write_page(arguments) == 0
    assert write_page([*arguments, "--check"]) == 0
    page = out.with_suffix("") / "repeated.md"
    assert f"figures/{FILE}" in page.read_text("utf-8")
    page.write_text(page.read_text("utf-8").replace("**behind**", "**ahead**", 1), "utf-8")
    assert write_page([*arguments, "--check"]) == 1
    assert "repeated.md is not what the rows give" in capsys.readouterr().err
