"""What is hidden: as much as was asked for, in whole units, and the same again at every higher rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.planted.truth import PlantedCorpus
from cytomol.corpus.schema import Corpus
from cytomol.errors import ConfigError, InputError
from cytomol.evaluate.missing.hiding import hidden_profiles, hide, modalities_of
from cytomol.evaluate.missing.hiding_patterns import Hideable, patterns, read_plates

units = st.lists(st.integers(0, 9), max_size=60).map(lambda numbers: np.array(numbers, np.int64))


@pytest.fixture(scope="module")
def planted() -> PlantedCorpus:
    return generate_planted(300, seed=1)


@pytest.fixture(scope="module")
def hideable(planted: PlantedCorpus) -> Hideable:
    plates = {name: plate.astype(str) for name, plate in planted.truth.plates.items()}
    return Hideable.of(planted.corpus, plates)


@given(units=units, rate=st.floats(0, 1), more=st.floats(0, 1), seed=st.integers(0, 5))
def test_whole_units_are_hidden_and_higher_rates_hide_more(
    units: np.ndarray, rate: float, more: float, seed: int
) -> None:
    hidden = hidden_profiles(units, rate, seed=seed)
    for unit in set(units.tolist()):
        assert len(set(hidden[units == unit].tolist())) == 1
    low, high = sorted((rate, more))
    assert not (hidden_profiles(units, low, seed=seed) & ~hidden_profiles(units, high, seed=seed)).any()
    if len(units):
        largest = np.unique(units, return_counts=True)[1].max()
        assert abs(hidden.sum() - rate * len(units)) <= largest / 2 + 1e-9
    assert not hidden_profiles(units, 0.0, seed=seed).any()
    assert hidden_profiles(units, 1.0, seed=seed).all()


def test_the_seed_decides() -> None:
    units = np.arange(200)
    first, second = (hidden_profiles(units, 0.5, seed=seed) for seed in (0, 1))
    assert (first != second).sum() > 50
    assert (first == hidden_profiles(units, 0.5, seed=0)).all()
    with pytest.raises(ConfigError, match="a rate of"):
        hidden_profiles(units, 1.2, seed=0)


@pytest.mark.parametrize("pattern", ["random", "scaffold", "plate"])
def test_what_goes_missing_together(planted: PlantedCorpus, hideable: Hideable, pattern: str) -> None:
    modality = planted.corpus.modalities["morphology"]
    keys = {
        "random": planted.corpus.molecules["inchikey"].str[:14].to_numpy()[modality.rows],
        "scaffold": np.array([murcko_scaffold(planted.corpus.smiles[row]) for row in modality.rows]),
        "plate": planted.truth.plates["morphology"],
    }[pattern]
    hidden = hide(hideable, ["morphology"], pattern, 0.5, seed=3)
    kept = hidden.corpus.modalities["morphology"]
    assert hidden.share == pytest.approx(1 - len(kept) / len(modality))
    assert 0.2 < hidden.share < 0.8
    left = {row.tobytes() for row in np.asarray(kept.values)}
    there = np.array([row.tobytes() in left for row in np.asarray(modality.values)])
    ringed = keys != "" if pattern == "scaffold" else np.ones(len(keys), np.bool_)
    for key in set(keys[ringed].tolist()):
        assert len(set(there[ringed & (keys == key)].tolist())) == 1, key
    assert hidden.corpus.modalities["expression"] is planted.corpus.modalities["expression"]
    assert hidden.corpus.relations is planted.corpus.relations


def test_a_molecule_without_rings_is_hidden_alone() -> None:
    molecules = pd.DataFrame({"mol_id": list("abcd"), "smiles": ["CCO", "CCN", "OCC", "not one"]})
    scaffolds = Hideable.of(Corpus(molecules, pd.DataFrame({"gene_id": []}))).scaffolds
    assert scaffolds[0] == scaffolds[2]
    assert len(set(scaffolds.tolist())) == 3


def test_all_is_every_modality_that_a_pattern_can_hide_in(hideable: Hideable) -> None:
    assert modalities_of(hideable, "all", "random") == ["morphology", "expression", "gene_knockout"]
    assert modalities_of(hideable, "all", "scaffold") == ["morphology", "expression"]
    assert modalities_of(hideable, "expression", "plate") == ["expression"]
    bare = Hideable.of(hideable.corpus)
    with pytest.raises(ConfigError, match="on which plates"):
        modalities_of(bare, "all", "plate")
    with pytest.raises(ConfigError, match="of genes, which have no scaffold"):
        modalities_of(hideable, "gene_knockout", "scaffold")
    with pytest.raises(InputError, match="no modality 'smell'"):
        modalities_of(hideable, "smell", "random")
    with pytest.raises(ConfigError, match="unknown pattern 'colour'"):
        modalities_of(hideable, "morphology", "colour")
    with pytest.raises(InputError, match="nothing to hide"):
        modalities_of(Hideable.of(hideable.corpus.select([])), "all", "random")


def test_genes_go_missing_one_by_one(hideable: Hideable) -> None:
    genes = hideable.corpus.modalities["gene_knockout"].rows
    assert (patterns["random"](hideable, "gene_knockout") == genes).all()


def test_plates_are_read_in_the_order_of_the_profiles(planted: PlantedCorpus, tmp_path: Path) -> None:
    assert read_plates(None, planted.corpus) == {}
    plates = planted.truth.plates["morphology"]
    table = pd.DataFrame({"plate": [f"P{plate}" for plate in plates]})
    table.to_csv(tmp_path / "morphology.csv", index=False)
    found = read_plates(tmp_path, planted.corpus)
    assert list(found) == ["morphology"]
    assert found["morphology"].tolist() == table["plate"].tolist()
    for wrong, message in (
        (table[:-1], rf"{len(table) - 1} rows for {len(table)} profiles of morphology"),
        (table.rename(columns={"plate": "tray"}), "has no column plate"),
    ):
        wrong.to_csv(tmp_path / "morphology.csv", index=False)
        with pytest.raises(InputError, match=message):
            read_plates(tmp_path, planted.corpus)
    (tmp_path / "morphology.csv").unlink()
    with pytest.raises(InputError, match="holds no table of plates"):
        read_plates(tmp_path, planted.corpus)
    with pytest.raises(InputError, match="no such folder"):
        read_plates(tmp_path / "absent", planted.corpus)
