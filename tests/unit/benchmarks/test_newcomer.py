"""The newcomer's experiment: what is drawn, who is asked on which molecules, and what the page says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.newcomer import __main__ as newcomer
from benchmarks.newcomer import experiment
from benchmarks.newcomer.experiment import DEFAULT, PEER, Answer, Draw, rounds
from benchmarks.newcomer.page import lines
from benchmarks.newcomer.rows import add, models_of, read
from numpy.typing import NDArray

from cytomol.assays.labels import Labels
from cytomol.evaluate.peers.base import Peer, PeerResult
from cytomol.evaluate.sets import BenchmarkSet
from cytomol.predict.finetune import FinetuneResult, finetune

RINGS = ("c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNCC1", "c1ccsc1", "C1CCOC1", "c1ccoc1", "C1CCCC1")
SMILES = ["C" * n + ring for ring in RINGS for n in range(1, 9)]


class Blunt(Peer):
    """Answers the mean of what it may learn from."""

    name = PEER
    asked: list[BenchmarkSet]

    def __init__(self) -> None:
        self.asked = []

    def require(self) -> Path:
        return Path("blunt")

    def run(
        self, data: BenchmarkSet, rows: NDArray[np.int64], *, seed: int, threads: int, folder: Path
    ) -> PeerResult:
        assert folder.is_dir()
        assert (data.folds[rows] == "test").all()
        self.asked.append(data)
        mean = np.nanmean(data.training_labels().matrix)
        return PeerResult(np.full((len(rows), 1), mean), 2.0, 1.0, {})


@pytest.fixture
def whole() -> BenchmarkSet:
    """Return a set of two tasks, the second of which a newcomer measures; some of it is missing."""
    values = np.array([[0.0, len(text)] for text in SMILES])
    values[::9, 1] = np.nan
    folds = np.array((["train"] * 5 + ["valid", "test", ""]) * len(RINGS))
    return BenchmarkSet(
        "whole", SMILES, Labels.of_kind(["other", "asked"], values, "regression"), folds, "mae"
    )


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let neighbours stand for the recipe."""

    def quick(smiles: Any, labels: Any, config: Any, **options: Any) -> FinetuneResult:
        assert config.learner_name == ("cytomol" if config.baselines else "neighbours")
        return finetune(smiles, labels, config.updated(learner="neighbours"), **options)

    monkeypatch.setattr(experiment, "finetune", quick)


def test_a_draw_holds_measured_molecules_of_all_folds_and_one_task(whole: BenchmarkSet) -> None:
    draw = Draw.of(whole, "asked", 1, molecules=30)
    assert draw.data.labels.names == ("asked",)
    places = [SMILES.index(text) for text in draw.data.smiles]
    assert len(set(places)) == 30
    assert np.array_equal(draw.data.labels.matrix[:, 0], [len(text) for text in draw.data.smiles])
    assert set(whole.folds[places]) == {"train", "valid", "test"}
    assert Draw.of(whole, "asked", 1, molecules=30).data.smiles == draw.data.smiles
    assert Draw.of(whole, "asked", 2, molecules=30).data.smiles != draw.data.smiles


@pytest.mark.usefixtures("cheap")
def test_all_are_scored_on_the_same_molecules(whole: BenchmarkSet) -> None:
    draw, peer = Draw.of(whole, "asked", 0, molecules=45), Blunt()
    answers = draw.own_answers("one split")
    folds = draw.folds("one split")
    found = {answer.model: answer for answer in answers}
    assert set(found) == {DEFAULT, "constant", "neighbours", "forest"}
    assert found[DEFAULT].mae == found["neighbours"].mae  # which it is here
    test = folds == "test"
    labels = draw.data.labels.matrix[:, 0]
    median = np.median(labels[folds == "train"])
    assert found["constant"].mae == pytest.approx(np.abs(labels[test] - median).mean())
    assert {answer.n for answer in answers} == {test.sum()}
    assert [bool(a.verdict) and a.seconds is not None for a in answers] == [
        a.model == DEFAULT for a in answers
    ]
    other = draw.peer_answer(peer, folds)
    assert (other.n, other.seconds) == (test.sum(), 3.0)
    assert other.mae == pytest.approx(np.abs(labels[test] - labels[~test].mean()).mean())


