"""Ranking, recall, hold-out, equal trainings and paired differences, against values computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.fidelity.findings import DEFAULT, findings
from benchmarks.fidelity.forms import FORMS, METHODS, Budget, config_of, forms_of, identity
from benchmarks.fidelity.job import modality_of
from benchmarks.fidelity.learner import blocks_side_by_side, score_linear
from benchmarks.fidelity.matching import correlations, cosines, held_out_folds, hits, places, places_by_group
from benchmarks.fidelity.page import Place, Table
from benchmarks.fidelity.plan import Entry, entries
from benchmarks.fidelity.rows import interval, records, write_rows

from cytomol.methods.config import CHMRConfig, InfoAlignConfig

WITHOUT_CELLS = {"modalities": (), "walk_length": 0}


def test_a_place_counts_better_candidates_and_half_of_equal_ones() -> None:
    similarity = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.6], [0.3, 0.3, 0.3]])
    np.testing.assert_array_equal(places(similarity), [0, 2, 1])
    np.testing.assert_array_equal(places(similarity.T), [0, 0, 1])


def test_a_collapsed_projection_finds_nothing() -> None:
    place = places(np.ones((200, 200)))
    assert hits(place, 0.01).sum() == hits(place, 0.05).sum() == 0


def test_recall_takes_the_share_of_the_candidates_at_least_one() -> None:
    assert hits([0, 1, 2], 0.01).tolist() == [1, 0, 0]
    assert hits(np.arange(200), 0.01).tolist() == [1, 1, *[0] * 198]
    assert hits(np.arange(200), 0.05).sum() == 10


def test_candidates_are_those_of_the_fold_and_the_group() -> None:
    # rows 0 and 2 are valid; row 1, which beats row 0's own profile, is test and must not count
    similarity = np.array([[0.5, 0.9, 0.1, 0.0], [0, 1, 0, 2], [0.7, 0, 0.6, 0], [0, 0, 0, 1.0]])
    folds = np.array(["valid", "test", "valid", "test"])
    groups = {"all": np.ones(4, bool), "bioactive": np.array([True, True, False, True])}
    found = places_by_group(similarity, folds, groups)
    assert found["molecule to profile"]["all"] == {"valid": [0, 1], "test": [1, 0]}
    assert found["profile to molecule"]["all"] == {"valid": [1, 0], "test": [0, 1]}
    assert found["molecule to profile"]["bioactive"] == {"test": [1, 0]}  # one valid member: nothing to rank


def test_cosine_and_correlation_by_hand() -> None:
    left, right = np.array([[3.0, 4.0]]), np.array([[4.0, 3.0], [0.0, 0.0]])
    np.testing.assert_allclose(cosines(left, right), [[0.96, 0.0]])
    typical = np.array([1.0, 1.0, 1.0])
    same = correlations(np.array([[2.0, 3.0, 4.0]]), np.array([[5.0, 7.0, 9.0], [9.0, 7.0, 5.0]]), typical)
    np.testing.assert_allclose(same, [[1.0, -1.0]])
    # what all share is taken out: without that both would correlate at 1 with the typical profile
    typical, deviation = np.array([0.0, 10.0, 20.0]), np.array([[1.0, 0.0, -1.0]])
    rows = np.concatenate([typical + deviation, typical - deviation])
    np.testing.assert_allclose(correlations(rows[:1], rows, typical), [[1.0, -1.0]])


def test_scaffolds_are_held_out_whole_and_divided_into_halves() -> None:
    scaffolds = [f"s{number // 4}" for number in range(200)] + [""] * 40
    folds = held_out_folds(scaffolds, 0.2, seed=0)
    table = pd.DataFrame({"scaffold": scaffolds, "fold": folds})
    rings = table[table["scaffold"] != ""]
    assert len(rings.drop_duplicates()) == rings["scaffold"].nunique()
    assert table.loc[table["scaffold"] == "", "fold"].nunique() == 3  # without rings each is its own
    sizes = table["fold"].value_counts()
    assert sizes["valid"] + sizes["test"] == 48
    assert abs(sizes["valid"] - sizes["test"]) <= 4
    assert (held_out_folds(scaffolds, 0.2, seed=1) != folds).any()


def test_forms_share_a_training_where_cell_data_are_absent_and_nowhere_else() -> None:
    one, other = CHMRConfig(), CHMRConfig(lambda_sca=3.0, neighbours=4, minimum_similarity=0.5)
    assert identity("chmr", one) != identity("chmr", other)
    bare = [identity("chmr", config.updated(**WITHOUT_CELLS)) for config in (one, other)]
    assert bare[0] == bare[1]
    deeper = one.updated(depth=3, **WITHOUT_CELLS)  # the code book is learnt from the views alone too
    assert identity("chmr", deeper) != bare[0]
    assert identity("infoalign", InfoAlignConfig(seed=1)) != identity("infoalign", InfoAlignConfig())
    walks_alone = one.updated(modalities=()), other.updated(modalities=())
    assert identity("chmr", walks_alone[0]) != identity("chmr", walks_alone[1])


def test_pooling_profiles_changes_nothing_without_any() -> None:
    pooled = CHMRConfig(target_spaces="pooled")
    assert identity("chmr", pooled) != identity("chmr", CHMRConfig())
    bare = [identity("chmr", config.updated(**WITHOUT_CELLS)) for config in (pooled, CHMRConfig())]
    assert bare[0] == bare[1]


def test_forms_change_what_they_say_on_top_of_the_state_before() -> None:
    budget = Budget(epochs=3, batch_size=64)
    for method in METHODS:
        before = config_of(method, FORMS["before"], budget, cells=True).model_dump()
        assert before["gene_profiles"] == "leaf"
        assert before["epochs"] == 3
        for form in forms_of(method):
            options = config_of(method, form, budget, cells=True).model_dump()
            changed = {name for name, value in options.items() if value != before[name]}
            if not form.preset:
                assert changed == set(form.changes), form.name
            assert not changed & {"epochs", "batch_size", "lr", "width", "views", "validation_fraction"}
        bare = config_of(method, FORMS["authors"], budget, cells=False).model_dump()
        assert bare["modalities"] == ()
        assert bare["walk_length"] == 0


def test_a_modality_is_found_alone_and_joined_with_others() -> None:
    widths = {"jump": 3, "cdrp": 2, "other": 4}
    alone = modality_of(["other", "cdrp"], widths, "cdrp")
    assert alone is not None
    assert (alone[0], alone[1].tolist()) == ("cdrp", [0, 1])
    joined = modality_of(["other", "jump+cdrp"], widths, "cdrp")
    assert joined is not None
    assert (joined[0], joined[1].tolist()) == ("jump+cdrp", [3, 4])
    assert modality_of(["jump", "other"], widths, "cdrp") is None


def test_the_budget_leaves_the_geometry_out_of_chmr_alone() -> None:
    budget = Budget(epochs=3, batch_size=64)
    assert budget.options("chmr", 1)["views"] == ("1d", "2d")
    assert "views" not in budget.options("infoalign", 1)
    assert budget.options("chmr", 7)["seed"] == 7


def test_entries_come_once_the_first_corpus_before_the_real_one_and_only_where_they_concern() -> None:
    found = entries(seeds=2)
    assert len(found) == len(set(found))
    assert found[0] == Entry("planted", 0)
    order = list(dict.fromkeys((entry.corpus, entry.seed) for entry in found))
    assert order == [("planted", 0), ("real", 0), ("planted", 1)]
    assert not [entry for entry in found if entry.method == "infoalign" and entry.form == "zscore"]
    assert not [entry for entry in found if entry.form == "default"]
    assert {entry.corpus for entry in entries() if entry.form == "pooled"} == {"real"}
    assert {entry.form for entry in found if entry.cell == "leaky"} == {"before", "authors"}
    assert {entry.form for entry in entries(forms=("raw",), methods=("chmr",))} == {"", "raw"}


def result(*, response: list[float], mae: float, place: list[float] | None = None) -> dict[str, Any]:
    scores = {
        "response auc": {"test": {f"t{i}": value for i, value in enumerate(response)}},
        "biogenadme mae": {"test": {"m": mae}},
    }
    places_found = {"anchor": {"molecule to profile": {"all": {"test": place}}}} if place else {}
    return {"scores": scores, "places": places_found, "epochs": 3, "seconds": 10.0}


RESULTS = {
    Entry("planted", 0, "chmr", "before", "cell"): result(response=[0.6, 0.8], mae=0.5, place=[0, 2, 5]),
    Entry("planted", 0, "chmr", "before", "structure"): result(response=[0.5, 0.6], mae=0.6),
    Entry("planted", 0, "chmr", "zscore", "cell"): result(response=[0.9, 0.7], mae=0.3, place=[0, 0, 9]),
    Entry("planted", 0, "chmr", "zscore", "structure"): result(response=[0.5, 0.6], mae=0.6),
    Entry("planted", 0, "chmr", "raw", "structure"): result(response=[0.5, 0.6], mae=0.6),
}


def values(cell: str, form: str = "zscore", seed: str = "0", results: Any = RESULTS) -> dict[str, float]:
    rows = [row for row in records(results) if (row["form"], row["cell"]) == (form, cell)]
    return {row["figure"]: row["value"] for row in rows if row["corpus_seed"] == seed}


def test_differences_are_paired_and_above_nought_where_the_first_is_better() -> None:
    assert values("cell - structure", "before")["response auc"] == pytest.approx(0.15)
    assert values("cell - structure")["response auc"] == pytest.approx(0.25)
    assert values("cell - structure")["biogenadme mae"] == pytest.approx(0.3)
    assert values("difference - before")["response auc"] == pytest.approx(0.1)
    assert values("difference - before")["biogenadme mae"] == pytest.approx(0.2)
    assert values("cell - before")["recall 1% molecule to profile"] == pytest.approx(1 / 3)
    assert values("cell")["biogenadme mae"] == pytest.approx(0.3)


def test_a_shared_training_is_no_row_of_a_form_that_has_not_run() -> None:
    assert not [row for row in records(RESULTS) if row["form"] == "raw"]


def test_seeds_are_put_together_by_task() -> None:
    later = {
        Entry("planted", 1, "chmr", "zscore", "cell"): result(response=[0.4, 0.4], mae=0.3),
        Entry("planted", 1, "chmr", "zscore", "structure"): result(response=[0.5, 0.3], mae=0.6),
    }
    both = RESULTS | later
    assert values("cell", seed="all", results=both)["response auc"] == pytest.approx(0.6)
    assert values("cell - structure", seed="all", results=both)["response auc"] == pytest.approx(0.125)
    rows = [row for row in records(both) if row["corpus_seed"] == "all" and row["cell"] == "cell"]
    assert {row["n"] for row in rows if row["figure"] == "response auc"} == {4}


def test_an_interval_holds_the_mean_and_needs_two_values() -> None:
    low, high = interval(np.array([0.0, 1.0, 1.0, 1.0] * 25))
    assert 0.6 < low < 0.75 < high < 0.9
    assert np.isnan(interval(np.array([0.3]))).all()


def test_earlier_rows_stay_unless_they_are_made_again(tmp_path: Any) -> None:
    path = tmp_path / "fidelity.csv"
    write_rows(path, {entry: RESULTS[entry] for entry in RESULTS if entry.form == "before"})
    first = pd.read_csv(path)
    write_rows(path, {entry: RESULTS[entry] for entry in RESULTS if entry.form == "zscore"})
    both = pd.read_csv(path)
    assert set(both["form"]) == {"before", "zscore"}
    assert len(both[both["form"] == "before"]) == len(first)
    write_rows(path, RESULTS)
    again = pd.read_csv(path)
    assert not again.duplicated(["form", "cell", "figure", "fold"]).any()


def test_the_page_reads_planted_corpora_together() -> None:
    seeds = {
        Entry("planted", seed, "chmr", "before", "cell"): result(response=[0.5 + seed / 10], mae=0.1)
        for seed in range(3)
    }
    rows = pd.DataFrame(list(records(seeds)))
    found = Table(rows).get(Place("planted", "chmr", "before", "cell", "response auc", "test"))
    assert found is not None
    assert found["value"] == pytest.approx(0.6)


def test_blocks_weigh_the_same_whatever_their_width() -> None:
    random = np.random.default_rng(0)
    wide, narrow = random.normal(5, 9, (50, 40)), (random.random((50, 3)) < 0.5).astype(float)
    train = np.arange(50) < 30
    joined = blocks_side_by_side(
        [wide.astype(np.float32), narrow.astype(np.float32)], [True, False], train
    ).astype(float)
    for part in (joined[train, :40], joined[train, 40:]):
        np.testing.assert_allclose(part.mean(axis=0), 0, atol=1e-6)
        assert np.square(part).sum(axis=1).mean() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("metric", ["roc_auc", "mae"])
def test_the_learner_finds_a_linear_rule_and_does_not_read_test(metric: str) -> None:
    random = np.random.default_rng(0)
    X = random.normal(0, 0.4, (300, 5)).astype(np.float32)
    value = 2 * X[:, 0] - X[:, 1] + 3
    labels = np.stack([value, -value], axis=1).astype(float)
    if metric == "roc_auc":
        labels = (labels > np.median(labels, axis=0)).astype(float)
    labels[random.random(labels.shape) < 0.2] = np.nan
    folds = np.repeat(["train", "valid", "test"], 100)
    scored = score_linear(X, labels, folds, metric)
    good = (lambda score: score > 0.97) if metric == "roc_auc" else (lambda score: score < 0.1)
    assert good(scored.by_fold["valid"]).all()
    assert good(scored.by_fold["test"]).all()
    other = np.where((folds == "test")[:, None], labels[::-1], labels)
    assert score_linear(X, other, folds, metric).by_fold["valid"].tolist() == scored.by_fold["valid"].tolist()


def test_findings_say_what_the_rows_say() -> None:
    """Every figure of the sentences is a row's, with its interval; what has no row is a dash."""
    rows = {
        ("planted", "chmr", DEFAULT, "cell - structure", "response auc", "test"): (0.062, 0.033, 0.094),
        ("real", "infoalign", DEFAULT, "cell - structure", "chembl2k auc", "test"): (0.003, -0.006, 0.012),
        ("real", "chance", "", "", "recall 5% molecule to profile", "test", "all"): (0.049, np.nan, np.nan),
    }

    def get(*place: str) -> pd.Series | None:
        found = rows.get(place)
        return None if found is None else pd.Series(dict(zip(("value", "low", "high"), found, strict=True)))

    def first(corpus: str, method: str) -> str:
        return DEFAULT if corpus == "planted" else "before"

    text = findings(get, first, None)
    assert "6.2 [3.3, 9.4] points of ROC-AUC (CHMR) and – (InfoAlign)" in text
    assert "InfoAlign 0.3 [-0.6, 1.2] on chembl2k, – on broad6k" in text
    assert "chance 4.9;" in text
    assert "first for CHMR on planted corpora, InfoAlign on planted corpora; `before` does for CHMR" in text
    assert "four times" not in text
