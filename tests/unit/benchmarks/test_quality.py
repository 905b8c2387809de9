"""The quality campaign: its order, and a page that is made from however few rows there are."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.quality import ablation, averaged, cell, molecules
from benchmarks.quality.backbones import find_backbones, pretrain, unseen_corpus
from benchmarks.quality.beside import beside
from benchmarks.quality.known import Known
from benchmarks.quality.levers import COLUMNS as LEVERS
from benchmarks.quality.page import main as write_page
from benchmarks.quality.plan import (
    ALL,
    BACKBONES,
    FROM_GPU,
    MOST_SEEDS,
    RUNS,
    SETS,
    SHIPPED,
    STAGES,
    cells,
    steps,
)
from benchmarks.quality.planted import COLUMNS as PLANTED
from benchmarks.quality.plugins import PLUGINS
from benchmarks.quality.rows import OURS, Rows
from benchmarks.quality.tables import above, wins
from rdkit import Chem
from sklearn.metrics import roc_auc_score

from cytomol.corpus import read_corpus
from cytomol.errors import ConfigError
from cytomol.evaluate.ablation_rows import COLUMNS as ABLATION
from cytomol.evaluate.coverage import COVERAGE_COLUMNS
from cytomol.evaluate.results import Results
from cytomol.evaluate.rows import Job, read_rows
from cytomol.evaluate.sets import SETS as PUBLISHED_SETS
from cytomol.learners import learners


def fill(folder: Path, jobs: dict[Job, float], tasks: int = 8, metric: str = "roc_auc") -> None:
    """Write rows in which a job scores its number, a little different by task and seed."""
    for job, score in jobs.items():
        rows = []
        for task in range(tasks):
            chance = np.random.default_rng((task, job.seed)).normal(0, 0.001)
            row: dict[str, Any] = {**vars(job), "task": f"t{task}", "metric": metric, "n": 50, "positives": 9}
            cost = {"seconds_fit": 60.0, "seconds_predict": 2.0, "seconds_features": 10.0, "peak_mb": 500.0}
            source = {"fold": "test", "version": "0", "commit": ""}
            rows.append({**row, **cost, **source, "score": score + chance + 0.01 * task * score})
        empty = dict.fromkeys(COVERAGE_COLUMNS)
        held = {"kind": "classification", "tasks": tasks, "n": 400, "covered": 0.91, "size": 1.2}
        stated = [{**empty, **vars(job), **held, "coverage": level} for level in (0.9, 0.8)]
        Results(folder).append(job, rows, stated)


def told(page: Path) -> str:
    """Return all that the page of results and those behind it say."""
    return "\n".join(path.read_text() for path in (page, *sorted(page.with_suffix("").glob("*.md"))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "quality"
    place.mkdir()
    return place


def test_a_seed_of_everything_comes_before_the_next() -> None:
    planned = list(steps(STAGES, SETS, 5))
    assert [step.seed for step in planned] == sorted(step.seed for step in planned)
    assert set(SETS) == set(PUBLISHED_SETS)
    most = MOST_SEEDS["hiv"]
    assert all(("hiv" in step.sets) == ("hiv" in step.run.sets and step.seed < most) for step in planned)
    assert [step.sets for step in steps(["baselines"], ["hiv", "bace"], 1)] == [("bace", "hiv")]
    assert list(steps(["baselines"], ["hiv"], 5)) == list(steps(["baselines"], ["hiv"], 3))


def test_every_planned_model_and_backbone_is_known() -> None:
    for name in PLUGINS:
        importlib.import_module(name)
    planned = list(cells(5))
    assert {model for _, model, _, _ in planned} <= set(learners.names())
    assert {variant for _, _, variant, _ in planned} == {
        "",
        SHIPPED,
        f"{SHIPPED}+minimol",
        *BACKBONES,
        *FROM_GPU,
    }
    assert {run.stage for run in RUNS if run.backbone in FROM_GPU}.isdisjoint(ALL)
    assert len(set(planned)) == len(planned)


def test_an_absent_backbone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no backbone 'cell'"):
        find_backbones(tmp_path, ["cell"])
    with pytest.raises(ConfigError, match="trainings infoalign-structure-75-0, and unpack it here"):
        pretrain(tmp_path, ["structure-75"])


def test_the_corpus_of_the_unseen_has_no_evaluated_connectivity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stereoisomer is left out with the evaluated molecule; all else stays, in its order."""
    smiles = ["C[C@H](N)C(=O)O", "c1ccccc1O", "C[C@@H](N)C(=O)O", "CCO"]
    keys = [Chem.MolToInchiKey(Chem.MolFromSmiles(text)) for text in smiles]
    (tmp_path / "corpus").mkdir()
    table = pd.DataFrame({"mol_id": list("abcd"), "smiles": smiles, "inchikey": keys})
    table.to_parquet(tmp_path / "corpus" / "molecules.parquet")
    monkeypatch.setenv("CYTOMOL_DATA", str(tmp_path))
    work = tmp_path / "work"
    work.mkdir()
    (work / "evaluated.csv").write_text("smiles\nCC(N)C(=O)O\n")
    assert read_corpus(unseen_corpus(work)).smiles == ["c1ccccc1O", "CCO"]


