"""Readout edges: which entries, which genes, which weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cytomol.context import ContextOptions
from cytomol.context.criteria import Inputs, criteria
from cytomol.context.criteria.readout import match_genes, strongest
from cytomol.corpus.schema import Corpus

GENES = pd.DataFrame(
    {
        "gene_id": ["A", "B", "C"],
        "entrez_id": [101.0, 7.0, np.nan],
        "symbol": ["alpha", "beta", "gamma"],
    }
)


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (("B", "x", "A"), [1, -1, 0]),
        (("7", "101"), [1, 0]),
        (("gamma ", "alpha", "A"), [2, 0, -1]),  # the identifier that explains most columns
        (tuple(map(str, range(10))), [-1] * 10),  # column numbers, not Entrez identifiers
        (tuple(map(str, range(1, 10))), [-1] * 9),
        ((), []),
    ],
)
def test_genes_by_any_identifier(columns: tuple[str, ...], wanted: list[int]) -> None:
    assert match_genes(columns, GENES).tolist() == wanted


@settings(deadline=None)
@given(
    npst.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        elements=st.sampled_from([np.nan, np.inf, 0.0, 1.0, -1.0, 2.5, -207.0]),
    ),
    st.sampled_from([0.01, 0.25, 0.5, 1.0]),
)
def test_strongest_equals_a_stable_sort(values: np.ndarray, fraction: float) -> None:
    rows, columns = strongest(values, fraction)
    finite = [(-abs(v), i) for i, v in enumerate(values.ravel().tolist()) if np.isfinite(v)]
    wanted = sorted(finite)[: max(round(fraction * len(finite)), 1)]
    places = sorted(i for size, i in wanted if size < 0)
    assert (rows * values.shape[1] + columns).tolist() == places


def test_no_entries() -> None:
    assert len(strongest(np.empty((0, 4), np.float32), 0.1)[0]) == 0


def inputs_for(corpus: Corpus, fraction: float) -> Inputs:
    # The criterion reads no structures.
    return Inputs(
        corpus, None, ContextOptions(readout_fraction=fraction), {"molecule": 0, "gene": 9, "ge": 14}
    )  # type: ignore[arg-type]


def test_weights_are_scaled_and_columns_that_name_no_gene_are_left_out(corpus: Corpus) -> None:
    edges, facts = criteria["readout"]().edges(inputs_for(corpus, 1.0))
    values = corpus.modalities["ge"].values[:, :2]  # noqa: PD011 (an array)
    size = np.abs(values[np.isfinite(values)])
    scale = np.quantile(size, 0.99)
    np.testing.assert_allclose(np.sort(edges.weight), np.sort(np.minimum(size / scale, 1)), rtol=1e-6)
    assert set(edges.target.tolist()) == {9 + 2, 9 + 4}
    assert facts["ge"]["gene columns"] == 2


def test_gene_profiles_and_other_kinds_have_no_readout(corpus: Corpus) -> None:
    ge = corpus.modalities["ge"]
    for other in (replace(ge, kind="morphology"), replace(ge, entity="gene", rows=np.arange(4))):
        edges, _ = criteria["readout"]().edges(inputs_for(replace(corpus, modalities={"ge": other}), 1.0))
        assert len(edges) == 0


def test_no_column_names_a_gene(corpus: Corpus) -> None:
    ge = replace(corpus.modalities["ge"], columns=("a", "b", "c"))
    edges, facts = criteria["readout"]().edges(inputs_for(replace(corpus, modalities={"ge": ge}), 1.0))
    assert len(edges) == 0
    assert facts["ge"] == {"gene columns": 0, "of": 3}
