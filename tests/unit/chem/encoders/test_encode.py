"""An encoder's vectors: in the order of the molecules, kept between runs, and never in place of a failure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytomol.chem.encoders import MoleculeEncoder, Pretraining, encode_molecules, encoders, with_vectors
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.errors import CytomolError

MOLECULES = ["CCO", "CCN", "CCC", "CCCl", "c1ccccc1", "CC(C)O"]


class Letters(MoleculeEncoder):
    """Counts letters, remembers what it was asked, and cannot read chlorine."""

    name, version, width = "letters", "1", 3
    pretraining = Pretraining.nothing()

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        self.asked += smiles
        found = [[text.count("C"), text.count("O"), len(text)] for text in smiles]
        values = np.array(found, dtype=np.float32).reshape(-1, 3)
        values[["Cl" in text for text in smiles]] = np.nan
        return values


class Fragile(Letters):
    """Fails as a whole on any chunk with a ring."""

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        if any("1" in text for text in smiles):
            raise ValueError("a ring")
        return super().encode(smiles)


@settings(deadline=None)
@given(st.lists(st.sampled_from([*MOLECULES, ""]), max_size=20))
def test_every_row_has_the_vector_of_its_molecule(smiles: list[str]) -> None:
    values, reasons = encode_molecules(Letters(), smiles)
    assert values.shape == (len(smiles), 3)
    for text, value, reason in zip(smiles, values, reasons, strict=True):
        if text and "Cl" not in text:
            assert value.tolist() == [text.count("C"), text.count("O"), len(text)]
        else:
            assert np.isnan(value).all()
        assert bool(reason) == ("Cl" in text)


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    first = Letters()
    values, _ = encode_molecules(first, MOLECULES, cache=tmp_path)
    again = Letters()
    reversed_values, _ = encode_molecules(again, [*MOLECULES[::-1], "CCCC"], cache=tmp_path)
    assert first.asked == MOLECULES
    assert again.asked == ["CCCl", "CCCC"]  # a failure is tried again
    np.testing.assert_array_equal(reversed_values[:-1], values[::-1])


def test_another_version_has_other_vectors(tmp_path: Path) -> None:
    encode_molecules(Letters(), MOLECULES, cache=tmp_path)
    newer = Letters()
    newer.version = "2"
    encode_molecules(newer, MOLECULES, cache=tmp_path)
    assert newer.asked == MOLECULES


def test_without_a_version_nothing_is_kept(tmp_path: Path) -> None:
    for _ in range(2):
        encoder = Letters()
        encoder.version = ""
        encode_molecules(encoder, MOLECULES, cache=tmp_path)
        assert encoder.asked == MOLECULES
    assert not list(tmp_path.iterdir())


def test_one_failure_leaves_the_other_molecules_their_vectors() -> None:
    values, reasons = encode_molecules(Fragile(), MOLECULES)
    assert reasons[4] == "the encoder letters failed: ValueError: a ring"
    assert np.isfinite(values[[0, 1, 2, 5]]).all()
    with pytest.raises(CytomolError, match="fails on every molecule: ValueError: a ring"):
        encode_molecules(Fragile(), ["c1ccccc1"])


def test_another_width_than_it_says_is_refused() -> None:
    encoder = Letters()
    encoder.width = 4
    with pytest.raises(CytomolError, match=r"returned the shape \(6, 3\) for 6 molecules"):
        encode_molecules(encoder, MOLECULES)


def test_two_spellings_have_one_vector_and_a_molecule_without_one_is_invalid() -> None:
    options = FeatureOptions(graph=False, morgan_bits=0, maccs=True)
    store = featurize(["OCC", "C(O)C", "[CH3:1]CO", "no molecule", "CCCl"], options, cache=None, workers=1)
    encoder = Letters()
    found = with_vectors(store, encoder, "encoder:letters", options)
    assert encoder.asked == ["CCO", "CCCl"]
    assert found.valid.tolist() == [True, True, True, False, False]
    assert found.errors[3] == store.errors[3]
    assert found.errors[4] == "the encoder letters has no vector for it"
    np.testing.assert_array_equal(found.blocks["encoder:letters"][:3], [[2, 1, 3]] * 3)
    assert np.isnan(found.blocks["encoder:letters"][3:]).all()


def test_the_example_of_the_guide_runs() -> None:
    page = (Path(__file__).parents[4] / "docs" / "encoders.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0].replace('"avalon"', '"tests-guide"')
    found: dict[str, Any] = {}
    exec(code, found)
    encoder = encoders["tests-guide"]()
    assert isinstance(encoder, found["Avalon"])
    values, reasons = encode_molecules(encoder, ["CCO", "c1ccccc1"])
    assert reasons == ["", ""]
    assert (values > 0).any(axis=1).all()


def test_what_an_encoder_says_of_its_pretraining() -> None:
    assert (
        Pretraining().said("x") == "x: does not say what it was pretrained on, so it may have seen the labels"
    )
    assert Pretraining("some assays", "beware").said("x") == "x: pretrained on some assays; beware"
