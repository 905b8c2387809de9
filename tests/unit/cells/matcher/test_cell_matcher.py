"""The matcher finds planted signals across scaffolds, is saved whole, and says what it cannot do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cytomol.cells.matcher.cell_matcher import CellMatcher, MatcherOptions, scaffold_groups
from cytomol.cells.matcher.matcher_model import MatcherModel, fit_matcher
from cytomol.cells.matcher.prepared_profiles import ProfilePreparation
from cytomol.cells.matcher.structure_kernel import StructureKernel, structure_blocks
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.schema import Corpus
from cytomol.errors import InputError, ModelDirectoryError

Blocks = dict[str, np.ndarray]


def planted(rows: int = 150) -> tuple[Blocks, np.ndarray]:
    """Return molecules of 30 columns of counts, and profiles that are a function of the first ten."""
    rng = np.random.default_rng(0)
    counts = (rng.random((rows, 30)) < 0.3).astype(np.float32)
    profiles = counts[:, :10] @ rng.normal(size=(10, 6)) + rng.normal(0, 0.5, (rows, 6))
    return {"counts": counts}, profiles.astype(np.float32)


def recall(matcher: CellMatcher, blocks: Blocks, profiles: np.ndarray) -> float:
    scores = matcher.molecules(blocks) @ matcher.profiles(profiles).T
    own = np.diag(scores)
    return float(((scores > own[:, None]).sum(axis=1) < 0.1 * len(own)).mean())


def fitted(blocks: Blocks, profiles: np.ndarray, **more: object) -> CellMatcher:
    rows = np.arange(len(profiles))
    return CellMatcher.fit(blocks, profiles, rows, groups=rows % 25, **more)  # type: ignore[arg-type]


def test_it_finds_what_structure_says_and_nothing_else() -> None:
    blocks, profiles = planted()
    head, tail = (
        {name: block[part] for name, block in blocks.items()} for part in (slice(100), slice(100, None))
    )
    assert recall(fitted(head, profiles[:100]), tail, profiles[100:]) > 0.4
    shuffled = profiles[:100][np.random.default_rng(1).permutation(100)]
    assert recall(fitted(head, shuffled), tail, profiles[100:]) < 0.25


def test_places_have_length_one_and_keep_the_strength_of_a_profile() -> None:
    blocks, profiles = planted()
    matcher = fitted(blocks, profiles)
    for places in (matcher.molecules(blocks), matcher.profiles(profiles)):
        assert places.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, atol=1e-5)


def test_weight_zero_teaches_nothing() -> None:
    blocks, profiles = planted()
    spoiled = profiles.copy()
    spoiled[100:] = 1e6
    weights = (np.arange(150) < 100).astype(float)
    whole = fitted(blocks, spoiled, weights=weights)
    part = fitted({name: block[:100] for name, block in blocks.items()}, profiles[:100])
    np.testing.assert_allclose(whole.molecules(blocks), part.molecules(blocks), atol=1e-5)


def test_treatments_of_a_molecule_are_averaged() -> None:
    blocks, profiles = planted(60)
    noise = np.random.default_rng(2).normal(0, 1, profiles.shape).astype(np.float32)
    rows = np.tile(np.arange(60), 2)
    twice = np.concatenate([profiles + noise, profiles - noise])
    matcher = CellMatcher.fit(blocks, twice, rows, groups=np.arange(60) % 10)
    assert len(matcher.coefficients) == 60


def test_a_sample_and_the_folds_depend_on_the_seed_alone() -> None:
    blocks, profiles = planted()
    one, same, other = (
        fitted(blocks, profiles, options=MatcherOptions(most_molecules=80, seed=seed)).molecules(blocks)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one[:, :4] - other[:, :4]).max() > 0.01


def test_missing_features_are_typical_and_missing_profiles_have_no_place() -> None:
    blocks, profiles = planted()
    holed = profiles.copy()
    holed[::3, 0] = np.nan
    matcher = fitted(blocks, holed)
    some = holed[:4].copy()
    some[1] = np.nan
    places = matcher.profiles(some)
    assert np.isnan(places[1]).all()
    assert np.isfinite(places[[0, 2, 3]]).all()


def test_too_little_to_learn_from() -> None:
    blocks, profiles = planted()
    rows = np.arange(10)
    with pytest.raises(InputError, match="10 molecules with a profile"):
        CellMatcher.fit(blocks, profiles[:10], rows, groups=np.arange(150))
    with pytest.raises(InputError, match="the same scaffold"):
        CellMatcher.fit(blocks, profiles, np.arange(150), groups=np.zeros(150, int))


def test_another_width_is_refused() -> None:
    blocks, profiles = planted()
    with pytest.raises(InputError, match=r"\(150, 5\).*fitted on 6 features"):
        fitted(blocks, profiles).profiles(profiles[:, :5])


def test_the_kernel_is_one_with_itself() -> None:
    blocks, _ = structure_blocks(["CCO", "CCN", "c1ccccc1", "c1ccncc1"])
    kernel = StructureKernel.fit(blocks)
    similarity = kernel.similarity(blocks)
    np.testing.assert_allclose(np.diag(similarity), 1, atol=1e-5)
    np.testing.assert_allclose(similarity, similarity.T, atol=1e-5)
    assert np.linalg.eigvalsh(similarity.astype(float)).min() > -1e-5
    again = StructureKernel.from_arrays(kernel.arrays())
    np.testing.assert_array_equal(again.similarity(blocks), similarity)


def test_the_norm_has_a_column_of_its_own() -> None:
    rng = np.random.default_rng(3)
    values = (rng.normal(size=(300, 20)) * np.exp(rng.normal(size=(300, 1)))).astype(np.float32)
    preparation = ProfilePreparation.fit(values)
    prepared = preparation.transform(values)
    scores = (values - np.median(values, axis=0)) / preparation.spread
    assert np.corrcoef(prepared[:, -1], np.log(np.linalg.norm(scores, axis=1)))[0, 1] > 0.95
    assert np.abs(prepared[:, :-1]).max() <= 8
    constant = ProfilePreparation.fit(np.ones((30, 2), np.float32)).transform(np.ones((2, 2), np.float32))
    assert np.isfinite(constant).all()


def test_molecules_without_rings_are_groups_of_their_own() -> None:
    groups = scaffold_groups(["CCO", "CCN", "Cc1ccccc1", "Oc1ccccc1"])
    assert len(set(groups.tolist())) == 3
    assert groups[2] == groups[3]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return generate_planted(300).corpus


@pytest.fixture(scope="module")
def model(corpus: Corpus) -> MatcherModel:
    keys = [key[:14] for key in corpus.molecules["inchikey"]]
    return fit_matcher(corpus.smiles, keys, corpus.modalities["morphology"])


def test_a_model_directory_gives_the_same_places(model: MatcherModel, tmp_path: Path, corpus: Corpus) -> None:
    model.save(tmp_path / "matcher")
    again = MatcherModel.load(tmp_path / "matcher")
    assert (again.name, again.columns, again.facts) == (model.name, model.columns, model.facts)
    assert again.digest
    for one in (model, again):
        places, valid = one.molecules(["CCO", "no molecule"])
        assert valid.tolist() == [True, False]
        assert np.isnan(places[1]).all()
    smiles = ["CCO", "C1CC", "c1ccccc1", "CCN", "c1ccncc1"]
    whole, _ = model.molecules(smiles)
    np.testing.assert_array_equal(whole, again.molecules(smiles)[0])
    for given in (smiles, model.store(smiles)):
        np.testing.assert_allclose(model.molecules(given, batch_size=2)[0], whole, atol=1e-6)
    assert model.molecules([])[0].shape[0] == 0
    values = corpus.modalities["morphology"].values[:5]
    np.testing.assert_array_equal(model.profiles(values), again.profiles(values))


def test_features_are_matched_by_name(model: MatcherModel, corpus: Corpus) -> None:
    modality = corpus.modalities["morphology"]
    turned = model.aligned(modality.values[:, ::-1], modality.columns[::-1], where="plate.csv")
    np.testing.assert_array_equal(turned, modality.values)
    with pytest.raises(InputError, match=r"plate\.csv: lacks 1 of"):
        model.aligned(modality.values[:, 1:], modality.columns[1:], where="plate.csv")


def test_another_kind_of_model_is_refused(
    untrained: dict[str, Path], model: MatcherModel, tmp_path: Path
) -> None:
    with pytest.raises(ModelDirectoryError):
        MatcherModel.load(untrained["chmr"])
    from cytomol.artifact.directory import save_model

    save_model(tmp_path / "empty", kind="matcher", config={"modality": "m", "columns": []}, weights={})
    with pytest.raises(ModelDirectoryError, match="lacks a part of a matcher"):
        MatcherModel.load(tmp_path / "empty")


def test_invalid_molecules_and_genes_teach_nothing(corpus: Corpus) -> None:
    keys = [key[:14] for key in corpus.molecules["inchikey"]]
    broken = ["not a molecule", *corpus.smiles[1:]]
    modality = corpus.modalities["morphology"]
    first = modality.rows != 0
    without = fit_matcher(corpus.smiles, keys, modality, rows=first)
    spoiled = fit_matcher(broken, keys, modality)
    np.testing.assert_allclose(
        without.molecules(["c1ccccc1O"])[0], spoiled.molecules(["c1ccccc1O"])[0], atol=1e-4
    )
    with pytest.raises(InputError, match="holds profiles of genes"):
        fit_matcher(corpus.smiles, keys, replace(modality, entity="gene"))
