"""From corpus to batches: statistics from training molecules alone, targets of the right nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cytomol.chem.similarity import EXACT_UP_TO
from cytomol.context import ContextOptions
from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.scaling import FeatureScaler
from cytomol.errors import ConfigError, InputError
from cytomol.methods.config import CHMRConfig, InfoAlignConfig, MethodConfig
from cytomol.nn.batch import Batch
from cytomol.progress import Reporter
from cytomol.training.dataset.data import PretrainData, stream
from cytomol.training.dataset.prepare import corpus_digest, edge_criteria, prepare
from cytomol.training.dataset.targets import DenseTarget


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return generate_planted(200, seed=3).corpus


def _prepared(corpus: Corpus, config: MethodConfig | None = None) -> PretrainData:
    config = config or CHMRConfig(views=("1d", "2d"), validation_fraction=0.2)
    return prepare(corpus, config, Reporter(quiet=True))


def _walked(batch: Batch, name: str) -> list[Any]:
    """Return what the walks of a batch collected in one target space."""
    sums = batch.targets[name]
    return [sums.rows.tolist(), sums.value.tolist(), sums.weight.tolist(), float(sums.entries)]


def _bare(corpus: Corpus, smiles: list[str]) -> Corpus:
    """Return a corpus of these molecules, of which nothing is known."""
    molecules = corpus.molecules.iloc[: len(smiles)].drop(columns="inchikey").assign(smiles=smiles)
    return replace(corpus, molecules=molecules, modalities={}, relations={})


def test_validation_molecules_tell_nothing_to_training(corpus: Corpus) -> None:
    data = _prepared(corpus)
    assert len(data.validation) == pytest.approx(40, abs=2)
    assert not set(data.train) & set(data.validation)
    held = np.isin(np.arange(len(corpus)), data.validation)
    changed: dict[str, Any] = {}
    for name, modality in corpus.modalities.items():
        values = modality.values.copy()
        if modality.entity == "molecule":
            assert held[modality.rows].any()
            values[held[modality.rows]] *= -7
        changed[name] = replace(modality, values=values)
    other = _prepared(replace(corpus, modalities=changed))
    for name, modality in corpus.modalities.items():
        for key, array in data.scalers[name].arrays().items():
            np.testing.assert_array_equal(array, other.scalers[name].arrays()[key])
        np.testing.assert_array_equal(data.profiles[name].placeholder, other.profiles[name].placeholder)
        np.testing.assert_array_equal(
            data.profiles[name].augmented.values, other.profiles[name].augmented.values
        )
        target = data.targets[name]
        assert isinstance(target, DenseTarget)
        if modality.entity == "molecule":
            assert not (target.train & held[modality.rows]).any()
        else:
            assert target.train.all()


def test_scalers_are_fitted_on_training_profiles(corpus: Corpus) -> None:
    data = _prepared(corpus)
    modality = next(m for m in corpus.modalities.values() if m.entity == "molecule")
    train = np.isin(modality.rows, data.train)
    expected = FeatureScaler.fit(modality.values[train], "robust")
    np.testing.assert_array_equal(data.scalers[modality.name].low, expected.low)


def test_stereoisomers_and_isotopes_stay_on_one_side(corpus: Corpus) -> None:
    """Each of twenty skeletons comes in four forms, far apart in the table."""
    forms = ("C[C@H](N){}O", "C[C@@H](N){}O", "CC(N){}O", "[13CH3]C(N){}O")
    smiles = [form.format("C" * length) for form in forms for length in range(2, 22)]
    held = np.zeros(80, np.bool_)
    held[_prepared(_bare(corpus, smiles)).validation] = True
    skeletons = held.reshape(4, 20)
    assert (skeletons == skeletons[0]).all()
    assert skeletons[0].sum() == 4
    other = _prepared(_bare(corpus, smiles), CHMRConfig(views=("1d", "2d"), validation_fraction=0.2, seed=1))
    assert set(other.validation) != set(np.flatnonzero(held))


def test_geometry_is_standardised_by_training_molecules(corpus: Corpus) -> None:
    smiles = ["C" * length + "O" for length in range(1, 25)]
    config = CHMRConfig(views=("1d", "3d"), validation_fraction=0.4, workers=1)
    data = _prepared(_bare(corpus, smiles), config)
    assert len(data.validation) > 5
    geometry = data.store.blocks["geometry"]

    def location_and_spread(rows: NDArray[np.int64], column: int) -> tuple[float, float]:
        values = sorted(float(geometry[row, column]) for row in rows)

        def quantile(share: float) -> float:
            place = share * (len(values) - 1)
            low = int(place)
            return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])

        return quantile(0.5), (quantile(0.75) - quantile(0.25)) / 1.349

    everyone = np.arange(24)
    for column in (0, 5, 20):
        center, spread = location_and_spread(data.train, column)
        assert data.builder.center[column] == pytest.approx(center, rel=1e-4)
        assert data.builder.spread[column] == pytest.approx(spread, rel=1e-3)
        assert location_and_spread(everyone, column) != pytest.approx((center, spread), rel=1e-2)


def test_profiles_of_invalid_molecules_are_no_input(corpus: Corpus) -> None:
    """What was measured of a molecule that cannot be read neither enters a batch nor spreads."""
    modality = corpus.modalities["morphology"]
    # none that sets the scale of a column, so that the scale is the same without them
    extreme = np.concatenate([modality.values.argmin(axis=0), modality.values.argmax(axis=0)])
    bad = np.setdiff1d(modality.rows, modality.rows[extreme])[:3]
    molecules = corpus.molecules.copy()
    molecules.loc[bad, "smiles"] = ["C1CC", "nonsense(", ""]
    config = CHMRConfig(views=("1d", "2d"), scaling="minmax", validation_fraction=0)
    whole = replace(corpus, molecules=molecules)
    marked = np.isin(np.arange(len(corpus)), bad)
    found, wanted = (
        _prepared(given, config).profiles["morphology"]
        for given in (whole, whole.without_profiles_of(marked))
    )
    others = [row for row in np.unique(modality.rows) if row not in bad]
    assert np.flatnonzero(found.measured.position >= 0).tolist() == others
    for table in ("measured", "augmented", "held_out"):
        one, other = getattr(found, table), getattr(wanted, table)
        np.testing.assert_array_equal(one.position, other.position)
        np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(found.placeholder, wanted.placeholder)


def test_nothing_measured_of_invalid_molecules_is_learnt(corpus: Corpus) -> None:
    """Whether they have profiles makes no difference to scales, targets, context or inputs."""
    bad = np.unique(corpus.modalities["morphology"].rows)[:12]
    molecules = corpus.molecules.copy()
    molecules.loc[bad, "smiles"] = "C1CC"
    whole = replace(corpus, molecules=molecules)
    modalities = {}
    for name, modality in corpus.modalities.items():
        values = modality.values.copy()
        if modality.entity == "molecule":
            values[np.isin(modality.rows, bad)] += 100  # nothing that is fitted on them could be the same
        modalities[name] = replace(modality, values=values)
    marked = np.isin(np.arange(len(corpus)), bad)
    config = CHMRConfig(
        views=("1d", "2d"), scaling="minmax", profile_inputs="zscore", validation_fraction=0.2
    )
    found, wanted = (
        _prepared(given, config)
        for given in (replace(whole, modalities=modalities), whole.without_profiles_of(marked))
    )
    for name in wanted.scalers:
        for one, other in ((found.scalers, wanted.scalers), (found.input_scalers, wanted.input_scalers)):
            for key, array in other[name].arrays().items():
                np.testing.assert_array_equal(one[name].arrays()[key], array, err_msg=f"{name} {key}")
        np.testing.assert_array_equal(found.profiles[name].placeholder, wanted.profiles[name].placeholder)
        np.testing.assert_array_equal(found.targets[name].train, wanted.targets[name].train)
    for part in ("indptr", "indices", "weights"):
        np.testing.assert_array_equal(getattr(found.graph, part), getattr(wanted.graph, part))
    one, other = (data.batch(data.train, stream(0, 1)) for data in (found, wanted))
    assert one.targets.keys() == other.targets.keys()
    for name in one.targets:
        assert _walked(one, name) == _walked(other, name), name


def test_missing_profiles_come_from_the_nearest_molecules_alone(corpus: Corpus) -> None:
    config = CHMRConfig(
        views=("1d", "2d"), validation_fraction=0.2, neighbours=3, propagation_steps=1, workers=1
    )
    data = _prepared(corpus, config)
    bits = data.store.dense("morgan").astype(np.float64)
    inputs = data.profiles["morphology"]
    expected = {}
    for row in range(len(corpus)):
        shared = bits @ bits[row]
        similarity = (shared / (bits.sum(axis=1) + bits[row].sum() - shared)).astype(np.float32)
        similarity[row] = -1
        nearest = np.lexsort([np.arange(len(corpus)), -similarity])[:3]
        known = [j for j in nearest if inputs.measured.position[j] >= 0 and j in data.train]
        if known and inputs.measured.position[row] < 0:
            weight = similarity[known].astype(np.float64)
            profiles = inputs.measured.values[inputs.measured.position[known]]
            expected[row] = weight @ profiles / weight.sum()
    assert np.flatnonzero(inputs.augmented.position >= 0).tolist() == list(expected)
    assert 20 < len(expected) < int((inputs.measured.position < 0).sum())
    found, _ = inputs.augmented.gather(np.array(list(expected)), inputs.placeholder)
    np.testing.assert_allclose(found, np.stack(list(expected.values())), atol=1e-5)


def test_targets_lie_between_nought_and_one_and_batches_are_row_aligned(corpus: Corpus) -> None:
    data = _prepared(corpus)
    rows = data.train[[5, 2, 9, 100]]
    batch = data.batch(rows, stream(0, 1))
    assert batch.size == 4
    assert set(batch.targets) == {"morgan", "maccs", *corpus.modalities}
    for sums in batch.targets.values():
        assert bool((sums.value <= sums.weight + 1e-5).all())
        assert bool((sums.value >= 0).all())
    # every walk starts at its own molecule, whose fingerprint is a target with weight 1 or more
    bits = data.store.dense("morgan", rows)
    assert batch.targets["morgan"].rows.tolist() == [0, 1, 2, 3]
    assert bool((batch.targets["morgan"].value.numpy() >= bits - 1e-6).all())
    for name, modality in corpus.modalities.items():
        if modality.entity == "molecule":
            assert batch.responses[name].measured.known.tolist() == np.isin(rows, modality.rows).tolist()
        assert bool((batch.responses[name].augmented.known | ~batch.responses[name].measured.known).all())


def test_equal_randomness_gives_equal_batches(corpus: Corpus) -> None:
    data = _prepared(corpus)
    one, two, other = (data.batch(data.train[:50], stream(seed, 1, 2)) for seed in (7, 7, 8))

    assert all(_walked(one, name) == _walked(two, name) for name in one.targets)
    for name in ("morgan", "maccs", "morphology", "expression"):
        assert _walked(one, name) != _walked(other, name), name


def test_gene_profiles_are_targets_too(corpus: Corpus) -> None:
    data = _prepared(corpus, InfoAlignConfig(walk_length=8))
    genes = [name for name, modality in corpus.modalities.items() if modality.entity == "gene"]
    batch = data.batch(data.train, stream(0, 1))
    assert genes
    assert all(len(batch.targets[name].rows) > 0 for name in genes)
    assert data.profiles == {}
    assert batch.responses == {}


def test_without_a_walk_only_the_molecule_itself_is_a_target(corpus: Corpus) -> None:
    data = _prepared(corpus, InfoAlignConfig(walk_length=0))
    batch = data.batch(data.train[:20], stream(0, 1))
    assert batch.targets["morgan"].weight.ravel().tolist() == [1.0] * 20
    assert np.array_equal(batch.targets["morgan"].value.numpy(), data.store.dense("morgan", data.train[:20]))


def test_the_digest_knows_the_data(corpus: Corpus) -> None:
    modality = next(iter(corpus.modalities.values()))
    values = modality.values.copy()
    values[0, 0] += 1
    changed = {**corpus.modalities, modality.name: replace(modality, values=values)}
    assert corpus_digest(corpus) == corpus_digest(replace(corpus))
    assert corpus_digest(corpus) != corpus_digest(replace(corpus, modalities=changed))
    assert corpus_digest(corpus) != corpus_digest(replace(corpus, relations={}))


def test_chosen_criteria_alone_make_edges(corpus: Corpus) -> None:
    data = _prepared(corpus, InfoAlignConfig(criteria=("target", "profile")))
    assert set(data.graph.report) == {"target", "profile"}
    assert edge_criteria(InfoAlignConfig(criteria=("target",), walk_length=0)) == ()
    assert "readout" not in edge_criteria(InfoAlignConfig(readout_fraction=0))
    with pytest.raises(ConfigError, match="unknown edge criterion 'taste'"):
        edge_criteria(InfoAlignConfig(criteria=("taste",)))


def test_profiles_that_are_no_target_stay_in_the_context(corpus: Corpus) -> None:
    first, *others = corpus.modalities
    data = _prepared(corpus, CHMRConfig(views=("1d",), profile_targets=tuple(others)))
    assert set(data.targets) == {"morgan", "maccs", *others}
    assert first in data.profiles
    assert first in data.graph.offsets
    with pytest.raises(InputError, match="no modality smell"):
        _prepared(corpus, CHMRConfig(views=("1d",), profile_targets=("smell",)))


@pytest.mark.parametrize(("options", "how"), [({}, "exact"), ({"exact_up_to": 150}, "index")])
def test_above_the_stated_size_an_index_is_asked_and_says_so(
    corpus: Corpus, options: dict[str, Any], how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = CHMRConfig(views=("1d", "2d"), **options)
    data = prepare(corpus, config, Reporter())
    said = capsys.readouterr().err
    report = data.graph.report["structure"]
    assert report["search"] == how
    assert f"structural neighbours: {how}" in said
    assert ("search index, recall" in said) == (how == "index")
    if how == "index":
        assert report["recall"] >= 0.95
        assert report["sampled"] == 200


def test_the_stated_size_is_the_same_everywhere() -> None:
    assert ContextOptions().exact_up_to == CHMRConfig().exact_up_to == EXACT_UP_TO


def test_a_modality_without_profiles_is_left_out(corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    name, modality = next(iter(corpus.modalities.items()))
    empty = {**corpus.modalities, name: modality.take(np.empty(0, np.int64))}
    data = prepare(replace(corpus, modalities=empty), InfoAlignConfig(), Reporter())
    assert name not in data.targets
    assert f"without profiles, so not learnt from: {name}" in capsys.readouterr().err


def test_two_molecules_are_left_to_learn_from(corpus: Corpus) -> None:
    few = _bare(corpus, ["CCO", "CCN", "CCC"])
    data = _prepared(few, CHMRConfig(views=("1d",), validation_fraction=0.9, workers=1))
    assert (len(data.train), len(data.validation)) == (2, 1)