def test_page_of_a_cut_campaign(folder: Path, tmp_path: Path) -> None:
    fill(folder, {Job("bace", "forest", 0): 0.8, Job("bace", "mlp", 0): 0.7})
    assert write_page(["--results", str(folder), "--out", str(tmp_path / "docs" / "page.md")]) == 0
    text = told(tmp_path / "docs" / "page.md")
    assert "| bace | – | – | forest 8" in text
    assert "- forest: bace (1, 2, 3, 4); bbbp (all)" in text
    for name in ("ablations", "cell_data", "calibration", "levers", "pretraining", "stereo"):
        behind = (tmp_path / "docs" / "page" / f"{name}.md").read_text()
        assert ("No rows yet." in behind) == (name != "calibration"), name


def test_page_says_what_was_reached_and_what_was_missed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CYTOMOL_DATA", raising=False)
    score = {"cell": 0.80, "structure": 0.78, "leaky": 0.86}
    for seed in range(3):
        fill(folder, {Job("chembl2k", "cytomol-five", seed, name): value for name, value in score.items()})
        fill(
            folder, {Job("chembl2k", "forest", seed): 0.70, Job("chembl2k", "cytomol-five-plain", seed): 0.82}
        )
        ours = Job("biogenadme", "cytomol-five", seed, "cell")
        fill(folder, {ours: 0.36, Job("biogenadme", "forest", seed): 0.50}, tasks=6, metric="mae")
    table = [
        ("infoalign", 2000, 15, 0, "cytomol-five", v, "a", "response", 0.8, 9) for v in ("cell", "structure")
    ]
    pd.DataFrame(table, columns=list(PLANTED)).to_csv(folder / "planted.csv", index=False)
    assert cell.main(["--out", str(folder), "--work", str(tmp_path)]) == 2  # facts of molecules need data
    tried = [("sider", "one", "", s, "roc_auc", 0.6 + s / 100, 1.0) for s in (0, 1)]
    tried += [("sider", "two", "one", s, "roc_auc", 0.62, 1.0) for s in (0, 1)]
    tried += [
        ("biogenadme", "one", "", 0, "mae", 0.4, 1.0),
        ("biogenadme", "two", "one", 0, "mae", 0.38, 1.0),
    ]
    pd.DataFrame(tried, columns=list(LEVERS)).to_csv(folder / "levers.csv", index=False)
    ablated = [
        (1000, 8, 0, "eta", "chmr", variant, f"{driver} assays", "test", driver, "roc_auc", score, 9.0, 1.0)
        for variant, gain in (("full", 0.0), ("eta 4", 0.02))
        for driver, score in (("response", 0.6 + gain), ("structure", 0.8 - gain))
    ]
    pd.DataFrame(ablated, columns=list(ablation.COLUMNS)).to_csv(folder / "ablation.csv", index=False)
    page = tmp_path / "docs" / "page.md"
    assert write_page(["--results", str(folder), "--out", str(page)]) == 0
    text = told(page)
    assert "| eta 4 | 62.0 (+2.0) | 78.0 (-2.0) |" in text
    assert "**no, missed by" in text
    assert "| two | one | 62.0 (+1.5) | 38.0 (+2.0) |" in text
    assert "| biogenadme (MAE) | 40.9 | – | forest" in text
    assert "yes, by" in text
    assert "| chembl2k | forest (+" in text  # better than
    scores = read_rows(folder / "rows.csv").query(
        "set == 'chembl2k' and variant == 'cell' and fold == 'test'"
    )
    shares = " / ".join(f"{100 * (scores['score'] > limit).mean():.0f}" for limit in (0.8, 0.85, 0.9))
    mean = 100 * scores["score"].mean()
    assert f"| cytomol-five (cell) | {mean:.1f} ({shares}) |" in text
    assert "| cytomol-five (cell) | 1.0 | 1.0 |" in text  # ranks
    assert "| forest | 2.0 | 2.0 |" in text
    assert {path.name for path in (tmp_path / "docs" / "figures").iterdir()} == {
        "benchmarks-models.svg",
        "benchmarks-coverage.svg",
    }
    before = text, (tmp_path / "docs" / "figures" / "benchmarks-models.svg").read_bytes()
    write_page(["--results", str(folder), "--out", str(page)])
    assert before == (
        told(page),
        (tmp_path / "docs" / "figures" / "benchmarks-models.svg").read_bytes(),
    )


