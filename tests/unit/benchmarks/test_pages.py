"""The page of results and those behind it: wins and losses as the rows have them, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.quality.front import front, standings
from benchmarks.quality.page import main as write_page
from benchmarks.quality.rows import Rows

from cytomol.evaluate.results import Results
from cytomol.evaluate.rows import Job

SEEDS = range(3)


def fill(
    folder: Path, name: str, model: str, score: float, *, gap: float = 0.0, metric: str = "roc_auc"
) -> None:
    """Write rows of six tasks; half of them score more by the gap, half less."""
    cost = {"seconds_fit": 60.0, "seconds_predict": 2.0, "seconds_features": 10.0, "peak_mb": 500.0}
    rest = {"fold": "test", "metric": metric, "n": 50, "positives": 9, "version": "0", "commit": "", **cost}
    model, _, variant = model.partition("/")
    for seed in SEEDS:
        job = Job(name, model, seed, variant)
        rows = [
            {**vars(job), **rest, "task": f"t{i}", "score": score + seed / 1000 + (gap if i % 2 else -gap)}
            for i in range(6)
        ]
        Results(folder).append(job, rows, [])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a campaign: better on chembl2k, worse on sider, neither on toxcast, biogenadme by its error."""
    place = tmp_path / "quality"
    place.mkdir()
    scores = {
        "chembl2k": (0.80, 0.70),
        "sider": (0.60, 0.65),
        "toxcast": (0.701, 0.70),
        "broad6k": (0.699, 0.70),
    }
    for name, (ours, other) in scores.items():
        fill(place, name, "cytomol-five/cell", ours)
        fill(place, name, "forest", other, gap=0.1)
        fill(place, name, "mlp", other - 0.02)
    fill(place, "chembl2k", "forest-bits", 0.5)
    fill(place, "biogenadme", "cytomol-five/cell", 0.3, metric="mae")
    fill(place, "biogenadme", "forest", 0.4, metric="mae")
    fill(place, "biogenadme", "mlp", 0.35, metric="mae")
    return place


def test_the_recipe_stands_beside_the_best_other_on_each_set(folder: Path) -> None:
    found = {standing.name: standing for standing in standings(Rows.read(folder))}
    assert list(found) == ["sider", "chembl2k", "biogenadme", "broad6k", "toxcast"]
    assert {name: one.best for name, one in found.items() if name != "biogenadme"} == dict.fromkeys(
        ("sider", "chembl2k", "broad6k", "toxcast"), "forest"
    )
    assert found["biogenadme"].best == "mlp"  # the least error
    assert {name: one.word for name, one in found.items()} == {
        "sider": "behind, not clear",  # its tasks differ by more
        "chembl2k": "better",
        "biogenadme": "better",
        "broad6k": "behind, not clear",
        "toxcast": "ahead, not clear",
    }
    assert found["biogenadme"].difference.startswith("+5.0 (+5.0 to ")


def test_losses_are_told_as_wins_are(folder: Path) -> None:
    fill(folder, "bbbp", "cytomol-five/cell", 0.5)
    fill(folder, "bbbp", "forest", 0.6)
    text = front(Rows.read(folder), "page")
    assert "- Worse, clearly, on **1** of 6 sets: bbbp (forest)." in text
    assert "- Better than the best of the others, clearly, on **2** of 6 sets: chembl2k (forest), " in text
    assert (
        "| bbbp | 50.1 ± 0.1 (3) | forest 60.1 ± 0.1 (3) | -10.0 (-10.0 to -10.0) | **worse** | – | – |"
        in text
    )
    assert "ahead on biogenadme, toxcast; not ahead on chembl2k, broad6k." in text  # published: 84.7, 71.4
    assert "| chembl2k | 80.1 ± 0.1 (3) | forest 70.1" in text
    assert "| 84.7 | -4.6 |" in text
    assert "FOLDER" not in text


def test_check_names_pages_that_differ(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "docs" / "page.md"
    arguments = ["--results", str(folder), "--out", str(out)]
    assert write_page([*arguments, "--check"]) == 1
    assert not out.exists()
    assert write_page(arguments) == 0
    assert write_page([*arguments, "--check"]) == 0
    capsys.readouterr()
    behind = out.with_suffix("") / "learners.md"
    behind.write_text(behind.read_text().replace("80.1", "90.1", 1))
    (behind.parent / "old.md").write_text("no rows give this\n")
    assert write_page([*arguments, "--check"]) == 1
    said = capsys.readouterr().err
    assert "learners.md is not what the rows give" in said
    assert "old.md" in said
    assert len(said.splitlines()) == 2


def test_the_committed_pages_are_what_the_committed_rows_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert write_page(["--check"]) == 0, capsys.readouterr().err
