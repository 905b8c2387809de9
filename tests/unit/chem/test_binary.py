"""The compiled reader of RDKit's binary form refuses what is cut short or altered; it never reads beyond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from cytomol.chem import binary

MOL = Chem.MolFromSmiles("C[C@H](F)/C=C/c1cc[n+]([O-])cc1*")
FORM = MOL.ToBinary(0)
GUARD = 77  # what lies around the arrays that are written
MARGIN = 64


def guarded(shape: tuple[int, ...], kind: type, axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return an array of zeros, and the larger one full of guards in which it lies."""
    wide = list(shape)
    wide[axis] += 2 * MARGIN
    whole = np.full(wide, GUARD, kind)
    inside = [slice(None)] * len(shape)
    inside[axis] = slice(MARGIN, -MARGIN)
    whole[tuple(inside)] = 0
    return whole[tuple(inside)], whole


def decode_beside(form: bytes, behind: int) -> tuple[bool, list[np.ndarray]]:
    """Decode a form that has bytes of a kind behind it; return what came of it, and the graph's arrays."""
    data = np.frombuffer(form + bytes([behind]) * 4096, dtype=np.uint8)
    n, m = MOL.GetNumAtoms(), 2 * MOL.GetNumBonds()
    atoms, all_atoms = guarded((n, 9), np.uint8)
    edges, all_edges = guarded((2, m), np.int32, axis=1)
    features, all_features = guarded((m, 3), np.uint8)
    offsets = np.array([0, n]), np.array([0, m])
    known = binary.decode(data, np.array([0, len(form)]), atoms, offsets[0], edges, features, offsets[1])[0]
    for whole, axis in ((all_atoms, 0), (all_edges, 1), (all_features, 0)):
        around = np.delete(whole, slice(MARGIN, whole.shape[axis] - MARGIN), axis=axis)
        assert (around == GUARD).all()
    return bool(known), [atoms, edges, features]


def decode(form: bytes) -> bool:
    """Return whether a form is known; what lies behind it in memory tells nothing."""
    known, arrays = decode_beside(form, 0)
    for behind in (1, 255):
        again, others = decode_beside(form, behind)
        assert again == known
        if known:
            for one, other in zip(arrays, others, strict=True):
                np.testing.assert_array_equal(one, other)
    if known:
        atoms, edges, _ = arrays
        assert ((edges >= 0) & (edges < len(atoms))).all()
        assert (np.diff(edges[1]) >= 0).all()
    return known


def test_whole_form_is_known() -> None:
    assert decode(FORM)


@pytest.mark.parametrize("kept", [1, 20, 29, 30, 40, 80, 120])
def test_form_cut_short_is_refused(kept: int) -> None:
    assert not decode(FORM[:kept])


@given(st.integers(29, len(FORM) - 1), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_altered_forms_are_read_within_their_bounds(at: int, value: int) -> None:
    altered = FORM[:at] + bytes([value]) + FORM[at + 1 :]
    assert decode(altered) or altered != FORM


@pytest.mark.parametrize("at", [0, 29])
def test_a_form_with_another_mark_or_tag_is_refused(at: int) -> None:
    assert not decode(FORM[:at] + bytes([FORM[at] ^ 1]) + FORM[at + 1 :])


def test_counts() -> None:
    forms = [b"", Chem.MolFromSmiles("CCO").ToBinary(0), b"", Chem.MolFromSmiles("C" * 700).ToBinary(0)]
    starts = np.concatenate([[0], np.cumsum([len(f) for f in forms])])
    atoms, edges = binary.counts(np.frombuffer(b"".join(forms), np.uint8), starts)
    assert atoms.tolist() == [0, 0, 3, 3, 703]
    assert edges.tolist() == [0, 0, 4, 4, 4 + 2 * 699]