@pytest.mark.usefixtures("cheap")
def test_in_five_folds_every_molecule_is_tested_once(whole: BenchmarkSet) -> None:
    draw, peer = Draw.of(whole, "asked", 0, molecules=45), Blunt()
    answers = draw.own_answers("5 folds")
    assert {answer.n for answer in answers} == {45}
    assert (draw.peer_answer(peer, draw.folds("5 folds")).n, len(peer.asked)) == (45, 5)
    tested = np.array([data.folds == "test" for data in peer.asked])
    assert (tested.sum(axis=0) == 1).all()


def test_rounds_leave_out_what_is_in_no_fold() -> None:
    one = np.array(["train", "valid", "test", ""])
    assert [own.tolist() for own in rounds(one)] == [one.tolist()]
    first, *_ = rounds(np.array(["fold 0", "fold 1", "fold 2", ""]))
    assert first.tolist() == ["test", "valid", "train", ""]


@pytest.mark.usefixtures("cheap")
def test_it_goes_on_where_it_was_cut_and_takes_chemprop_in_later(
    whole: BenchmarkSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = replace(whole, labels=Labels.of_kind(["other", newcomer.TASK], whole.labels.matrix, "regression"))
    monkeypatch.setattr(newcomer, "load_set", lambda _: named)
    monkeypatch.setattr(newcomer, "_peer", lambda: None)
    path = tmp_path / "newcomer.csv"
    words = ["--draws", "1", "--crossed", "0", "--molecules", "40", "-o", str(path)]
    assert newcomer.main(words) == 0
    first = path.read_text()
    assert newcomer.main(words) == 0
    assert path.read_text() == first
    peer = Blunt()
    monkeypatch.setattr(newcomer, "_peer", lambda: peer)
    assert newcomer.main([*words, "--models", DEFAULT]) == 0
    assert path.read_text() == first
    assert newcomer.main(words) == 0
    assert newcomer.main(words) == 0
    assert len(peer.asked) == 1
    assert path.read_text().startswith(first)
    assert models_of(read(path), 0, "one split") == {DEFAULT, "constant", "neighbours", "forest", PEER}


def rows_of(path: Path, default: tuple[float, float], forest: tuple[float, float]) -> pd.DataFrame:
    for draw, (own, other) in enumerate(zip(default, forest, strict=True)):
        answers = [Answer(DEFAULT, own, 30, 40.0, "weak"), Answer("forest", other, 30)]
        add(path, draw, "one split", answers, "abc")
    return read(path)


def test_the_page_tells_losses_as_it_tells_wins(tmp_path: Path) -> None:
    text = "\n".join(lines(rows_of(tmp_path / "a.csv", (0.3, 0.5), (0.4, 0.4))))
    assert "| `cytomol finetune`, default | 0.400 ± 0.141 | 2 | – | – |" in text
    assert "| random forest, 200 trees | 0.400 ± 0.000 | 2 | +0.000 ± 0.141 | 1 of 2 |" in text
    assert '"weak" (2). It took 40 seconds a draw' in text
    assert "chemprop has no rows here" in text
    assert "five folds" not in text


def test_the_page_has_the_cross_validation_and_chemprop_where_there_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows_of(path, (0.3, 0.3), (0.4, 0.4))
    for validation in ("one split", "5 folds"):
        add(path, 0, validation, [Answer(PEER, 0.25, 30, 9.0)], "abc")
    add(path, 0, "5 folds", [Answer(DEFAULT, 0.35, 300, 90.0, "useful")], "abc")
    text = "\n".join(lines(read(path)))
    assert "| chemprop 2, its defaults | 0.250 | 1 | -0.050 | 0 of 1 |" in text
    assert "| chemprop 2, its defaults | 0.250 | 1 | -0.100 | 0 of 1 |" in text.split("## Every")[1]
    assert "has no rows here" not in text
    assert "chemprop 9" in text