def test_what_cell_data_add_by_what_is_known_of_molecules(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Callable[..., None]
) -> None:
    """Cell data help the molecules with profiles alone here; the table has to say so."""
    rng = np.random.default_rng(0)
    own = np.arange(300) < 150
    observed = (rng.random((300, 7)) < 0.5).astype(float)
    for seed in (0, 1):
        noise = rng.normal(0, 1, observed.shape)
        for variant, gain in (("cell", 2.0), ("structure", 0.0)):
            job = Job("sider", "cytomol-five", seed, variant)
            keep(folder, job, "test", noise + observed * (1 + gain * own[:, None]), observed)
    known = Known(own, np.where(np.arange(300) < 250, 0.6, 0.1).astype(np.float32))
    monkeypatch.setattr(cell, "known", lambda *_: known)
    names = tuple(f"t{task}" for task in range(7))
    few = SimpleNamespace(labels=SimpleNamespace(names=names, matrix=observed))
    monkeypatch.setattr(cell, "load_set", lambda _: few)
    assert cell.main(["--out", str(folder), "--work", str(tmp_path)]) == 0
    table = pd.read_csv(folder / "cell.csv")
    groups = table[table["by"] == "molecules"].set_index("group")
    assert groups.loc["own profile", "low"] > 0
    assert groups.loc[["near a profile", "far from all"], "difference"].tolist() == [0, 0]
    assert groups["molecules"].tolist() == [150, 100, 50]
    fill(folder, {Job("sider", "forest", 0): 0.5})
    assert write_page(["--results", str(folder), "--out", str(tmp_path / "page.md")]) == 0
    assert "| sider, own profile |" in told(tmp_path / "page.md")


def fill_tasks(folder: Path, name: str, label: tuple[str, str], by_seed: list[list[float | None]]) -> None:
    """Write rows with the scores of tasks, seed by seed."""
    cost = {"seconds_fit": 1.0, "seconds_predict": 1.0, "seconds_features": 1.0, "peak_mb": 1.0}
    rest = {"fold": "test", "metric": "roc_auc", "n": 9, "positives": 4, "version": "0", "commit": "", **cost}
    for seed, scores in enumerate(by_seed):
        job = Job(name, label[0], seed, label[1])
        rows = [{**vars(job), **rest, "task": f"t{i}", "score": value} for i, value in enumerate(scores)]
        Results(folder).append(job, rows, [])


def test_tasks_above_thresholds_are_counted_seed_by_seed(folder: Path) -> None:
    """0.8 is not above 80%; a task without a score is no task; sets of one task are left out."""
    fill_tasks(folder, "sider", ("forest", ""), [[0.95, 0.86, 0.80, 0.70], [0.91, 0.85, 0.81, None]])
    fill_tasks(folder, "chembl2k", ("mlp", ""), [[0.9, 0.5]])
    fill_tasks(folder, "bace", ("forest", ""), [[0.95]])
    lines = list(above(Rows.read(folder)))
    assert lines[0] == "| model | sider | chembl2k |"
    # seeds: means 82.75 and 85.67; above 80: 2/4 and 3/3; above 85: 2/4 and 1/3; above 90: 1/4 and 1/3
    assert lines[2] == "| forest | 84.2 (75 / 42 / 29) | – |"
    assert lines[3] == "| mlp | – | 70.0 (50 / 50 / 0) |"


