"""Repeated cross-validation from a set to its rows, with cheap learners: no label of a test row is learnt."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.quality.repeated import parts
from benchmarks.quality.repeated.__main__ import main
from benchmarks.quality.repeated.answers import Answers
from benchmarks.quality.repeated.material import Division, Material
from benchmarks.quality.repeated.parts import PARTS, fit_part
from benchmarks.quality.repeated.plan import Unit, units
from benchmarks.quality.repeated.rows import (
    COLUMNS,
    fold_scores,
    read_scores,
    reweighted,
    without_rows,
    write_scores,
)
from benchmarks.quality.repeated.worker import run_unit
from sklearn.metrics import roc_auc_score

from cytomol.assays.splits import kfold_of_blocks
from cytomol.learners import learners
from cytomol.learners import stack as stack_module
from cytomol.learners.forest import Forest
from cytomol.learners.stack import Ensemble
from cytomol.learners.stack_weights import stack


class Cheap(Ensemble):
    """The recipe, of trees and a Gaussian process alone."""

    def __init__(self, weighting: str = "stacked") -> None:
        super().__init__(("counts", "maccs", "descriptors"), ("extra-trees", "kernel"), weighting)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the recipe one of two cheap members."""
    monkeypatch.setattr(parts, "Ensemble", Cheap)
    monkeypatch.setitem(stack_module._MAKERS, "extra-trees", partial(Forest, kind="extra", trees=8))


