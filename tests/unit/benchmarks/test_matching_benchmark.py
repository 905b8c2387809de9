"""Rows of matching: the oracle of a planted corpus, folds of one ground, and the page's cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.cells import matching_page
from benchmarks.cells.ground import planted_ground
from benchmarks.cells.matching import Field, oracle_places

from cytomol.corpus import read_corpus
from cytomol.training.dataset.exclude import connectivity_blocks


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Field:
    ground = planted_ground(tmp_path_factory.mktemp("work"), size=300)
    corpus = read_corpus(ground.corpus)
    return Field(ground, corpus, connectivity_blocks(corpus), 1, ground.folder / "matching")


def test_candidates_stand_in_the_order_of_the_table(field: Field) -> None:
    assert list(field.candidates.blocks) == field.table["inchikey"].tolist()
    assert set(field.table["outer"]) == {1}
    learnt = {field.blocks[row] for row in field.candidates.modality.rows[field.bioactive_rest()]}
    table = field.ground.candidates
    assert learnt == set(table.loc[table["bioactive"] & (table["outer"] != 1), "inchikey"])


def test_an_oracle_that_knows_more_finds_more(field: Field) -> None:
    found = {}
    for knows in ("target", "response"):
        rankings = field.rankings(knows, oracle_places(field, knows), "test")
        ranked = rankings["bioactive=1", "molecule to profile"]
        found[knows] = ranked.found["MRR"].mean()
        assert len(ranked) == int(((field.table["part"] == "test") & field.table["bioactive"]).sum())
    assert ranked.chance["MRR"].mean() < found["target"] < found["response"]


def test_molecules_of_a_target_are_one_to_the_oracle_of_targets(field: Field) -> None:
    molecules, _ = oracle_places(field, "target")
    truth = pd.read_parquet(field.ground.corpus / "truth" / "molecules.parquet").set_index("mol_id")["target"]
    ids = field.corpus.molecules["mol_id"].to_numpy()[
        field.candidates.modality.rows[field.candidates.profile]
    ]
    targets = truth.reindex(ids).to_numpy()
    assert len(np.unique(molecules.round(8), axis=0)) == len(np.unique(targets))


def test_places_are_kept(field: Field) -> None:
    calls = []

    def make() -> tuple[np.ndarray, np.ndarray]:
        calls.append(1)
        return np.eye(2), np.ones((2, 2))

    for _ in range(2):
        molecules, profiles = field.places("some one", make)
    assert calls == [1]
    assert (molecules.shape, profiles.tolist()) == ((2, 2), [[1, 1], [1, 1]])


@pytest.mark.parametrize(
    ("apart", "text"),
    [
        ((0.02, 0.01, 0.03), "12.0 [10.0, 14.0] +"),
        ((0.02, -0.01, 0.05), "12.0 [10.0, 14.0]"),
        ((-0.02, -0.03, -0.01), "12.0 [10.0, 14.0] -"),
    ],
)
def test_cells_mark_what_differs(apart: tuple[float, float, float], text: str) -> None:
    names = ("difference", "difference_low", "difference_high")
    row = pd.Series({"value": 0.12, "low": 0.1, "high": 0.14, **dict(zip(names, apart, strict=True))})
    assert matching_page._cell(row, "recall at 5%") == text


def test_the_section_is_made_of_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(matching_page.ROWS).name == "matching.csv"
    rows = [
        {
            "ground": "planted-0", "folds": "all folds", "part": "test", "model": model, "stratum": "all",
            "direction": direction, "figure": figure, "value": value, "low": value / 2, "high": 2 * value,
            "chance": 0.05, "queries": 30, "candidates": 30.0, "reference": reference, "difference": 0.1,
            "difference_low": 0.05, "difference_high": 0.2,
        }
        for model, value, reference in (("ridge", 0.1, ""), ("oracle: target", 0.4, "ridge"))
        for direction in ("molecule to profile", "profile to molecule")
        for figure in ("recall at 5%", "MRR")
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "matching.csv", index=False)
    monkeypatch.setattr(matching_page, "ROWS", tmp_path / "matching.csv")
    text = matching_page.section()
    assert "### planted-0, all folds: top 5%, finds the profile" in text
    assert "| oracle: target | 40.0 [20.0, 80.0] + |" in text
    assert "| ridge | 25% |" in text
