"""The authors' form of what is learnt from: where gene profiles sit, and how often walks meet them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cytomol.context import sample_walks, transition_matrix
from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.schema import Modality
from cytomol.methods.config import CHMRConfig, InfoAlignConfig
from cytomol.progress import Reporter
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.prepare import prepare
from cytomol.training.dataset.profile_inputs import input_scaler
from cytomol.training.dataset.targets import DenseTarget

GENES = "gene_knockout"
STARTS = 150


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Return a planted corpus in which a third of the genes have a profile."""
    planted = generate_planted(300, seed=1).corpus
    knockout = planted.modalities[GENES]
    modalities = {**planted.modalities, GENES: knockout.take(np.arange(0, len(knockout), 3))}
    return Corpus(planted.molecules, planted.genes, modalities, planted.relations)


def data_of(corpus: Corpus, **options: Any) -> PretrainData:
    config = InfoAlignConfig.build({"workers": 1, "validation_fraction": 0.0, **options})
    return prepare(corpus, config, Reporter(quiet=True))


def profiled_nodes(data: PretrainData) -> NDArray[np.bool_]:
    """Return which nodes carry a gene's profile, from the target alone."""
    target = data.targets[GENES]
    assert isinstance(target, DenseTarget)
    carries = np.zeros(data.graph.node_count, np.bool_)
    span = len(target.values) if target.row_of is None else len(target.row_of)
    for node in range(span):
        row = node if target.row_of is None else target.row_of[node]
        carries[target.first + node] = row >= 0
    return carries


def expected_visits(data: PretrainData, starts: NDArray[np.int64]) -> float:
    """Return how many gene profiles a walk meets on average, by powers of the transition matrix."""
    P = transition_matrix(data.graph)
    alone = data.graph.degree() == 0
    place = np.zeros((len(starts), data.graph.node_count))
    place[np.arange(len(starts)), starts] = 1
    carries = profiled_nodes(data) & ~alone
    total = 0.0
    for _ in range(data.walk_length):
        place = place @ P
        total += float(place[:, carries].sum())
    return total / len(starts)


def met(data: PretrainData, starts: NDArray[np.int64], walks: int) -> float:
    """Return the same from walks that were drawn, counted by the target's own sums."""
    found = 0.0
    for seed in range(walks):
        nodes, weights = sample_walks(data.graph, starts, data.walk_length, np.random.default_rng(seed))
        found += float(data.targets[GENES].sums(nodes, weights, validation=False).entries)
    return found / (walks * len(starts) * data.targets[GENES].width)


def test_walks_meet_gene_profiles_far_more_often_on_gene_nodes(corpus: Corpus) -> None:
    """As the audit found: 0.64 a walk where profiles sit on genes, 0.013 where they hang on them."""
    starts = np.arange(STARTS)
    leaf = data_of(corpus, gene_profiles="leaf", unprofiled_genes=True)
    node = data_of(corpus, gene_profiles="node", unprofiled_genes=False)
    often, seldom = expected_visits(node, starts), expected_visits(leaf, starts)
    assert often > 10 * seldom > 0
    assert met(node, starts, 20) == pytest.approx(often, rel=0.15)
    assert met(leaf, starts, 200) == pytest.approx(seldom, rel=0.35)


def test_profiles_on_genes_are_those_of_the_genes(corpus: Corpus) -> None:
    """Whichever genes take part: the target of a gene's node is its own scaled profile."""
    modality = corpus.modalities[GENES]
    for every in (True, False):
        data = data_of(corpus, gene_profiles="node", unprofiled_genes=every)
        target = data.targets[GENES]
        assert isinstance(target, DenseTarget)
        assert target.row_of is not None
        genes = np.arange(len(corpus.genes)) if every else np.unique(modality.rows)
        assert len(target.row_of) == len(genes)
        assert GENES not in data.graph.spaces
        scaled = np.clip(data.scalers[GENES].transform(modality.values), 0, 1)
        for node, gene in enumerate(genes):
            row = target.row_of[node]
            own = np.flatnonzero(modality.rows == gene)
            assert (row >= 0) == bool(len(own))
            if row >= 0:
                np.testing.assert_allclose(target.values[row], scaled[own].mean(axis=0), atol=1e-6)