def test_published_figures_stand_beside_rows_that_know_as_much(folder: Path) -> None:
    fill_tasks(folder, "chembl2k", ("cytomol-five", "leaky"), [[0.84, 0.85]])
    fill_tasks(folder, "chembl2k", ("cytomol-five", "cell"), [[0.83, 0.83], [0.85, 0.85]])
    fill_tasks(folder, "broad6k", ("cytomol-five", "cell"), [[0.7, 0.74]])
    fill_tasks(folder, "bace", ("cytomol-five", "leaky"), [[0.8]])
    lines = list(beside(Rows.read(folder)))
    assert lines[0] == "| model | cell data of evaluated molecules | chembl2k | broad6k |"
    assert lines[2:6] == [
        "| *InfoAlign, published* | not left out | 81.3 ± 0.6 | 70.0 ± 0.1 |",
        "| *CHMR, published* | not left out | 84.7 ± 0.2 | 71.4 ± 0.2 |",
        "| cytomol-five (leaky) | left in | 84.5 (1) | – |",
        "| cytomol-five (cell) | left out | 84.0 ± 1.4 (2) | 72.0 (1) |",
    ]
    assert lines[6].startswith("| *MLP on Morgan, published* | none used |")
    said = "\n".join(lines)
    assert (
        "missing: cytomol-five (leaky) on broad6k; mlp-embedding (leaky) on chembl2k, broad6k; mlp-" in said
    )
    assert "On broad6k the published figures have no counterpart" in said
    fill_tasks(folder, "broad6k", ("cytomol-five", "leaky"), [[0.7, 0.74]])
    assert "no counterpart" not in "\n".join(beside(Rows.read(folder)))


def test_page_says_what_published_figures_it_does_not_have(folder: Path, tmp_path: Path) -> None:
    fill_tasks(folder, "bace", ("forest", ""), [[0.8]])
    write_page(["--results", str(folder), "--out", str(tmp_path / "page.md")])
    text = told(tmp_path / "page.md")
    assert "CHMR is evaluated on OGB's folds of these five sets too" in text
    assert "nobody published" not in text.lower()
    assert "No rows yet of sets with published figures." in text
    assert "No rows yet of sets with several tasks." in text


def test_differences_are_above_zero_where_ours_is_better(folder: Path) -> None:
    fill(
        folder,
        {Job("biogenadme", "cytomol-five", 0, "cell"): 0.36, Job("biogenadme", "forest", 0): 0.5},
        6,
        "mae",
    )
    rows = Rows.read(folder)
    pair = rows.paired("biogenadme", OURS, "forest")
    assert pair is not None
    assert pair.difference == pytest.approx(14, abs=1)
    assert rows.best("biogenadme", rows.labels) == OURS
    assert (rows.target("biogenadme"), rows.target("biogenadme", "cytomol-refit (cell)")) == (38.5, 38.0)


def test_few_tasks_are_decided_by_molecules_not_by_seeds(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], keep: Callable[..., None]
) -> None:
    """Ours is ahead in every seed, but not in every draw of forty molecules; of four hundred it is."""
    assert molecules.main(["--out", str(folder)]) != 0
    fill(folder, {Job("bace", "forest", 0): 0.5})
    assert molecules.main(["--out", str(folder)]) == 2
    assert "no predictions" in capsys.readouterr().err
    (folder / "rows.csv").unlink()
    rng = np.random.default_rng(0)
    for name, size in (("bace", 40), ("bbbp", 400)):
        observed = (rng.random((size, 1)) < 0.5).astype(float)
        noise, more = rng.normal(0, 1, (2, size, 1))
        for seed in range(3):
            keep(folder, Job(name, "cytomol-five", seed, "cell"), "test", observed + noise, observed)
            keep(folder, Job(name, "forest", seed), "test", observed + noise + 0.6 * more, observed)
    assert molecules.main(["--out", str(folder)]) == 0
    table = pd.read_csv(folder / "molecules.csv").set_index("set")
    assert table["molecules"].to_dict() == {"bace": 40, "bbbp": 400}
    assert table.loc["bace", "low"] < 0 < table.loc["bbbp", "low"]
    text = "\n".join(wins(Rows.read(folder)))
    ahead = {
        name: 100
        * (
            part[part["model"] == "cytomol-five"]["score"].mean()
            - part[part["model"] == "forest"]["score"].mean()
        )
        for name, part in read_rows(folder / "rows.csv").groupby("set")
    }
    low, high = (100 * table.loc["bace", end] for end in ("low", "high"))
    assert f"| bace | – | forest ({ahead['bace']:+.1f}; {low:+.1f} to {high:+.1f}) | – | – |" in text
    low, high = (100 * table.loc["bbbp", end] for end in ("low", "high"))
    assert f"| bbbp | forest ({ahead['bbbp']:+.1f}; {low:+.1f} to {high:+.1f}) | – | – | – |" in text


