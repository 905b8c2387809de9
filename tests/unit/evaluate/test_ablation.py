"""An ablation on a planted corpus: complete, resumable, and blind to test labels."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from cytomol.corpus.planted import write_planted
from cytomol.errors import ConfigError, InputError, OutputError
from cytomol.evaluate.ablation import Ablation, run_ablation
from cytomol.evaluate.ablation_rows import COLUMNS
from cytomol.evaluate.sets import SetSource
from cytomol.methods.config import CHMRConfig, InfoAlignConfig
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import finetune
from cytomol.progress import Reporter
from cytomol.training.pretrain import pretrain

TINY: dict[str, Any] = {
    "width": 8,
    "layers": 1,
    "morgan_bits": 64,
    "batch_size": 64,
    "epochs": 1,
    "threads": 1,
    "workers": 1,
    "accelerator": "cpu",
}
HEAD = FinetuneConfig(hidden=8, epochs=2, threads=1, accelerator="cpu")
WALKS = ["full", "walk length 0", "walk length 2", "walk length 4", "walk length 8"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 200, seed=2)
    table = pd.read_csv(path / "assays.csv").iloc[:, :3]
    table.to_csv(path / "two.csv", index=False)
    return path


def _ablation(corpus: Path, out: Path, **options: Any) -> Ablation:
    source = SetSource(str(corpus / "two.csv"), split=str(corpus / "split.csv"))
    given: dict[str, Any] = {
        "bases": {"infoalign": InfoAlignConfig.build(TINY)},
        "studies": ("walks",),
        "head": HEAD,
        "exclude": (corpus / "heldout.csv",),
        **options,
    }
    return Ablation(corpus, [source], out, **given)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the list of the options that were pretrained with, filled as it happens."""
    configs: list[Any] = []
    _note(monkeypatch, configs)
    return configs


def _note(patch: pytest.MonkeyPatch, configs: list[Any]) -> None:
    """Note the options that are pretrained with."""

    def noted(corpus: Any, config: Any, out: Path, **options: Any) -> Any:
        configs.append(config)
        return pretrain(corpus, config, out, **options)

    patch.setattr("cytomol.evaluate.ablation.pretrain", noted)


@dataclass(frozen=True)
class Done:
    """A study that nothing interrupted: where it lies, what it gave and said, and what was pretrained."""

    out: Path
    summary: pd.DataFrame
    failures: list[Any]
    said: list[str]
    trained: list[Any]


