"""The plane of the map: like molecules lie together, and a new one lies where the library's own would."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.serve.explorer.explored import MOLECULES

from cytomol.errors import InputError
from cytomol.predict.uncertainty import domain_fingerprints
from cytomol.serve.explorer.map_points import MapPlane


@pytest.fixture(scope="module")
def bits() -> np.ndarray:
    return domain_fingerprints(MOLECULES, workers=1)


def test_a_new_molecule_lies_where_the_library_has_it(bits: np.ndarray) -> None:
    plane = MapPlane.fit(bits, landmarks=20)
    places = plane.place(bits)
    assert np.isfinite(places).all()
    again = MapPlane.restore(plane.arrays()).place(bits[7:8])
    np.testing.assert_allclose(again[0], places[7], atol=1e-5)


def test_the_axes_are_those_of_a_plain_decomposition(bits: np.ndarray) -> None:
    """By an oracle: Tanimoto coefficients pair by pair, and a singular value decomposition."""
    plane = MapPlane.fit(bits, landmarks=30)
    one, other = (np.unpackbits(each, axis=1).astype(bool) for each in (bits, plane.landmarks))
    likeness = np.array([[(a & b).sum() / (a | b).sum() for b in other] for a in one])
    centred = likeness - likeness.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(plane.place(bits)), np.abs(left[:, :2] * size[:2]), atol=1e-4)
    np.testing.assert_allclose(plane.explained, (size**2 / (size**2).sum())[:2], atol=1e-6)


def test_like_molecules_lie_nearer_than_others(bits: np.ndarray) -> None:
    places = MapPlane.fit(bits).place(bits)
    rings = np.repeat(np.arange(6), 10)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    same = rings[:, None] == rings[None]
    assert apart[same].mean() < 0.8 * apart[~same].mean()


def test_no_molecule_has_no_place(bits: np.ndarray) -> None:
    plane = MapPlane.fit(np.concatenate([bits, np.zeros((2, 256), np.uint8)]))
    assert np.isnan(plane.place(np.zeros((1, 256), np.uint8))).all()


def test_a_map_needs_three_molecules(bits: np.ndarray) -> None:
    with pytest.raises(InputError, match="a map of 2 molecules"):
        MapPlane.fit(bits[:2])