def test_ablation_keeps_apart_what_assays_follow_from(tmp_path: Path) -> None:
    facts = {"method": "chmr", "size": 300, "epochs": 1, "seed": 0}
    for variant in ("eta 0", "eta 1"):  # the second run of a corpus replaces the first
        folder, out = tmp_path / "one", tmp_path / "out" / "ablation.csv"
        (folder / "corpus" / "truth").mkdir(parents=True, exist_ok=True)
        (folder / "rows").mkdir(exist_ok=True)
        truth = pd.DataFrame({"task": ["a", "b"], "driver": ["response", "structure"]})
        truth.to_parquet(folder / "corpus" / "truth" / "assays.parquet")
        pd.DataFrame(
            [
                ("eta", variant, "chmr", 7, "assays", fold, task, "roc_auc", 0.5, 1.0, 1.0, "key")
                for fold in ("valid", "test")
                for task in ("a", "b")
            ],
            columns=list(ABLATION),
        ).to_csv(folder / "rows" / "ablation.csv", index=False)
        ablation.gather(folder, out, facts)
    other = {**facts, "seed": 1}
    ablation.gather(folder, out, other)
    table = pd.read_csv(out)
    assert list(table.columns) == list(ablation.COLUMNS)
    assert list(table["set"]) == ["response assays", "structure assays"] * 2
    assert list(table["seed"]) == [0, 0, 1, 1]
    assert set(table["variant"]) == {"eta 1"}
    assert set(table["fold"]) == {"test"}
    ablation.gather(tmp_path / "absent", out, other)
    pd.testing.assert_frame_equal(pd.read_csv(out), table)


def test_seeds_averaged_are_scored_together_and_other_runs_predictions_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], keep: Callable[..., None]
) -> None:
    assert averaged.main(["--out", str(folder)]) == 2
    rng = np.random.default_rng(0)
    observed = (rng.random((80, 3)) < 0.5).astype(float)
    runs = [1 / (1 + np.exp(-observed - rng.normal(0, 1, observed.shape))) for _ in range(3)]
    for seed, predicted in enumerate(runs):
        keep(folder, Job("sider", "mlp", seed), "test", predicted, observed)
    assert averaged.main(["--out", str(folder)]) == 0
    row = pd.read_csv(folder / "averaged.csv").iloc[0]
    assert (row["set"], row["model"], row["seeds"]) == ("sider", "mlp", 3)
    single = np.mean([roc_auc_score(observed, run, average="macro") for run in runs])
    assert row["single"] == pytest.approx(single, abs=1e-5)
    assert row["averaged"] == pytest.approx(roc_auc_score(observed, np.mean(runs, axis=0)), abs=1e-5)
    assert write_page(["--results", str(folder), "--out", str(tmp_path / "page.md")]) == 0
    line = f"| mlp | {100 * row['single']:.1f} → {100 * row['averaged']:.1f} (3) |"
    assert line in told(tmp_path / "page.md")

    path = folder / "predictions" / f"{Job('sider', 'mlp', 1).stem}.npz"
    with np.load(path) as table:
        np.savez(path, **{**table, "predicted": 1 - table["predicted"]})
    assert averaged.main(["--out", str(folder)]) != 0
    assert "the job's rows say" in capsys.readouterr().err

    keep(folder, Job("sider", "mlp", 1, "other"), "test", runs[1], observed)
    lost = folder / "predictions" / f"{Job('sider', 'mlp', 1, 'other').stem}.npz"
    lost.replace(path)
    assert averaged.main(["--out", str(folder)]) == 0
    lost = folder / "predictions" / f"{Job('sider', 'mlp', 9).stem}.npz"
    lost.write_bytes(path.read_bytes())  # of a job without rows
    assert averaged.main(["--out", str(folder)]) != 0
    assert lost.name in capsys.readouterr().err
