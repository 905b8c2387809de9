"""Figures of rankings: planted truth, chance, strata of queries and labels."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.evaluate.matching import figures
from cytomol.evaluate.matching.figures import FIGURES, rank_queries
from cytomol.evaluate.matching.ranking import average_precision


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_perfect_model_finds_all() -> None:
    places = unit(np.random.default_rng(0).normal(size=(40, 8)))
    ranked = rank_queries(places, places)
    assert set(ranked.found) == set(ranked.chance) == set(FIGURES)
    for figure in FIGURES:
        best = {"median rank": 1.0, "median rank, share": 1 / 40, "recall at 1%": 0.4}.get(figure, 1.0)
        assert ranked.found[figure] == pytest.approx(np.full(40, best)), figure


def test_a_model_that_places_all_alike_is_worth_chance() -> None:
    alike = np.tile([0.6, 0.8], (23, 1))
    ranked = rank_queries(alike, alike)
    for figure in FIGURES:
        assert ranked.found[figure] == pytest.approx(ranked.chance[figure]), figure


def test_random_places_are_worth_chance_on_average() -> None:
    rng = np.random.default_rng(1)
    ranked = rank_queries(unit(rng.normal(size=(2000, 16))), unit(rng.normal(size=(2000, 16))))
    for figure in ("recall at 1%", "recall at 5%", "MRR"):
        assert ranked.found[figure].mean() == pytest.approx(ranked.chance[figure].mean(), rel=0.35)


def test_equal_places_tie_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    places = unit(rng.normal(size=(12, 5)).astype(np.float32))
    asking, answering = np.repeat(places, 4, axis=0), unit(np.repeat(places + 0.1, 4, axis=0))
    whole = rank_queries(asking, answering)
    monkeypatch.setattr(figures, "_CELLS", 100)
    apart = rank_queries(asking, answering)
    for figure in FIGURES:
        np.testing.assert_array_equal(whole.found[figure], apart.found[figure])
    assert (np.abs(whole.found["median rank"] % 1) == 0.5).all()  # the mean of four equal places


def test_few_ask_and_all_are_ranked() -> None:
    rng = np.random.default_rng(3)
    asking, answering = unit(rng.normal(size=(30, 4))), unit(rng.normal(size=(30, 4)))
    queries = np.arange(30) % 3 == 0
    some, everyone = rank_queries(asking, answering, queries), rank_queries(asking, answering)
    assert len(some) == 10
    assert (some.candidates == 30).all()
    np.testing.assert_array_equal(some.found["median rank"], everyone.found["median rank"][queries])


def test_labels_make_every_candidate_of_the_label_right() -> None:
    rng = np.random.default_rng(4)
    asking, answering = unit(rng.normal(size=(12, 4))), unit(rng.normal(size=(12, 4)))
    labels = np.array(["a", "b", ""] * 4)
    ranked = rank_queries(asking, answering, None, labels)
    same = (labels[:, None] == labels[None]) & (labels != "")[:, None]
    np.testing.assert_allclose(
        ranked.found["mAP"], average_precision(np.round(asking @ answering.T, 10), same)
    )
    assert np.isnan(ranked.found["mAP"][2])
    assert np.isnan(ranked.chance["mAP"][2])
    assert ranked.chance["mAP"][0] > ranked.chance["MRR"][0]


def test_nobody_asks() -> None:
    ranked = rank_queries(np.eye(4), np.eye(4), np.zeros(4, dtype=bool))
    assert len(ranked) == 0
    assert all(len(ranked.found[figure]) == 0 for figure in FIGURES)
