"""Fuzz: SMILES. As many rows as texts, a molecule or a reason in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tests.fuzz.driver import Driver, short_cases
from tests.fuzz.inputs import smiles

from cytomol.chem.featurize import FeatureOptions, featurize

# Long ones are a matter of the limit on atoms and time; the suite has no time for them.
LENGTHS = [50, 300] if short_cases() < 1000 else [50, 1000, 5000, 100_000]

repeated = st.builds(
    lambda unit, n, tail: unit * n + tail,
    st.sampled_from(["C", "(", "C(", "[", "c1ccccc1", "C1", "C%99", "N=", ".", "C.", "[C@H](F)", "C#"]),
    st.sampled_from(LENGTHS),
    st.sampled_from(["", "C", ")", "]", "1"]),
)
cells = st.one_of(
    smiles(), smiles(), smiles(), st.sampled_from([None, float("nan"), 3, b"CC", True]), repeated
)
options = st.sampled_from(
    [
        FeatureOptions(),
        FeatureOptions(counts=True, maccs=False),
        FeatureOptions(descriptors=True, morgan_bits=64),
    ]
)


def case(value: tuple[list[Any], FeatureOptions], folder: Path) -> None:
    texts, chosen = value
    store = featurize(texts, chosen, cache=None, workers=1)
    assert len(store) == len(texts)
    assert (store.valid == [reason == "" for reason in store.errors]).all()
    for text, valid, atoms in zip(texts, store.valid, store.atom_counts, strict=True):
        assert valid == (atoms > 0)
        if not isinstance(text, str):
            assert not valid


DRIVER = Driver("smiles", st.tuples(st.lists(cells, max_size=6), options), case, share=1.5)


def test_smiles() -> None:
    DRIVER.check()
