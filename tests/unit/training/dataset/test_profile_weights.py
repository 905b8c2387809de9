"""Weights and corrections of profiles on their way into training: from training molecules alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytomol.corpus import Corpus
from cytomol.corpus.correction import GroupCorrection
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.provenance import Provenance
from cytomol.errors import ConfigError
from cytomol.methods import methods
from cytomol.methods.config import CHMRConfig, ContrastiveConfig, InfoAlignConfig, MethodConfig
from cytomol.progress import Reporter
from cytomol.training.dataset.data import PretrainData, stream
from cytomol.training.dataset.prepare import corpus_digest, prepare
from cytomol.training.dataset.profile_weights import ProfileWeights, mean_modality
from cytomol.training.dataset.resident import ResidentData
from cytomol.training.dataset.targets import DenseTarget

CONFIGS: dict[str, type[MethodConfig]] = {
    "chmr": CHMRConfig,
    "contrastive": ContrastiveConfig,
    "infoalign": InfoAlignConfig,
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    planted = generate_planted(200, seed=3).corpus
    rng = np.random.default_rng(0)
    modalities: dict[str, Any] = {}
    for name, modality in planted.modalities.items():
        reliability = rng.uniform(-0.3, 1, len(modality)).astype(np.float32)
        reliability[::6] = np.nan
        plates = np.array([f"P{row % 2}" for row in range(len(modality))], dtype=object)
        about = Provenance(reliability, {"Metadata_Plate": plates}, "center", "Metadata_Plate")
        values = modality.values + np.float32(5) * (plates == "P1")[:, None]
        modalities[name] = replace(modality, values=values, provenance=about)
    return replace(planted, modalities=modalities)


def _prepared(corpus: Corpus, method: str, **options: Any) -> PretrainData:
    kind = CONFIGS[method]
    views = {} if method == "infoalign" else {"views": ("1d", "2d")}
    return prepare(corpus, kind.build({"validation_fraction": 0.2, **views, **options}), Reporter(quiet=True))


@given(arrays(np.float32, 30, elements=st.floats(-1, 1, width=16)), st.floats(0.01, 1))
def test_training_profiles_weigh_one_on_average_and_none_nothing(
    reliability: np.ndarray, least: float
) -> None:
    weights = ProfileWeights.fit(reliability, least)
    found = weights.of(reliability)
    assert found.mean() == pytest.approx(1, rel=1e-5)
    assert (found > 0).all()
    order = np.argsort(reliability, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert weights.of(np.array([np.nan], np.float32))[0] == pytest.approx(1)


def test_least_of_nought_lets_profiles_weigh_nothing() -> None:
    assert ProfileWeights.fit(np.array([-0.5, 1.0], np.float32), 0).of(
        np.array([-0.5, 1.0], np.float32)
    ).tolist() == [0, 2]
    assert ProfileWeights.fit(np.array([-0.5, -1.0], np.float32), 0).average == 1


@pytest.mark.parametrize("method", CONFIGS)
def test_nothing_changes_unless_asked_and_only_training_profiles_tell(corpus: Corpus, method: str) -> None:
    bare = _prepared(corpus, method)
    assert all(profile.weight is None for profile in bare.profiles.values())
    assert all(getattr(target, "row_weight", None) is None for target in bare.targets.values())
    data = _prepared(corpus, method, profile_weights="reliability")
    held = np.isin(np.arange(len(corpus)), data.validation)
    changed: dict[str, Any] = {}
    for name, modality in corpus.modalities.items():
        if modality.entity != "molecule":
            changed[name] = modality
            continue
        values, about = modality.values.copy(), modality.provenance
        values[held[modality.rows]] *= -3
        reliability = about.reliability.copy()  # type: ignore[union-attr]
        reliability[held[modality.rows]] = 1
        changed[name] = replace(modality, values=values, provenance=replace(about, reliability=reliability))
    other = _prepared(replace(corpus, modalities=changed), method, profile_weights="reliability")
    assert set(other.corrections) == set(data.corrections) != set()
    for name, correction in data.corrections.items():
        np.testing.assert_array_equal(correction.shift, other.corrections[name].shift)
        np.testing.assert_array_equal(data.typical[name].mean, other.typical[name].mean)
    for name, profile in data.profiles.items():
        assert profile.weight is not None
        weight = other.profiles[name].weight
        assert weight is not None
        rows = data.train if corpus.modalities[name].entity == "molecule" else np.arange(len(corpus))
        np.testing.assert_array_equal(profile.weight[rows], weight[rows])


def test_corrected_profiles_have_lost_their_plate(corpus: Corpus) -> None:
    data = _prepared(corpus, "contrastive", modalities=("morphology",))
    raw = _prepared(corpus, "contrastive", modalities=("morphology",), profile_correction="none")
    assert raw.corrections == {}
    assert isinstance(data.corrections["morphology"], GroupCorrection)
    modality = corpus.modalities["morphology"]
    plate = modality.provenance.labels["Metadata_Plate"] == "P1"
    train = np.isin(modality.rows, data.train)

    def apart(prepared: PretrainData) -> float:
        rows = prepared.profiles["morphology"].measured
        place = rows.position[modality.rows]
        means = [rows.values[place[train & on]].mean(axis=0) for on in (plate, ~plate)]
        return float(np.abs(means[0] - means[1]).mean())

    assert apart(raw) > 10 * apart(data)


def test_weights_of_targets_multiply_the_walks(corpus: Corpus) -> None:
    data = _prepared(corpus, "infoalign", profile_weights="reliability", validation_fraction=0)
    target = data.targets["morphology"]
    assert isinstance(target, DenseTarget)
    assert target.row_weight is not None
    nodes = np.array([[target.first, target.first + 1, 0]])
    ways = np.array([[1.0, 0.5, 0.25]], np.float32)
    sums = target.sums(nodes, ways, validation=False)
    assert sums.square is not None
    factor = np.array([1.0, 0.5]) * target.row_weight[:2]
    known = ~np.isnan(target.values[:2])
    filled = np.nan_to_num(target.values[:2])
    np.testing.assert_allclose(sums.weight[0], factor @ known, rtol=1e-5)
    np.testing.assert_allclose(sums.value[0], factor @ filled, rtol=1e-5)
    np.testing.assert_allclose(sums.square[0], factor @ filled**2, rtol=1e-5)
    assert float(sums.entries) == known.sum()


@pytest.mark.parametrize("method", CONFIGS)
@pytest.mark.parametrize("validation", [False, True])
def test_batches_on_the_device_weigh_alike(corpus: Corpus, method: str, validation: bool) -> None:
    data = _prepared(corpus, method, profile_weights="reliability")
    rows = data.validation if validation else data.train[:40]
    host = data.batch(rows, stream(0, 1), validation=validation)
    there = ResidentData(data, "cpu").batch(data.draw(rows, stream(0, 1), validation=validation))
    for name, response in host.responses.items():
        weight = there.responses[name].weight
        assert response.weight is not None
        assert weight is not None
        np.testing.assert_array_equal(response.weight, weight)
    for name, sums in host.targets.items():
        found = there.targets[name]
        assert sums.rows is not None
        np.testing.assert_allclose(found.value[sums.rows], sums.value, rtol=1e-5, atol=1e-6)
        assert float(found.value.sum()) == pytest.approx(float(sums.value.sum()), rel=1e-4)


@pytest.mark.parametrize("method", CONFIGS)
def test_equal_reliabilities_change_no_loss(corpus: Corpus, method: str) -> None:
    level: dict[str, Any] = {}
    for name, modality in corpus.modalities.items():
        alike = np.full(len(modality), 0.5, np.float32)
        level[name] = replace(modality, provenance=replace(modality.provenance, reliability=alike))
    losses = []
    for options in ({}, {"profile_weights": "reliability"}):
        data = _prepared(replace(corpus, modalities=level), method, **options)
        torch.manual_seed(0)
        module = (
            methods[method]
            .from_config(
                CONFIGS[method].build(
                    {"width": 16, "layers": 2, **({} if method == "infoalign" else {"views": ("1d", "2d")})}
                ),
                data.dimensions,
            )
            .eval()
        )
        torch.manual_seed(1)
        losses.append(module(data.batch(data.train[:60], stream(0, 1))).loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("method", CONFIGS)
def test_a_profile_that_weighs_nothing_tells_nothing(corpus: Corpus, method: str) -> None:
    """Whatever the values of unreliable profiles are, the loss is the same, but for what spreads them."""
    options: dict[str, Any] = {
        "profile_weights": "reliability",
        "least_weight": 0,
        "validation_fraction": 0,
        "modalities": ("morphology",),
        "profile_correction": "none",
    }
    if method == "chmr":  # propagation and the code book read all measured profiles
        options |= {
            "augmentation": "zero",
            "quantizer": "none",
            "decode_from": "anchor",
            "distribution_alignment": False,
        }
    if method != "contrastive":
        options |= {"criteria": ("molecule_molecule",), "walk_length": 0}
    modality = corpus.modalities["morphology"]
    rng = np.random.default_rng(1)
    worthless = rng.random(len(corpus))[modality.rows] < 0.5  # all repeats of a molecule alike
    reliability = np.where(worthless, 0, 1).astype(np.float32)
    losses = []
    for number in range(2):
        values = np.nan_to_num(modality.values)  # a hole would read the mean over molecules
        # a permutation of the worthless rows: what scales the features stays the same
        values[worthless] = (
            values[rng.permutation(np.flatnonzero(worthless))] if number else values[worthless]
        )
        one = replace(modality, values=values, provenance=Provenance(reliability))
        data = _prepared(
            replace(corpus, modalities={**corpus.modalities, "morphology": one}), method, **options
        )
        torch.manual_seed(0)
        config = CONFIGS[method].build(
            {
                "width": 16,
                "layers": 2,
                **({} if method == "infoalign" else {"views": ("1d", "2d")}),
                **options,
            }
        )
        module = methods[method].from_config(config, data.dimensions).eval()
        torch.manual_seed(1)
        losses.append(module(data.batch(data.train[:60], stream(0, 1))).loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_reliabilities_of_repeats_are_averaged(corpus: Corpus) -> None:
    modality = corpus.modalities["morphology"].take(np.array([0, 1, 2, 3]))
    repeated = replace(
        modality,
        rows=np.array([5, 5, 9, 9]),
        provenance=Provenance(np.array([0.2, 0.6, np.nan, 0.4], np.float32)),
    )
    mean = mean_modality(repeated)
    assert mean.rows.tolist() == [5, 9]
    assert mean.provenance.reliability is not None
    np.testing.assert_allclose(mean.provenance.reliability, [0.4, 0.4], rtol=1e-6)


def test_what_cannot_be_is_said(corpus: Corpus) -> None:
    bare = {name: replace(one, provenance=Provenance()) for name, one in corpus.modalities.items()}
    with pytest.raises(ConfigError, match="no modality says how far"):
        _prepared(replace(corpus, modalities=bare), "chmr", profile_weights="reliability")
    with pytest.raises(ConfigError, match="cannot be corrected one by one"):
        _prepared(corpus, "infoalign", target_spaces="pooled")
    with pytest.raises(ConfigError, match="cannot be weighted one by one"):
        _prepared(
            corpus,
            "infoalign",
            target_spaces="pooled",
            profile_weights="reliability",
            profile_correction="none",
        )


def test_the_digest_knows_them(corpus: Corpus) -> None:
    bare = {name: replace(one, provenance=Provenance()) for name, one in corpus.modalities.items()}
    plain = replace(corpus, modalities=bare)
    assert corpus_digest(corpus) != corpus_digest(plain)
    about = corpus.modalities["morphology"].provenance
    other = replace(corpus.modalities["morphology"], provenance=replace(about, correction="standardise"))
    assert corpus_digest(
        replace(corpus, modalities={**corpus.modalities, "morphology": other})
    ) != corpus_digest(corpus)
