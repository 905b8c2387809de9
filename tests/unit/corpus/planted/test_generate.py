"""The planted corpus as a whole: shapes, rates, truth, determinism, limits."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit.Chem.Scaffolds import MurckoScaffold

from cytomol.corpus.planted import PlantedCorpus, PlantedOptions, generate_planted
from cytomol.errors import ConfigError, InputError


@pytest.fixture(scope="module")
def planted() -> PlantedCorpus:
    return generate_planted(2000, seed=0)


def observed(planted: PlantedCorpus, name: str) -> np.ndarray:
    mask = np.zeros(len(planted.corpus), dtype=bool)
    mask[planted.corpus.modalities[name].rows] = True
    return mask


def test_tables_agree(planted: PlantedCorpus) -> None:
    corpus, truth = planted.corpus, planted.truth
    assert list(truth.molecules["mol_id"]) == list(corpus.molecules["mol_id"])
    assert list(truth.genes["gene_id"]) == list(corpus.genes["gene_id"])
    assert truth.responses.shape == (2000, 12)
    assert corpus.molecules["inchikey"].str.len().eq(27).all()
    assert {name: m.width for name, m in corpus.modalities.items()} == {
        "morphology": 60,
        "expression": 100,
        "gene_knockout": 60,
    }
    assert set(corpus.modalities["expression"].columns) <= set(corpus.genes["gene_id"])


def test_missingness_is_uneven(planted: PlantedCorpus) -> None:
    morphology, expression = observed(planted, "morphology"), observed(planted, "expression")
    assert morphology.mean() == pytest.approx(0.48, abs=0.05)
    assert expression.mean() == pytest.approx(0.24, abs=0.04)
    assert 0.3 < (~morphology & ~expression).mean() < 0.6
    # not at random: what acts is looked at more, and what was looked at once is looked at again
    active = (planted.truth.molecules["target"] >= 0).to_numpy()
    assert morphology[active].mean() > 1.4 * morphology[~active].mean()
    assert (morphology & expression).mean() > 1.1 * morphology.mean() * expression.mean()


def test_some_molecules_were_measured_twice(planted: PlantedCorpus) -> None:
    rows = planted.corpus.modalities["morphology"].rows
    repeats = len(rows) - len(np.unique(rows))
    assert repeats == pytest.approx(0.05 * len(np.unique(rows)), abs=1)


@pytest.mark.parametrize("name", ["morphology", "expression", "gene_knockout"])
def test_profiles_show_the_response_through_the_noise(planted: PlantedCorpus, name: str) -> None:
    modality = planted.corpus.modalities[name]
    clean = planted.truth.noiseless(name, modality.rows)
    correlations = []
    for column in range(modality.width):
        ok = ~np.isnan(modality.values[:, column])
        low, high = np.quantile(modality.values[ok, column], [0.01, 0.99])
        clipped = np.clip(modality.values[ok, column], low, high)
        correlations.append(np.corrcoef(clipped, clean[ok, column])[0, 1])
    assert 0.6 < np.median(correlations) < 0.95


def test_expression_has_heavy_tails(planted: PlantedCorpus) -> None:
    values = np.abs(planted.corpus.modalities["expression"].values)
    assert np.nanmax(values) > 20 * np.nanquantile(values, 0.75)


def test_noiseless_profiles_cover_everybody(planted: PlantedCorpus) -> None:
    truth = planted.truth
    every = truth.noiseless("morphology")
    assert every.shape == (2000, 60)
    assert np.allclose(truth.noiseless("morphology", np.array([5, 3])), every[[5, 3]], rtol=1e-5)
    assert truth.noiseless("gene_knockout").shape == (300, 60)
    with pytest.raises(InputError, match="no modality nothing"):
        truth.noiseless("nothing")


def test_relations_are_partly_wrong_and_the_truth_knows_where(planted: PlantedCorpus) -> None:
    corpus, truth = planted.corpus, planted.truth
    leaf, gene_leaf = truth.molecules["target"].to_numpy(), truth.genes["target"].to_numpy()
    family = truth.genes["family"].to_numpy()
    targets, pairs = corpus.relations["compound_targets_gene"], corpus.relations["gene_gene"]
    for i in range(len(targets)):
        right = leaf[targets.source[i]] >= 0 and leaf[targets.source[i]] == gene_leaf[targets.target[i]]
        assert right == truth.relations["compound_targets_gene"][i]
    for i in range(len(pairs)):
        right = family[pairs.source[i]] >= 0 and family[pairs.source[i]] == family[pairs.target[i]]
        assert right == truth.relations["gene_gene"][i]
    for name, relation in corpus.relations.items():
        assert 0.7 < truth.relations[name].mean() < 0.95
        assert len(np.unique(np.column_stack([relation.source, relation.target]), axis=0)) == len(relation)
        assert np.all(np.abs(relation.weight) <= 1)
        assert np.all(relation.weight != 0)


def test_regulation_points_at_what_changes(planted: PlantedCorpus) -> None:
    corpus, truth = planted.corpus, planted.truth
    relation, correct = corpus.relations["gene_regulates_gene"], truth.relations["gene_regulates_gene"]
    columns = list(corpus.modalities["expression"].columns)
    column_of = {
        gene: columns.index(name) for gene, name in enumerate(corpus.genes["gene_id"]) if name in columns
    }
    readout = truth.readouts["expression"]
    effect = readout(truth.gene_responses) / readout.unit
    assert np.all(relation.source != relation.target)
    for i in np.flatnonzero(correct):
        change = effect[relation.source[i]]
        column = column_of[int(relation.target[i])]
        assert np.sign(relation.weight[i]) == -np.sign(change[column])
        assert (np.abs(change) > np.abs(change[column])).sum() < 8


def test_no_annotation_tells_on_test_molecules(planted: PlantedCorpus) -> None:
    test = planted.assay_rows[planted.fold == "test"]
    assert not np.isin(planted.corpus.relations["compound_targets_gene"].source, test).any()


def test_assays_and_folds(planted: PlantedCorpus) -> None:
    assert list(planted.assays["smiles"]) == [planted.corpus.smiles[row] for row in planted.assay_rows]
    assert {fold: int((planted.fold == fold).sum()) for fold in ("train", "valid", "test")} == {
        "train": 240,
        "valid": 80,
        "test": 400,
    }
    scaffolds = planted.assays["smiles"].map(MurckoScaffold.MurckoScaffoldSmiles)
    assert planted.assays.groupby(scaffolds).apply(lambda part: len(set(planted.fold[part.index])) == 1).all()
    tasks = planted.truth.assays["task"]
    assert list(planted.assays.columns) == ["smiles", *tasks]
    assert planted.assays[tasks].isna().mean().between(0.1, 0.2).all()
    assert planted.assays[tasks].mean().between(0.3, 0.6).all()
    for task in tasks:
        for fold in ("train", "valid", "test"):
            assert planted.assays[task][planted.fold == fold].nunique() == 2


def test_same_seed_same_corpus() -> None:
    first, second, other = (generate_planted(200, seed) for seed in (5, 5, 6))
    assert first.corpus.molecules.equals(second.corpus.molecules)
    assert first.assays.equals(second.assays)
    for name, modality in first.corpus.modalities.items():
        assert np.array_equal(modality.values, second.corpus.modalities[name].values, equal_nan=True)
    assert not first.corpus.molecules["smiles"].equals(other.corpus.molecules["smiles"])


@pytest.mark.parametrize("seed", [0, 1])
def test_smallest(seed: int) -> None:
    planted = generate_planted(200, seed)
    assert len(planted.corpus) == 200
    assert all(len(relation) for relation in planted.corpus.relations.values())
    assert (planted.assays.drop(columns="smiles")[planted.fold == "train"].nunique() == 2).all()


def test_options() -> None:
    options = PlantedOptions(
        genes=120, morphology_width=7, expression_width=120, perturbation_width=5, labelled=60
    )
    planted = generate_planted(300, 0, options)
    assert [m.width for m in planted.corpus.modalities.values()] == [7, 120, 5]
    assert len(planted.corpus.genes) == 120
    assert (planted.fold == "train").sum() == 60


@pytest.mark.parametrize("size", [0, 199, 1_000_001])
def test_size_out_of_range(size: int) -> None:
    with pytest.raises(InputError, match=f"corpus of {size} molecules"):
        generate_planted(size)


def test_bad_options() -> None:
    with pytest.raises(InputError, match="seed -1 is negative"):
        generate_planted(200, -1)
    with pytest.raises(InputError, match="the expression of 200 genes"):
        generate_planted(200, 0, PlantedOptions(genes=100, expression_width=200))
    with pytest.raises(ConfigError, match="morphology_rate"):
        PlantedOptions.build({"morphology_rate": 2.0})
