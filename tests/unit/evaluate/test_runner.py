"""Jobs in processes of their own: rows, crashes, resuming, and what is refused before any work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from cytomol.assays.metrics import roc_auc
from cytomol.errors import ConfigError, InputError, OutputError
from cytomol.evaluate.coverage import read_coverage
from cytomol.evaluate.memory import peak_mb
from cytomol.evaluate.rows import Job, RowFile, read_rows
from cytomol.evaluate.runner import Benchmark, Failure, run_benchmark
from cytomol.evaluate.sets import SetSource


@pytest.fixture
def benchmark_(assays: Path, plugin: str, tmp_path: Path) -> Benchmark:
    return Benchmark(
        out=tmp_path / "out",
        sources=[SetSource(str(assays), split_col="part")],
        models=["toy-mean"],
        seeds=(0, 1),
        jobs=2,
        plugins=(plugin,),
    )


@dataclass(frozen=True)
class Ran:
    """A benchmark that has run: what it said, and what failed."""

    benchmark: Benchmark
    said: list[str]
    failures: list[Failure]

    def copy(self, folder: Path, **changes: Any) -> Benchmark:
        """Return the benchmark with a copy of its results, to go on with."""
        shutil.copytree(self.benchmark.out, folder / "out")
        return replace(self.benchmark, out=folder / "out", **changes)


def ran(benchmark: Benchmark) -> Ran:
    said: list[str] = []
    return Ran(benchmark, said, run_benchmark(benchmark, say=said.append))


@pytest.fixture(scope="module")
def table(assay_table: pd.DataFrame) -> pd.DataFrame:
    """Return the assays with the invalid molecule among the test rows."""
    assert assay_table["smiles"][7] == "not a molecule"
    return assay_table.assign(part=assay_table["part"].where(assay_table.index != 7, "test"))


@pytest.fixture(scope="module")
def plain(table: pd.DataFrame, plugin: str, tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    """Return a benchmark of one model and one seed, which has not run."""
    folder = tmp_path_factory.mktemp("benchmark")
    table.to_csv(folder / "toy.csv", index=False)
    source = SetSource(str(folder / "toy.csv"), split_col="part")
    return Benchmark(folder / "plain", [source], ["toy-mean"], seeds=(0,), jobs=2, plugins=(plugin,))


@pytest.fixture(scope="module")
def done(plain: Benchmark) -> Ran:
    """Return one that ran well, two seeds of a model."""
    out = plain.out.with_name("done")
    return ran(replace(plain, out=out, seeds=(0, 1), threads=3, keep_predictions=True))


@pytest.fixture(scope="module")
def failed(plain: Benchmark) -> Ran:
    """Return one of which most jobs failed."""
    models = ["toy-crash", "toy-refuse", "toy-bug", "toy-mean"]
    return ran(replace(plain, out=plain.out.with_name("failed"), models=models))


def test_rows_details_and_predictions(done: Ran, table: pd.DataFrame) -> None:
    out = done.benchmark.out
    assert done.failures == []
    assert len(done.said) == 2
    rows = read_rows(out / "rows.csv")
    assert len(rows) == 2 * 2 * 2
    assert set(rows["fold"]) == {"valid", "test"}
    assert (rows[["seconds_fit", "seconds_predict", "peak_mb"]] >= 0).all().all()
    test = rows[(rows["fold"] == "test") & (rows["seed"] == 1) & (rows["task"] == "aromatic")].iloc[0]
    measured = table[(table["part"] == "test") & table["aromatic"].notna() & (table.index != 7)]
    assert test["n"] == len(measured)
    assert test["positives"] == measured["aromatic"].sum()
    with np.load(out / "predictions" / "toy.toy-mean..1.npz") as kept:
        assert (table["part"][kept["index"]] == kept["fold"]).all()
        np.testing.assert_array_equal(kept["observed"], table[kept["tasks"]].to_numpy()[kept["index"]])
        chosen = (kept["fold"] == "test") & ~np.isnan(kept["observed"][:, 1]) & (kept["index"] != 7)
        score = roc_auc(kept["observed"][chosen, 1], kept["predicted"][chosen, 1])
        predicted = kept["predicted"]
    assert test["score"] == pytest.approx(score)
    with np.load(out / "predictions" / "toy.toy-mean..0.npz") as other:  # of another seed
        valid = other["index"] != 7
        assert (other["predicted"] != predicted)[valid].all()
    details = json.loads((out / "details" / "toy.toy-mean..1.json").read_text())
    assert details["seed"] == 1
    assert isinstance(details["details"], dict)


def test_a_row_that_is_no_molecule_is_not_scored(done: Ran, table: pd.DataFrame) -> None:
    rows = read_rows(done.benchmark.out / "rows.csv").query("fold == 'test' and task == 'nitrogen'")
    assert set(rows["n"]) == {(table["part"] == "test").sum() - 1}
    with np.load(done.benchmark.out / "predictions" / "toy.toy-mean..0.npz") as kept:
        assert kept["index"][np.isnan(kept["predicted"]).all(axis=1)].tolist() == [7]


def test_threads_of_a_job(done: Ran) -> None:
    assert "with 3 threads" in (done.benchmark.out / "logs" / "toy.toy-mean..0.log").read_text()


def test_coverage_of_the_test_rows_stands_beside_the_scores(done: Ran) -> None:
    rows = read_rows(done.benchmark.out / "rows.csv")
    coverage = read_coverage(done.benchmark.out / "coverage.csv")
    assert sorted(zip(coverage["seed"], coverage["coverage"], strict=True)) == [
        (seed, stated) for seed in (0, 1) for stated in (0.8, 0.9)
    ]
    test = rows[(rows["fold"] == "test") & (rows["seed"] == 0)]
    assert (coverage["n"] == test["n"].sum()).all()
    assert coverage["covered"].between(0, 1).all()
    assert coverage["spread_correlation"].isna().all()  # one member has no spread


@pytest.mark.usefixtures("in_this_process")
def test_a_model_fitted_on_the_way_to_another_is_not_fitted_again(benchmark_: Benchmark) -> None:
    alone = replace(benchmark_, models=["toy-stack"], seeds=(0,), threads=1)
    both = replace(alone, out=alone.out.with_name("both"), models=["toy-stack", "toy-stack-refit"])
    said: list[str] = []
    kept = {"keep_predictions": True}
    assert run_benchmark(replace(alone, **kept)) == []
    assert run_benchmark(replace(both, **kept), say=said.append) == []
    assert [text.split(":")[0] for text in said] == ["[1/1] toy toy-stack-refit seed 0"]
    rows, other = (read_rows(b.out / "rows.csv") for b in (alone, both))
    assert list(other["model"].unique()) == ["toy-stack", "toy-stack-refit"]
    own = other[other["model"] == "toy-stack"].reset_index(drop=True)
    same = ["set", "model", "seed", "fold", "task", "score", "n"]
    pd.testing.assert_frame_equal(rows[same], own[same])
    refit = other[other["model"] == "toy-stack-refit"]
    assert own["seconds_fit"].iloc[0] < refit["seconds_fit"].iloc[0]
    name = "toy.toy-stack..0.npz"
    with np.load(alone.out / "predictions" / name) as one, np.load(both.out / "predictions" / name) as two:
        np.testing.assert_array_equal(one["predicted"], two["predicted"])
    columns = ["model", "coverage", "covered", "size"]
    one, two = (read_coverage(b.out / "coverage.csv") for b in (alone, both))
    pd.testing.assert_frame_equal(
        one[columns], two[two["model"] == "toy-stack"].reset_index(drop=True)[columns]
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_failures_are_told_and_the_others_go_on(failed: Ran) -> None:
    reasons = {failure.job.model: failure for failure in failed.failures}
    assert set(reasons) == {"toy-crash", "toy-refuse", "toy-bug"}
    assert "killed by signal 9, perhaps for lack of memory" in reasons["toy-crash"].reason
    assert reasons["toy-refuse"].reason == "cannot learn this"
    assert reasons["toy-bug"].reason == "exit status 1; ZeroDivisionError: a bug"
    assert "Traceback" in reasons["toy-bug"].log.read_text()
    assert read_rows(failed.benchmark.out / "rows.csv")["model"].unique().tolist() == ["toy-mean"]
    assert sum("FAILED" in line for line in failed.said) == 3


@pytest.mark.usefixtures("in_this_process")
def test_resume_runs_what_is_missing(failed: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = failed.copy(tmp_path, models=["toy-mean", "toy-crash"], coverage=False)
    rows = both.out / "rows.csv"
    before = rows.read_bytes()
    rows.write_bytes(before + b"toy,toy-crash,0,va")  # and the runner was killed while it wrote
    monkeypatch.setenv("TOY_CALM", "1")
    said: list[str] = []
    assert run_benchmark(both, resume=True, say=said.append) == []
    assert said[0].startswith("the last row was cut off")
    assert said[1] == "1 of 2 jobs is done already"
    assert rows.read_bytes().startswith(before)
    assert set(RowFile(rows).jobs().values()) == {4}
    assert run_benchmark(both, resume=True) == []
    assert len(read_rows(rows)) == 8
    assert set(read_coverage(both.out / "coverage.csv")["model"]) == {"toy-mean"}  # the other was not asked


def test_variants_stand_beside_each_other_and_the_peak_of_memory_is_that_of_the_job(
    done: Ran, tmp_path: Path
) -> None:
    ballast = np.ones(100_000_000)  # of this process, so of no job
    more = done.copy(tmp_path, models=["toy-mean", "toy-hungry"], seeds=(0,), variant="again")
    run_benchmark(more, resume=True)
    assert set(RowFile(more.out / "rows.csv").jobs()) == {
        Job("toy", "toy-mean", 0),
        Job("toy", "toy-mean", 1),
        Job("toy", "toy-mean", 0, "again"),
        Job("toy", "toy-hungry", 0, "again"),
    }
    peaks = read_rows(more.out / "rows.csv").groupby("model")["peak_mb"].max()
    # What scoring loads after the fit adds to the peak of the modest one alone: up to a hundred MB.
    assert peaks["toy-hungry"] - peaks["toy-mean"] == pytest.approx(250, abs=110)
    assert peaks["toy-mean"] < ballast.nbytes / 1e6


def test_peak_of_this_process() -> None:
    before = peak_mb()
    block = np.ones(30_000_000)
    assert peak_mb() >= max(before, block.nbytes / 1e6)


@pytest.mark.usefixtures("in_this_process")
def test_existing_results(done: Ran, tmp_path: Path) -> None:
    one = done.copy(tmp_path)
    with pytest.raises(OutputError, match="--resume to go on"):
        run_benchmark(one)
    with pytest.raises(ConfigError, match="use one of them"):
        run_benchmark(one, resume=True, force=True)
    with pytest.raises(ConfigError, match="unknown model"):
        run_benchmark(replace(one, models=["none"]), force=True)
    assert len(read_rows(one.out / "rows.csv")) == 8  # a mistake costs no results
    (one.out / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=r"thesis\.tex"):
        run_benchmark(one, force=True)
    (one.out / "thesis.tex").unlink()
    assert run_benchmark(replace(one, seeds=(5,)), force=True) == []
    assert read_rows(one.out / "rows.csv")["seed"].unique().tolist() == [5]


def test_refused_before_any_work(benchmark_: Benchmark, assays: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown model 'forrest'.*toy-mean"):
        run_benchmark(replace(benchmark_, models=["toy-mean", "forrest"]))
    with pytest.raises(ConfigError, match="two sets are called 'toy'"):
        run_benchmark(replace(benchmark_, sources=[SetSource(str(assays))] * 2))
    with pytest.raises(ConfigError, match="file name"):
        run_benchmark(replace(benchmark_, variant="a/b"))
    with pytest.raises(InputError, match="not found"):
        run_benchmark(replace(benchmark_, sources=[SetSource(str(tmp_path / "none.csv"))]))
    with pytest.raises(ConfigError, match=r"'mlp-embedding' reads the embedding.*--backbone"):
        run_benchmark(replace(benchmark_, models=["mlp-embedding"]))
    assert not benchmark_.out.exists()


@pytest.mark.usefixtures("in_this_process")
def test_an_encoder_is_read_by_the_models_that_read_vectors(
    assay_table: pd.DataFrame, tmp_path: Path
) -> None:
    """What no structure tells, the vectors do; a model of fingerprints alone runs beside it, as it is."""
    valid = assay_table[assay_table.index != 7].reset_index(drop=True)
    chance = np.random.default_rng(0).permutation(np.resize([0.0, 1.0], len(valid)))
    valid[["smiles", "part"]].assign(tails=chance).to_csv(tmp_path / "toy.csv", index=False)
    vectors = pd.DataFrame(np.tile(chance[:, None], 300) + np.linspace(0, 0.1, 300)).add_prefix("v")
    vectors.assign(smiles=valid["smiles"]).to_csv(tmp_path / "vectors.csv", index=False)
    source = SetSource(str(tmp_path / "toy.csv"), split_col="part")
    given = Benchmark(tmp_path / "out", [source], ["extra-trees", "neighbours"], (0,), coverage=False)
    one = replace(given, encoders=(f"file:{tmp_path / 'vectors.csv'}",), variant="vectors")
    said: list[str] = []
    assert run_benchmark(one, say=said.append) == []
    assert run_benchmark(given, resume=True) == []
    rows = read_rows(tmp_path / "out" / "rows.csv").query("fold == 'test'")
    scores = rows.set_index(["model", "variant"])["score"]
    assert scores["extra-trees", "vectors"] == 1
    assert scores["extra-trees", ""] < 0.9
    assert scores["neighbours", "vectors"] == scores["neighbours", ""]
    assert any(line.startswith("what it may have seen: ") for line in said)
    assert "without the encoder, since they read no vectors: neighbours" in said


def test_encoders_are_refused_before_any_work(benchmark_: Benchmark) -> None:
    with pytest.raises(ConfigError, match=r"toy-mean none reads.*leave --encoder out"):
        run_benchmark(replace(benchmark_, encoders=("minimol",)))
    with pytest.raises(ConfigError, match="unknown encoder 'nothing'"):
        run_benchmark(replace(benchmark_, models=["forest"], encoders=("nothing",)))
    with pytest.raises(InputError, match="absent"):
        run_benchmark(replace(benchmark_, models=["forest"], encoders=("file:absent.csv",)))
    assert not benchmark_.out.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not say that a parent is gone")
def test_no_job_outlives_a_runner_that_is_killed(benchmark_: Benchmark, assays: Path) -> None:
    words = [sys.executable, "-m", "cytomol", "benchmark", assays, "--split-col", "part", "--seeds", "1"]
    words += ["--models", "toy-sleep", "--plugin", benchmark_.plugins[0], "-o", benchmark_.out]
    runner = subprocess.Popen(list(map(str, words)), stderr=subprocess.DEVNULL)
    log = benchmark_.out / "logs" / "toy.toy-sleep..0.log"
    _wait_for(lambda: log.exists() and "pid" in log.read_text())
    job = int(log.read_text().split()[-1])
    assert psutil.pid_exists(job)
    runner.kill()
    runner.wait()
    _wait_for(lambda: not psutil.pid_exists(job))


def _wait_for(condition: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
