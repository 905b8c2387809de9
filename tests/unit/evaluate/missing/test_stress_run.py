"""A stress test on a planted corpus: honest, complete and resumable; and what models are given in use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import TrainedModality
from cytomol.cells.space import CellSpace
from cytomol.corpus import Corpus, read_corpus
from cytomol.corpus.lift import mean_by_row
from cytomol.corpus.planted import write_planted
from cytomol.errors import ConfigError, InputError
from cytomol.evaluate.missing.fillings import fillings_of
from cytomol.evaluate.missing.given_profiles import GivenProfiles
from cytomol.evaluate.missing.stress_inputs import StressInputs
from cytomol.evaluate.missing.stress_rows import COLUMNS
from cytomol.evaluate.missing.stress_run import MissingStress, run_missing_stress
from cytomol.evaluate.sets import SetSource
from cytomol.methods.config import CHMRConfig, ContrastiveConfig, InfoAlignConfig
from cytomol.training.dataset.exclude import connectivity_blocks
from cytomol.training.dataset.profile_inputs import ProfileInput
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
BASE = CHMRConfig.build({**TINY, "views": ("1d",), "depth": 2, "validation_fraction": 0.0})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 200, seed=2)
    pd.read_csv(path / "assays.csv").iloc[:, :3].to_csv(path / "two.csv", index=False)
    return path


def _stress(corpus: Path, out: Path, **options: Any) -> MissingStress:
    given: dict[str, Any] = {
        "sources": [SetSource(str(corpus / "two.csv"), split=str(corpus / "split.csv"))],
        "fillings": ("mean", "propagation-held-out"),
        "rates": (0.0, 0.5, 1.0),
        "plates": corpus / "truth" / "plates",
        **options,
    }
    return MissingStress(corpus, out, "chmr", BASE, **given)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Corpus]:
    """Return the list of the corpora that were pretrained on, filled as it happens."""
    seen: list[Corpus] = []

    def noted(corpus: Corpus, *given: Any, **options: Any) -> Any:
        seen.append(corpus)
        return pretrain(corpus, *given, **options)

    monkeypatch.setattr("cytomol.evaluate.missing.stress_run.pretrain", noted)
    return seen


@pytest.fixture(scope="module")
def whole(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Return the rows of a run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "out"
    _, failures = run_missing_stress(_stress(corpus, out, patterns=("random", "plate")))
    assert failures == []
    return pd.read_csv(out / "missing.csv")


def test_every_point_has_its_rows_and_every_score_is_a_number(whole: pd.DataFrame) -> None:
    assert tuple(whole.columns) == COLUMNS
    assert np.isfinite(whole["score"]).all()
    points = whole.groupby(["place", "pattern", "rate", "filling"]).size()
    assert len(points) == 2 * 2 * 3 * 2
    assert set(whole["measure"]) == {"matching", "imputation", "downstream"}
    assert whole[whole["rate"] == 0.5]["share"].between(0.2, 0.8).all()
    scored = whole[whole["measure"] != "downstream"]
    assert (scored["low"] <= scored["score"] + 1e-6).all()
    assert (scored["score"] <= scored["high"] + 1e-6).all()


def test_a_model_that_saw_no_profile_knows_nothing(whole: pd.DataFrame) -> None:
    blind = whole[(whole["place"] == "pretraining") & (whole["rate"] == 1.0)]
    matching, imputation = (blind[blind["measure"] == name] for name in ("matching", "imputation"))
    np.testing.assert_allclose(matching["score"], matching["chance"], rtol=1e-4)
    assert (imputation["score"] == 0).all()
    assert len(matching)
    assert len(imputation)


def test_the_mean_of_all_profiles_matches_by_chance_in_use(whole: pd.DataFrame) -> None:
    use = whole[(whole["place"] == "use") & (whole["rate"] == 1.0) & (whole["measure"] == "matching")]
    mean = use[(use["filling"] == "mean") & (use["task"] == "molecule to stand-in")]
    assert len(mean)
    np.testing.assert_allclose(mean["score"], mean["chance"], rtol=1e-4)


def test_nothing_that_is_asked_about_was_learnt_from(
    corpus: Path, tmp_path: Path, trained: list[Corpus]
) -> None:
    stress = _stress(corpus, tmp_path / "out", rates=(0.0, 0.5), fillings=("zero",), places=("pretraining",))
    run_missing_stress(stress)
    assay = pd.read_csv(corpus / "split.csv")["fold"].to_numpy() != "train"
    tested = set(pd.read_csv(corpus / "assays.csv")["smiles"][assay])
    sizes = []
    for seen in trained:
        blocks = np.array(connectivity_blocks(seen))
        listed = set(blocks[np.isin(seen.smiles, sorted(tested))])
        for modality in seen.modalities.values():
            if modality.entity == "molecule":
                assert not listed & set(blocks[modality.rows])
        sizes.append(len(seen.modalities["morphology"]))
    assert sizes[1] == pytest.approx(sizes[0] / 2, abs=1)


def test_an_interrupted_run_goes_on(
    corpus: Path, tmp_path: Path, whole: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    stress = _stress(corpus, tmp_path / "out", plates=None)
    calls = 0

    def stopped(*given: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return pretrain(*given, **options)

    monkeypatch.setattr("cytomol.evaluate.missing.stress_run.pretrain", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_missing_stress(stress)
    before = pd.read_csv(tmp_path / "out" / "missing.csv")
    assert before[["rate", "filling"]].drop_duplicates().to_numpy().tolist() == [
        [0.0, "mean"],
        [0.0, "propagation-held-out"],
        [0.5, "mean"],
    ]
    monkeypatch.setattr("cytomol.evaluate.missing.stress_run.pretrain", pretrain)
    run_missing_stress(stress, resume=True)
    # more was asked for: what is there stays, and equal profiles are not learnt from twice
    said = list[str]()
    more = replace(stress, patterns=("random", "plate"), plates=corpus / "truth" / "plates")
    run_missing_stress(more, resume=True, say=said.append)
    assert sum("as another point with the same profiles" in line for line in said) == 4
    again = pd.read_csv(tmp_path / "out" / "missing.csv")
    assert list((tmp_path / "out" / "models").iterdir()) == []
    keys = [name for name in COLUMNS if name not in {"seconds", "score", "low", "high"}]
    both = again.merge(whole, on=keys, suffixes=("", "_whole"))
    assert len(both) == len(whole) == len(again)
    np.testing.assert_allclose(both["score"], both["score_whole"], rtol=1e-5)


def test_a_rate_of_many_digits_is_known_again(corpus: Path, tmp_path: Path, trained: list[Corpus]) -> None:
    only: dict[str, Any] = {"sources": (), "fillings": ("zero",), "places": ("pretraining",)}
    stress = _stress(corpus, tmp_path / "out", rates=(1 / 3,), **only)
    first, _ = run_missing_stress(stress)
    again, _ = run_missing_stress(stress, resume=True)
    assert len(trained) == 1
    pd.testing.assert_frame_equal(first, again)


def test_a_method_that_reads_no_profiles_in_use(corpus: Path, tmp_path: Path) -> None:
    said = list[str]()
    stress = _stress(corpus, tmp_path / "out", fillings=None, rates=(1.0,), sources=())
    base = InfoAlignConfig.build(TINY)
    summary, failures = run_missing_stress(replace(stress, method="infoalign", base=base), say=said.append)
    assert failures == []
    assert set(summary["filling"]) == {"none"}
    assert set(summary["place"]) == {"pretraining"}
    assert "the model reads no profiles where it is used" in said[-1]


def test_a_method_that_fills_nothing_is_given_the_mean_in_use(corpus: Path, tmp_path: Path) -> None:
    stress = _stress(corpus, tmp_path / "out", fillings=None, rates=(0.0, 1.0), sources=(), places=("use",))
    base = ContrastiveConfig.build({**TINY, "views": ("1d",), "hidden": 8})
    summary, failures = run_missing_stress(replace(stress, method="contrastive", base=base))
    assert failures == []
    assert set(summary["filling"]) == {"none"}
    blind = summary[(summary["rate"] == 1) & (summary["task"] == "molecule to stand-in")]
    assert len(blind) == 4
    np.testing.assert_allclose(blind["score"], blind["chance"], rtol=1e-4)


def test_what_fails_is_told_and_the_others_go_on(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(corpus: Corpus, config: Any, *given: Any, **options: Any) -> Any:
        if config.augmentation == "mean":
            raise InputError("no path")
        return pretrain(corpus, config, *given, **options)

    monkeypatch.setattr("cytomol.evaluate.missing.stress_run.pretrain", failing)
    stress = _stress(corpus, tmp_path / "out", rates=(0.5,), places=("pretraining",), sources=())
    summary, failures = run_missing_stress(stress)
    assert [(failure.job.filling, failure.reason) for failure in failures] == [("mean", "no path")]
    assert set(summary["filling"]) == {"propagation-held-out"}


def test_what_cannot_be_is_said_before_any_work(corpus: Path, tmp_path: Path, trained: list[Corpus]) -> None:
    stress = _stress(corpus, tmp_path / "out")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"base": BASE.updated(target_spaces="pooled")}, "pooled modalities"),
        ({"rates": (0.5, 1.5)}, "a rate of 1.5"),
        ({"places": ("kitchen",)}, "nothing is hidden in 'kitchen'"),
        ({"fillings": ("gold",)}, "unknown filling"),
        ({"patterns": ("colour",)}, "unknown pattern"),
        ({"plates": None, "patterns": ("plate",)}, "on which plates"),
        ({"hidden": ("smell",)}, "no modality 'smell'"),
        ({"sources": [*stress.sources, *stress.sources]}, "different names"),
        ({"held_out": (tmp_path / "absent.csv",)}, "not found"),
    ]
    for options, message in wrong:
        with pytest.raises((ConfigError, InputError), match=message):
            run_missing_stress(replace(stress, **options))
    assert trained == []
    assert not (tmp_path / "out").exists()


def test_a_corpus_without_profiles_is_refused(corpus: Path) -> None:
    bare = read_corpus(corpus).select([])
    with pytest.raises(InputError, match="0 profiles of molecules to learn from"):
        StressInputs.build(bare, [], {}, [])


@pytest.mark.parametrize("filling", ["zero", "mean", "neighbour", "propagation-held-out"])
def test_what_a_model_is_given_in_use(corpus: Path, tmp_path: Path, filling: str) -> None:
    """Given profiles as they are projected anywhere; the others by hand from those that are given."""
    inputs = StressInputs.build(read_corpus(corpus), [], {}, [])
    config = fillings_of(BASE.updated(decode_from="modality"), [filling])[filling]
    pretrain(inputs.learnt.corpus, config, tmp_path / "model", method="chmr", quiet=True)
    backbone = Backbone.load(tmp_path / "model")
    given, name = GivenProfiles(backbone, inputs.corpus.smiles), "morphology"
    asked = inputs.asked[name]
    learnt = mean_by_row(inputs.learnt.corpus.modalities[name])
    shown = mean_by_row(inputs.kept_back.corpus.modalities[name])

    def table(step: int | None) -> ProfileInput:
        extra = (part[:0] if step is None else part[::step] for part in shown)
        rows, values = (np.concatenate(pair) for pair in zip(learnt, extra, strict=True))
        order = np.argsort(rows)
        return given.table(name, rows[order], values[order])

    every = given.projected(name, table(1), asked.rows)
    space = CellSpace.of(TrainedModality(backbone, name))
    complete = ~np.isnan(asked.values).any(axis=1)
    unit = every / np.linalg.norm(every, axis=1, keepdims=True)
    np.testing.assert_allclose(unit[complete], space.profiles(asked.values)[complete], atol=1e-4)

    half = table(2)
    some, kept = given.projected(name, half, asked.rows), half.measured.position[asked.rows] >= 0
    assert 0 < kept.sum() < len(kept)
    np.testing.assert_allclose(some[kept & complete], every[kept & complete], atol=1e-4)
    if filling in {"zero", "mean"}:
        assert len(np.unique(some[~kept].round(4), axis=0)) == 1
    if filling == "neighbour":
        bits = np.unpackbits(np.asarray(backbone.store(inputs.corpus.smiles).blocks["morgan"]), axis=1)
        row = int(asked.rows[~kept][0])
        shared = (bits[row] & bits).sum(axis=1) / np.maximum((bits[row] | bits).sum(axis=1), 1)
        shared[row] = -1
        nearest = np.argsort(-shared, kind="stable")[: config.neighbours]
        known = nearest[half.measured.position[nearest] >= 0]
        if (
            len(known) and np.sort(shared)[::-1][config.neighbours] < shared[nearest[-1]]
        ):  # no tie at the edge
            by_hand = half.measured.gather(known, half.placeholder)[0].mean(axis=0)
            with torch.inference_mode():
                expected = backbone.method.project(name, torch.from_numpy(by_hand[None])).numpy()
            np.testing.assert_allclose(some[~kept][:1], expected, atol=1e-4)
    # profiles that are given spread too
    if filling in {"neighbour", "propagation-held-out"}:
        none = given.projected(name, table(None), asked.rows)
        assert not np.allclose(some[~kept], none[~kept], atol=1e-3)

    outside = given.projected(name, half, np.array([-1, -1]))
    assert np.isfinite(outside).all()
    assert np.array_equal(outside[0], outside[1])
    assert given.decodes(name)
    store = backbone.store([inputs.corpus.smiles[row] for row in asked.rows])
    decoded = given.decoded(name, half, asked.rows, store)
    assert decoded.shape == np.shape(asked.values)
    assert np.isfinite(decoded).all()
    whole = given.decoded(name, table(1), asked.rows, store)
    near = {"rtol": 1e-2, "atol": 1e-2 * float(np.nanstd(asked.values))}
    np.testing.assert_allclose(decoded[kept & complete], whole[kept & complete], **near)


def test_profiles_that_are_given_and_stand_ins_are_scored_apart(whole: pd.DataFrame) -> None:
    use = whole[(whole["place"] == "use") & (whole["measure"] == "matching")]
    by_rate = {rate: set(part["task"]) for rate, part in use.groupby("rate")}
    given = {"molecule to profile", "profile to molecule"}
    stand_ins = {"molecule to stand-in", "stand-in to molecule"}
    assert by_rate == {0.0: given, 0.5: given | stand_ins, 1.0: stand_ins}
    half = use[(use["rate"] == 0.5) & (use["metric"] == "mrr") & (use["filling"] == "mean")]
    full = use[(use["rate"] == 0.0) & (use["metric"] == "mrr") & (use["filling"] == "mean")]
    numbers = [part.drop_duplicates(["pattern", "on", "task"])["n"].sum() for part in (half, full)]
    assert numbers[0] == numbers[1]  # every molecule is asked about once, one way or the other
