"""The compiled reader of RDKit's binary form refuses what is cut short or altered; it never reads beyond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from cytomol.chem import binary

FORM = Chem.MolFromSmiles("C[C@H](F)/C=C/c1cc[n+]([O-])cc1*").ToBinary(0)


def decode(form: bytes) -> bool:
    data = np.frombuffer(form, dtype=np.uint8)
    mol = Chem.MolFromSmiles("C[C@H](F)/C=C/c1cc[n+]([O-])cc1*")
    atoms, edges = mol.GetNumAtoms(), 2 * mol.GetNumBonds()
    return bool(
        binary.decode(
            data,
            np.array([0, len(data)]),
            np.zeros((atoms, 9), np.uint8),
            np.array([0, atoms]),
            np.zeros((2, edges), np.int32),
            np.zeros((edges, 3), np.uint8),
            np.array([0, edges]),
        )[0]
    )


def test_whole_form_is_known() -> None:
    assert decode(FORM)


@pytest.mark.parametrize("kept", [1, 20, 29, 30, 40, 80, 120])
def test_form_cut_short_is_refused(kept: int) -> None:
    assert not decode(FORM[:kept])


@given(st.integers(29, len(FORM) - 1), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_altered_forms_do_not_crash(at: int, value: int) -> None:
    decode(FORM[:at] + bytes([value]) + FORM[at + 1 :])


def test_counts() -> None:
    forms = [b"", Chem.MolFromSmiles("CCO").ToBinary(0), b"", Chem.MolFromSmiles("C" * 700).ToBinary(0)]
    starts = np.concatenate([[0], np.cumsum([len(f) for f in forms])])
    atoms, edges = binary.counts(np.frombuffer(b"".join(forms), np.uint8), starts)
    assert atoms.tolist() == [0, 0, 3, 3, 703]
    assert edges.tolist() == [0, 0, 4, 4, 4 + 2 * 699]