@pytest.fixture(scope="module")
def done(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Return a study that nothing interrupted."""
    out, said, configs = tmp_path_factory.mktemp("whole") / "deep" / "out", list[str](), list[Any]()
    with pytest.MonkeyPatch.context() as patch:
        _note(patch, configs)
        summary, failures = run_ablation(_ablation(corpus, out), say=said.append)
    return Done(out, summary, failures, said, configs)


@pytest.fixture(scope="module")
def whole(done: Done) -> pd.DataFrame:
    """Return its rows."""
    return pd.read_csv(done.out / "ablation.csv")


def _scores(rows: pd.DataFrame) -> list[Any]:
    return rows.drop(columns=["seconds_pretrain", "seconds_finetune"]).round(6).to_numpy().tolist()


def test_one_file_holds_every_variant_fold_and_task(done: Done) -> None:
    out, said, summary = done.out, done.said, done.summary
    assert done.failures == []
    assert [config.walk_length for config in done.trained] == [4, 0, 2, 8]  # 4 is the full method's
    rows = pd.read_csv(out / "ablation.csv")
    assert tuple(rows.columns) == COLUMNS
    assert list(dict.fromkeys(rows["variant"])) == WALKS
    assert len(rows) == 5 * 2 * 2
    assert rows["score"].between(0, 1).all()
    assert rows["model"].nunique() == 4
    assert list((out / "models").iterdir()) == []  # removed once scored
    assert pd.read_csv(out / "summary.csv")["variant"].tolist() == summary["variant"].tolist()
    same = summary[summary["variant"] == "walk length 4"]
    assert same["difference"].tolist() == [0, 0]
    assert said[3].endswith("s)")
    assert not [line for line in said if line.startswith("warning")]


def test_an_interrupted_ablation_goes_on(
    corpus: Path, tmp_path: Path, trained: list[Any], whole: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, ablation = tmp_path / "out", _ablation(corpus, tmp_path / "out")

    def stopped(*given: Any, **options: Any) -> Any:
        if len(trained) == 3:
            raise KeyboardInterrupt
        return finetune(*given, **options)

    monkeypatch.setattr("cytomol.evaluate.ablation.finetune", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_ablation(ablation)
    assert len(pd.read_csv(out / "ablation.csv")) == 2 * 4
    assert len(list((out / "models").iterdir())) == 1  # pretrained, not yet scored
    monkeypatch.setattr("cytomol.evaluate.ablation.finetune", finetune)
    with pytest.raises(OutputError, match="--resume"):
        run_ablation(ablation)
    run_ablation(ablation, resume=True)
    assert len(trained) == 4
    assert _scores(pd.read_csv(out / "ablation.csv")) == _scores(whole)


def test_an_interrupted_pretraining_goes_on(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = InfoAlignConfig.build({**TINY, "epochs": 3})
    options: dict[str, Any] = {"bases": {"infoalign": base}, "studies": ("minimality",)}
    plain, said, signals = Reporter.say, list[str](), [signal.SIGINT]

    def say(self: Reporter, text: str) -> None:
        said.append(text)
        if text.startswith("epoch 2/") and signals:
            signal.raise_signal(signals.pop())
        plain(self, text)

    monkeypatch.setattr(Reporter, "say", say)
    with pytest.raises(KeyboardInterrupt):
        run_ablation(_ablation(corpus, tmp_path / "out", **options))
    (partial,) = (tmp_path / "out" / "models").iterdir()
    assert partial.name.endswith(".partial")
    run_ablation(_ablation(corpus, tmp_path / "out", **options), resume=True)
    assert any(text.startswith("resumed after epoch 2") for text in said)
    monkeypatch.setattr(Reporter, "say", plain)
    run_ablation(_ablation(corpus, tmp_path / "whole", **options))
    tables = [pd.read_csv(tmp_path / name / "ablation.csv") for name in ("out", "whole")]
    assert _scores(tables[0]) == _scores(tables[1])


def test_more_seeds_and_studies_extend_what_is_there(
    corpus: Path, tmp_path: Path, trained: list[Any]
) -> None:
    ablation = _ablation(corpus, tmp_path / "out", keep_models=True)
    run_ablation(ablation)
    summary, _ = run_ablation(replace(ablation, seeds=2, studies=("walks", "minimality")), resume=True)
    assert len(trained) == 4 + 4 + 4 * 2  # walks of the second seed; beta without the full method's
    assert summary["seeds"].tolist() == [2] * len(summary)
    assert summary["std"].notna().all()
    assert {config.seed for config in trained} == {0, 1}
    assert len(list((tmp_path / "out" / "models").iterdir())) == 16


def test_resumed_with_something_else(corpus: Path, tmp_path: Path) -> None:
    ablation = _ablation(corpus, tmp_path / "out", studies=("minimality",))
    run_ablation(ablation)
    changed: dict[str, dict[str, Any]] = {
        "head": {"head": HEAD.updated(hidden=16)},
        "options": {"bases": {"infoalign": InfoAlignConfig.build({**TINY, "lr": 1e-3})}},
        "exclude": {"exclude": (corpus / "two.csv",)},
        "exclude_relations": {"exclude_relations": False},
    }
    for name, options in changed.items():
        with pytest.raises(ConfigError, match=f"other {name} than"):
            run_ablation(replace(ablation, **options), resume=True)
    machine = InfoAlignConfig.build({**TINY, "logger": "none"})
    assert run_ablation(replace(ablation, bases={"infoalign": machine}), resume=True)[1] == []


def test_test_labels_reach_the_scores_alone(corpus: Path, tmp_path: Path, whole: pd.DataFrame) -> None:
    table = pd.read_csv(corpus / "two.csv")
    test = pd.read_csv(corpus / "split.csv")["fold"].to_numpy() == "test"
    for task in table.columns[1:]:
        table.loc[test, task] = 1 - table.loc[test, task]
    table.to_csv(tmp_path / "two.csv", index=False)
    source = SetSource(str(tmp_path / "two.csv"), split=str(corpus / "split.csv"))
    run_ablation(replace(_ablation(corpus, tmp_path / "out"), sources=[source]))
    other = pd.read_csv(tmp_path / "out" / "ablation.csv")
    valid = whole["fold"] == "valid"
    assert _scores(other[valid]) == _scores(whole[valid])
    np.testing.assert_allclose(other["score"][~valid], 1 - whole["score"][~valid], atol=1e-9)


def test_a_variant_that_fails_is_told_and_the_others_go_on(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[str]()

    def failing(corpus: Any, config: Any, out: Path, **options: Any) -> Any:
        if config.walk_length == 2:
            raise InputError("no path")
        return pretrain(corpus, config, out, **options)

    monkeypatch.setattr("cytomol.evaluate.ablation.pretrain", failing)
    ablation = _ablation(corpus, tmp_path / "out", exclude=())
    summary, failures = run_ablation(ablation, say=said.append)
    assert [(str(f.variant), f.seed, f.reason) for f in failures] == [
        ("infoalign walks: walk length 2", 0, "no path")
    ]
    assert list(dict.fromkeys(summary["variant"])) == [name for name in WALKS if name != "walk length 2"]
    assert said[0].startswith("warning: no molecule's profiles are left out")
    assert any("FAILED: no path" in line for line in said)
    monkeypatch.setattr("cytomol.evaluate.ablation.pretrain", pretrain)
    assert run_ablation(ablation, resume=True)[1] == []


def test_both_methods_share_a_folder(corpus: Path, tmp_path: Path) -> None:
    bases = {
        "chmr": CHMRConfig.build({**TINY, "views": ("1d",), "depth": 2, "modalities": ("morphology",)}),
        "infoalign": InfoAlignConfig.build(TINY),
    }
    summary, failures = run_ablation(
        _ablation(corpus, tmp_path / "out", bases=bases, studies=("table2", "minimality"))
    )
    assert failures == []
    assert summary.groupby("method")["variant"].nunique().to_dict() == {"chmr": 15, "infoalign": 6}
    alone = summary[summary["variant"] == "only morphology"]
    assert alone["difference"].tolist() == [0, 0]  # all there is: not pretrained twice


def test_what_cannot_be_is_said_before_any_work(corpus: Path, tmp_path: Path, trained: list[Any]) -> None:
    out = tmp_path / "out"
    ablation = _ablation(corpus, out)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"studies": ("colour",)}, "unknown study"),
        ({"head": HEAD.updated(unfreeze="all")}, "frozen backbones"),
        ({"bases": {"infoalign": InfoAlignConfig.build({**TINY, "modalities": ("smell",)})}}, "no modality"),
        ({"sources": [*ablation.sources, *ablation.sources]}, "different names"),
        ({"exclude": (tmp_path / "absent.csv",)}, "not found"),
    ]
    for options, message in wrong:
        with pytest.raises((ConfigError, InputError), match=message):
            run_ablation(replace(ablation, **options))
    with pytest.raises(OutputError, match="no ablation to resume"):
        run_ablation(ablation, resume=True)
    assert not out.exists()
    out.mkdir()
    with FileLock(out / ".lock"), pytest.raises(OutputError, match="another ablation is at work"):
        run_ablation(ablation)
    (out / "thesis.doc").write_text("x")
    with pytest.raises(OutputError, match=r"thesis.doc.*no ablation made"):
        run_ablation(ablation, force=True)
    assert (out / "thesis.doc").exists()
    assert trained == []
