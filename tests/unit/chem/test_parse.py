"""Every input has a defined result; RDKit's reason is kept and its log is not shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from cytomol.chem.parse import EMPTY, parse_smiles, smiles_text


def test_hard_molecules_are_valid(hard_smiles: list[str]) -> None:
    for smiles in hard_smiles:
        parsed = parse_smiles(smiles)
        assert parsed.mol is not None, (smiles, parsed.reason)
        assert parsed.reason == ""


def test_invalid_values_have_their_reason(invalid: tuple[object, str]) -> None:
    value, expected = invalid
    parsed = parse_smiles(value)
    assert parsed.mol is None
    if parsed.reason.startswith("SMILES Parse Error: ") and not hasattr(rdBase, "CaptureErrorLog"):
        expected = "syntax error for input"  # RDKit before 2026.3 tells its caller no more
    assert expected in parsed.reason
    assert "\n" not in parsed.reason
    assert len(parsed.reason) <= 300


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], invalid_values: list[object]) -> None:
    for value in [*invalid_values, "[H]", "CC=CC |w:1.0|"]:
        parse_smiles(value)
    out, err = capfd.readouterr()
    assert out == ""
    assert err == ""


def test_log_works_again_after_parsing(capfd: pytest.CaptureFixture[str]) -> None:
    parse_smiles("C1CC")
    Chem.MolFromSmiles("C1CC")
    assert "unclosed ring" in capfd.readouterr().err


def test_blank_ends_the_smiles_and_what_follows_is_a_name() -> None:
    parsed = parse_smiles(" CCO  ethanol é ")
    assert parsed.mol is not None
    assert Chem.MolToSmiles(parsed.mol) == "CCO"


def test_salts_keep_all_their_parts_and_dummies_their_number() -> None:
    salt, dummy = parse_smiles("[Na+].[Cl-]").mol, parse_smiles("*").mol
    assert salt is not None
    assert [a.GetSymbol() for a in salt.GetAtoms()] == ["Na", "Cl"]
    assert dummy is not None
    assert dummy.GetAtomWithIdx(0).GetAtomicNum() == 0


def test_pandas_missing_values_are_empty() -> None:
    import pandas as pd

    for missing in (pd.NA, pd.NaT):
        assert parse_smiles(missing).reason == EMPTY
        assert smiles_text(missing) == ""


def test_reason_without_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    from rdkit import rdBase

    monkeypatch.delattr(rdBase, "CaptureErrorLog", raising=False)
    assert "C1CC" in parse_smiles("C1CC").reason
    assert "Explicit valence" in parse_smiles("C(C)(C)(C)(C)C").reason


@given(st.one_of(st.text(max_size=30), st.text("CNOcn()[]=#123+-.@/\\ |:*$%", max_size=30)))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_a_molecule_or_a_reason(text: str) -> None:
    parsed = parse_smiles(text)
    assert (parsed.mol is None) == bool(parsed.reason)
    assert parsed.mol is None or parsed.mol.GetNumAtoms() > 0