def test_genes_without_a_profile_can_be_left_out(corpus: Corpus) -> None:
    leaf = {"gene_profiles": "leaf"}
    every = data_of(corpus, unprofiled_genes=True, **leaf).graph
    profiled = data_of(corpus, unprofiled_genes=False, **leaf).graph
    first, end = profiled.span("gene")
    assert end - first == len(np.unique(corpus.modalities[GENES].rows))
    assert profiled.node_count == every.node_count - len(corpus.genes) + end - first
    assert (profiled.degree()[first:end] > 0).all()  # each has its profile


def test_all_genes_stay_where_none_has_a_profile(corpus: Corpus) -> None:
    modalities = {name: m for name, m in corpus.modalities.items() if m.entity == "molecule"}
    bare = replace(corpus, modalities=modalities)
    first, end = data_of(bare, unprofiled_genes=False).graph.span("gene")
    assert end - first == len(corpus.genes)


def test_pooled_spaces_hold_their_parts_side_by_side(corpus: Corpus) -> None:
    morphology = corpus.modalities["morphology"]
    rows, values = morphology.rows[:40], morphology.values[:40, :3]
    spots = Modality("spots", "morphology", "molecule", rows, values, ("a", "b", "c"))
    second = replace(corpus, modalities={**corpus.modalities, "spots": spots})
    data = data_of(second, target_spaces="pooled")
    name = "morphology+spots"
    assert set(data.targets) == {"morgan", "expression", name, GENES}
    width = morphology.width
    target = data.targets[name]
    assert isinstance(target, DenseTarget)
    assert target.width == width + 3
    assert data.modalities[name]["columns"][-3:] == ["spots/a", "spots/b", "spots/c"]
    measured = ~np.isnan(target.values)
    assert measured[:, :width].any(axis=1).sum() == len(np.unique(morphology.rows))
    assert measured[:, width:].any(axis=1).sum() == len(np.unique(morphology.rows[:40]))
    some = data_of(second, target_spaces="pooled", profile_targets=("spots", "expression"))
    only = some.targets[name]
    assert isinstance(only, DenseTarget)
    assert np.isnan(only.values[:, :width]).all()
    np.testing.assert_array_equal(only.values[:, width:], target.values[:, width:])
    assert GENES not in some.targets


def _mean(repeats: NDArray[np.float32]) -> NDArray[np.float64]:
    """Average the repeats of a profile, without what was not measured; NaN where nothing was."""
    count = (~np.isnan(repeats)).sum(axis=0)
    total = np.nansum(repeats.astype(float), axis=0)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


@pytest.mark.parametrize("kind", ["raw", "zscore", "minmax"])
def test_inputs_are_scaled_as_asked_and_targets_are_not(corpus: Corpus, kind: str) -> None:
    options = {"workers": 1, "views": ("1d",), "validation_fraction": 0.0, "profile_inputs": kind}
    data = prepare(corpus, CHMRConfig.build(options), Reporter(quiet=True))
    modality = corpus.modalities["expression"]
    measured = data.profiles["expression"].measured
    single = np.array([_mean(modality.values[modality.rows == row]) for row in np.unique(modality.rows)])
    for molecule in modality.rows[:20]:
        own = _mean(modality.values[modality.rows == molecule])
        found = measured.values[measured.position[molecule]]
        expected = {
            "raw": own,
            "zscore": (own - np.nanmean(single, axis=0)) / np.nanstd(single, axis=0),
            "minmax": np.clip(data.scalers["expression"].transform(own[None].astype(np.float32))[0], 0, 1),
        }[kind]
        known = ~np.isnan(own)  # the rest holds the mean of its column
        np.testing.assert_allclose(found[known], expected[known], rtol=1e-3, atol=1e-4)
    target = data.targets["expression"]
    assert isinstance(target, DenseTarget)
    assert 0 <= np.nanmin(target.values) <= np.nanmax(target.values) <= 1


def test_a_constant_column_is_centred_and_kept() -> None:
    values = np.array([[2, 1], [2, 3], [2, np.nan]], np.float32)
    target = FeatureScaler.fit(values)
    scaler = input_scaler("zscore", target, values)
    np.testing.assert_allclose(scaler.transform(values), [[0, -1], [0, 1], [0, np.nan]])
    assert input_scaler("minmax", target, values) is target
    np.testing.assert_array_equal(input_scaler("raw", target, values).transform(values), values)
