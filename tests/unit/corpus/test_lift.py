"""One profile per molecule, against loops."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.corpus.lift import lift_gene_profiles, mean_by_row, molecule_profiles, molecule_targets
from cytomol.corpus.schema import Corpus, Modality, Relation
from cytomol.errors import InputError


def random_corpus(seed: int) -> Corpus:
    rng = np.random.default_rng(seed)
    n, g, w = 8, 6, 3
    values = rng.normal(size=(10, w)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    modalities = {
        "mol": Modality("mol", "morphology", "molecule", rng.integers(0, n, 10), values, ("a", "b", "c")),
        "gen": Modality("gen", "perturbation", "gene", rng.integers(0, g, 10), values, ("a", "b", "c")),
    }
    weight = rng.choice([-0.5, 0.0, 0.5, 1.0], 12).astype(np.float32)
    relations = {
        "t": Relation("t", "molecule", "gene", rng.integers(0, n, 12), rng.integers(0, g, 12), weight),
        "u": Relation("u", "gene", "molecule", rng.integers(0, g, 3), rng.integers(0, n, 3), weight[:3]),
        "ppi": Relation("ppi", "gene", "gene", rng.integers(0, g, 3), rng.integers(0, g, 3), weight[:3]),
    }
    return Corpus(
        pd.DataFrame({"mol_id": range(n), "smiles": ["C"] * n}),
        pd.DataFrame({"gene_id": range(g)}),
        modalities,
        relations,
    )


def nanmean(rows: list[np.ndarray]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(np.array(rows, np.float64), axis=0)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_against_loops(seed: int) -> None:
    corpus = random_corpus(seed)
    rows, values = molecule_profiles(corpus, "mol")
    modality = corpus.modalities["mol"]
    assert rows.tolist() == sorted(set(modality.rows.tolist()))
    for row, profile in zip(rows, values, strict=True):
        np.testing.assert_allclose(profile, nanmean(list(modality.values[modality.rows == row])), rtol=1e-5)

    genes = corpus.modalities["gen"]
    targets: dict[int, set[int]] = {}
    for relation, (a, b) in (("t", ("source", "target")), ("u", ("target", "source"))):
        links = corpus.relations[relation]
        for m, g, w in zip(getattr(links, a), getattr(links, b), links.weight, strict=True):
            if w > 0 and g in genes.rows:
                targets.setdefault(int(m), set()).add(int(g))
    rows, values = molecule_profiles(corpus, "gen")
    assert rows.tolist() == sorted(targets)
    for row, profile in zip(rows, values, strict=True):
        per_gene = [nanmean(list(genes.values[genes.rows == g])) for g in targets[int(row)]]
        np.testing.assert_allclose(profile, nanmean(per_gene), rtol=1e-4, atol=1e-6)
    molecule, gene = molecule_targets(corpus)
    assert len({(m, g) for m, g in zip(molecule.tolist(), gene.tolist(), strict=True)}) == len(molecule)


@given(seed=st.integers(0, 10_000), columns=st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_features_averaged_at_a_time_change_no_bit(seed: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(12, 7)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    modality = Modality("m", "morphology", "molecule", rng.integers(0, 6, 12), values, tuple("abcdefg"))
    rows, whole = mean_by_row(modality)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cytomol.corpus.lift._COLUMNS", columns)
        again, parts = mean_by_row(modality)
    assert again.tolist() == rows.tolist()
    assert parts.tobytes() == whole.tobytes()


def test_errors() -> None:
    corpus = random_corpus(0)
    with pytest.raises(InputError, match=r"no modality x.*mol, gen"):
        molecule_profiles(corpus, "x")
    with pytest.raises(InputError, match="no lifting"):
        lift_gene_profiles(corpus, "mol")


def test_no_relation_gives_no_rows() -> None:
    corpus = random_corpus(0)
    bare = Corpus(corpus.molecules, corpus.genes, corpus.modalities)
    rows, values = lift_gene_profiles(bare, "gen")
    assert rows.shape == (0,)
    assert values.shape == (0, 3)