def material(kind: str = "classification", count: int = 90) -> Material:
    """Return molecules of three tasks that follow from their features, some labels not measured."""
    random = np.random.default_rng(0)
    values = random.normal(size=(count, 6)).astype(np.float32)
    signal = values[:, :3] + 0.3 * random.normal(size=(count, 3))
    labels = (signal > 0).astype(float) if kind == "classification" else 5 + 3 * signal
    labels[random.random(labels.shape) < 0.1] = np.nan
    labels[:, 2] = np.where(np.isnan(labels[:, 0]), 1.0, labels[:, 2])  # no row without any label
    counts = (values > 0.5).astype(np.float32)
    blocks = {"counts": counts, "maccs": counts.copy(), "descriptors": values}
    blocks["embedding"] = random.normal(size=(count, 4)).astype(np.float32)
    blocks["encoder:minimol"] = random.normal(size=(count, 4)).astype(np.float32)
    metric = "roc_auc" if kind == "classification" else "mae"
    return Material("bace", kind, metric, labels, blocks, np.arange(count) // 2)


def written(folder: Path, data: Material) -> Path:
    """Write material as the runner does."""
    path = folder / "abcd1234" / data.name / "material.npz"
    path.parent.mkdir(parents=True)
    about = np.array([data.name, data.kind, data.metric], dtype=str)
    blocks = {f"block.{key}": block for key, block in data.blocks.items()}
    np.savez(path, labels=data.labels, groups=data.groups, about=about, **blocks)
    return path


def test_the_plan_ends_a_repeat_before_the_next() -> None:
    found = list(units(("bace", "broad6k"), 5, 2, ("recipe", "forest")))
    assert len(found) == 2 * 2 * (5 + 3)  # broad6k three times
    assert [each.repeat for each in found] == sorted(each.repeat for each in found)
    assert len({each.path(Path()) for each in found}) == len(found)
    assert str(found[0].path(Path("f"))) == "f/bace/recipe-2-r0-f0.npz"


def test_a_unit_leaves_answers_to_rows_that_were_not_seen(tmp_path: Path) -> None:
    data = material()
    place = written(tmp_path, data)
    unit = Unit("bace", 1, 2, "forest")
    assert run_unit(unit, place) > 0
    found = Answers.read(unit.path(place.parents[1]))
    division = data.division(1, 2, 5)
    assert found.rows.tolist() == [each.sum() for each in (division.train, division.valid, division.test)]
    np.testing.assert_array_equal(found.test_labels, data.labels[division.test])
    np.testing.assert_array_equal(found.held_labels, data.labels[division.valid])
    assert found.test.shape == (1, division.test.sum(), 3)
    assert found.learnable.tolist() == [True] * 3
    assert (found.kind, found.metric, found.models.tolist()) == ("classification", "roc_auc", ["forest"])


@pytest.mark.parametrize("part", ["forest", "minimol", "recipe", "crossfit"])
@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.usefixtures("cheap")
def test_labels_of_test_rows_reach_no_learner(part: str, kind: str) -> None:
    data = material(kind)
    division = data.division(0, 1, 5)
    labels = data.labels.copy()
    labels[division.test] = 1 - labels[division.test] if kind == "classification" else 1e6
    one, two = (fit_part(part, each, division, 3) for each in (data, replace(data, labels=labels)))
    np.testing.assert_array_equal(one.test, two.test)
    np.testing.assert_array_equal(one.held, two.held)
    assert not np.array_equal(one.test_labels, two.test_labels, equal_nan=True)


@pytest.mark.usefixtures("cheap")
def test_values_are_answered_in_the_unit_of_the_table() -> None:
    data = material("regression")
    division = data.division(0, 0, 5)
    for part in ("recipe", "crossfit"):
        found = fit_part(part, data, division, 0)
        for said, labels in ((found.test, found.test_labels), (found.held, found.held_labels)):
            errors = [np.nanmean(np.abs(each - labels)) for each in said]
            assert max(errors) < np.nanmean(np.abs(labels - np.nanmean(data.labels, axis=0)))


@pytest.mark.usefixtures("cheap")
def test_held_answers_of_crossfit_are_of_fits_that_left_the_row_out() -> None:
    data, seed = material(), 7
    division = data.division(0, 0, 5)
    seen = division.train | division.valid
    found = fit_part("crossfit", data, division, seed)
    assert found.held.shape == (2, seen.sum(), 3)
    assert not np.isnan(found.held).any()
    np.testing.assert_array_equal(found.held_labels, data.labels[seen])
    part = kfold_of_blocks(data.groups[seen], folds=5, seed=seed)[0]
    assert all(len(set(part[data.groups[seen] == group])) == 1 for group in data.groups[seen])
    # labels of a part change what is said of the other parts, and of the part itself nothing
    labels = data.labels.copy()
    inside = np.flatnonzero(seen)[part == 2]
    labels[inside] = 1 - labels[inside]
    other = fit_part("crossfit", replace(data, labels=labels), division, seed)
    np.testing.assert_array_equal(found.held[:, part == 2], other.held[:, part == 2])
    assert (found.held[:, part != 2] != other.held[:, part != 2]).mean() > 0.5
    assert (found.test != other.test).mean() > 0.5  # the last fit learns from all rows


@pytest.mark.usefixtures("cheap")
def test_the_last_fit_of_crossfit_is_the_members_on_all_rows() -> None:
    data = material()
    division = data.division(0, 3, 5)
    seen = division.train | division.valid
    found = fit_part("crossfit", data, division, 5)
    _, learning = parts._learning(data, seen, seen, 5)
    model = Cheap()
    model.fit(data.blocks, learning)
    rows = {name: block[division.test] for name, block in data.blocks.items()}
    np.testing.assert_allclose(found.test, model.members(rows))


def answers(models: tuple[str, ...], seed: int = 0, rows: tuple[int, int, int] = (60, 10, 30)) -> Answers:
    """Return answers that follow the labels, each model the more the later it stands."""
    random = np.random.default_rng(seed)
    held_labels, test_labels = (random.integers(0, 2, (count, 2)).astype(float) for count in rows[1:])

    def said(labels: np.ndarray) -> np.ndarray:
        near = np.arange(1, len(models) + 1)[:, None, None] / (len(models) + 2)
        return near * labels + (1 - near) * random.random((len(models), *labels.shape))

    return Answers(
        np.array(models),
        np.arange(1.0, len(models) + 1),
        "classification",
        "roc_auc",
        said(held_labels),
        held_labels,
        said(test_labels),
        test_labels,
        np.array([True, True]),
        np.array(rows),
    )


def test_rows_score_members_and_their_means() -> None:
    recipe = answers(("mlp", "mlp-embedding", "kernel"))
    found = {row["model"]: row for row in fold_scores(Unit("bace", 1, 4, "recipe"), {"recipe": recipe})}
    ways = ["cytomol", "cytomol-plain", "cytomol-equal", "cytomol-five"]
    assert list(found) == [*ways, "mlp", "mlp-embedding", "kernel"]
    assert all((row["set"], row["repeat"], row["fold"]) == ("bace", 1, 4) for row in found.values())

    def score(said: np.ndarray) -> float:
        return float(np.mean([roc_auc_score(recipe.test_labels[:, k], said[:, k]) for k in (0, 1)]))

    assert found["kernel"]["value"] == pytest.approx(score(recipe.test[2]), abs=1e-6)
    assert found["cytomol-equal"]["value"] == pytest.approx(
        score(reweighted(recipe, np.full(3, 1 / 3))), abs=1e-6
    )
    weights = stack(recipe.held, recipe.held_labels, recipe.kind)
    assert found["cytomol"]["value"] == pytest.approx(score(reweighted(recipe, weights)), abs=1e-6)
    assert found["cytomol-plain"]["weights"].split()[0].startswith("mlp:")
    assert "mlp-embedding" not in found["cytomol-plain"]["weights"]
    assert (found["cytomol"]["seconds"], found["cytomol-plain"]["seconds"]) == (6.0, 4.0)


def test_the_recipe_without_those_that_joined_and_the_forest_that_stands_alone() -> None:
    recipe, alone = answers(("mlp", "forest", "kernel", "neighbours")), answers(("forest",), seed=3)
    found = fold_scores(Unit("bace", 0, 0, "recipe"), {"recipe": recipe, "forest": alone})
    by_model = {row["model"]: row for row in found}
    assert len(by_model) == len(found)
    assert [part.split(":")[0] for part in by_model["cytomol-five"]["weights"].split()] == ["mlp", "kernel"]
    score = np.mean([roc_auc_score(alone.test_labels[:, k], alone.test[0, :, k]) for k in (0, 1)])
    assert by_model["forest"]["value"] == pytest.approx(score, abs=1e-6)


def test_an_encoders_member_stands_alone_and_joins_the_recipe() -> None:
    recipe = answers(("mlp", "kernel"))
    more = replace(answers(("mlp-minimol",), seed=1), test_labels=recipe.test_labels)
    found = fold_scores(Unit("bace", 0, 0, "recipe"), {"recipe": recipe, "minimol": more})
    by_model = {row["model"]: row for row in found}
    members = [part.split(":")[0] for part in by_model["cytomol-minimol"]["weights"].split()]
    assert members == ["mlp", "kernel", "mlp-minimol"]
    together = replace(
        recipe,
        models=np.array(members),
        seconds=np.array([1.0, 2.0, 1.0]),
        held=np.concatenate([recipe.held, more.held]),
        test=np.concatenate([recipe.test, more.test]),
    )
    said = reweighted(together)
    score = np.mean([roc_auc_score(recipe.test_labels[:, k], said[:, k]) for k in (0, 1)])
    assert by_model["cytomol-minimol"]["value"] == pytest.approx(score, abs=1e-6)
    assert by_model["mlp-minimol"]["weights"] == ""


def test_tasks_that_teach_nothing_are_scored_for_no_model() -> None:
    some = replace(answers(("kernel",)), learnable=np.array([True, False]))
    row = fold_scores(Unit("bace", 0, 0, "forest"), {"forest": some})[0]
    assert row["tasks"] == 1
    assert row["value"] == pytest.approx(roc_auc_score(some.test_labels[:, 0], some.test[0, :, 0]), abs=1e-6)


def test_crossfit_rows_weigh_by_all_rows_and_by_the_valid_ones() -> None:
    recipe = answers(("mlp", "kernel"))
    whole = replace(answers(("mlp", "kernel"), seed=1, rows=(70, 70, 30)), test_labels=recipe.test_labels)
    rows = fold_scores(Unit("bace", 0, 0, "recipe"), {"recipe": recipe, "crossfit": whole})
    found = {row["model"]: row for row in rows}
    assert [name for name in found if name.startswith("cytomol-")][-2:] == [
        "cytomol-crossfit",
        "cytomol-refit",
    ]
    assert found["cytomol-refit"]["weights"] == found["cytomol"]["weights"]
    assert found["cytomol-crossfit"]["weights"] != found["cytomol"]["weights"]
    for name in ("cytomol-crossfit", "cytomol-refit"):
        assert (found[name]["n_train"], found[name]["n_valid"], found[name]["n_test"]) == (70, 0, 30)
    alone = fold_scores(Unit("bace", 0, 0, "crossfit"), {"crossfit": whole})
    assert [row["model"] for row in alone] == ["cytomol-crossfit"]


def test_rows_of_folds_that_are_elsewhere_stay(tmp_path: Path) -> None:
    path, folder = tmp_path / "repeated.csv", tmp_path / "work"
    first, second = Unit("bace", 0, 0, "forest"), Unit("bace", 0, 1, "forest")
    answers(("forest",)).write(first.path(folder))
    write_scores(path, folder, [first, second])
    first.path(folder).unlink()
    answers(("forest",), seed=2).write(second.path(folder))
    table = write_scores(path, folder, [first, second])
    assert table["fold"].tolist() == [0, 1]
    assert table["value"].nunique() == 2
    pd.testing.assert_frame_equal(read_scores(path), table)
    answers(("forest",), seed=3).write(second.path(folder))
    again = write_scores(path, folder, [first, second])
    assert again["value"][0] == table["value"][0]
    assert again["value"][1] != table["value"][1]
    assert list(again.columns) == list(COLUMNS)
    assert list(read_scores(tmp_path / "none.csv").columns) == list(COLUMNS)


def test_a_fold_without_a_task_to_score_has_no_value(tmp_path: Path) -> None:
    path, folder, unit = tmp_path / "repeated.csv", tmp_path / "work", Unit("bace", 0, 0, "forest")
    replace(answers(("forest",)), learnable=np.array([False, False])).write(unit.path(folder))
    write_scores(path, folder, [unit])
    found = read_scores(path)
    assert found["value"].isna().tolist() == [True]
    assert found["tasks"].tolist() == [0]
    assert found["weights"].tolist() == [""]


def test_the_command_fits_what_is_missing_and_scores_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = material()
    place = written(tmp_path / "work", data)
    from benchmarks.quality.repeated import __main__ as runner

    class Known:
        digest = "abcd1234ef"

        @classmethod
        def load(cls, _: str) -> Known:
            return cls()

    monkeypatch.setattr(runner, "Backbone", Known)
    monkeypatch.setattr(runner, "make_material", lambda *_: place)
    words = ["--sets", "bace", "--repeats", "1", "--folds", "2", "--parts", "forest", "--jobs", "1"]
    words += ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    assert main([*words, "--score"]) == 0
    assert "0 rows" in capsys.readouterr().out
    fitted: list[Unit] = []

    def fit_here(missing: list[Unit], places: dict[str, Path], _: int) -> int:
        fitted.extend(missing)
        for unit in missing:
            run_unit(unit, places[unit.set])
        return 0

    monkeypatch.setattr(runner, "_fit", fit_here)
    assert main(words) == 0
    assert [each.fold for each in fitted] == [0, 1]
    assert main(words) == 0
    assert len(fitted) == 2
    assert read_scores(tmp_path / "out" / "repeated.csv")["fold"].tolist() == [0, 1]
    assert (tmp_path / "out" / "repeated_differences.csv").is_file()


def test_every_part_is_a_known_learner_or_a_way_of_the_recipe() -> None:
    assert set(PARTS) - set(learners) == {"recipe", "minimol", "crossfit"}
    assert isinstance(material().division(0, 0, 5), Division)


def test_what_has_rows_from_elsewhere_is_not_fitted_again() -> None:
    planned = list(units(("bace", "broad6k"), 5, 5, tuple(PARTS)))
    told = {"recipe": "cytomol", "forest": "forest", "minimol": "mlp-minimol", "crossfit": "cytomol-crossfit"}
    done = planned[::3]
    table = pd.DataFrame(
        [(each.set, each.repeat, each.fold, told[each.part]) for each in done],
        columns=["set", "repeat", "fold", "model"],
    )
    assert without_rows(planned, table) == [each for each in planned if each not in done]
    assert without_rows(planned, pd.DataFrame(columns=list(COLUMNS))) == planned
