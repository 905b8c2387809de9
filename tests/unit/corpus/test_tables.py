"""InChIKeys that contradict the structure beside them."""

from __future__ import annotations

import pandas as pd
import pytest

from cytomol.corpus import tables
from cytomol.corpus.problems import Problems
from cytomol.corpus.structures import key_of

SMILES = ["CCO", "CCN", "CCC", "CCCl", "CCBr", "CCF"]


@pytest.mark.parametrize("looked_at", [2, 100])
def test_a_shifted_column_is_found_in_a_sample_and_counted_in_full(
    monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    monkeypatch.setattr(tables, "_LOOKED_AT", looked_at)
    keys = [key_of(smiles) for smiles in SMILES]
    frame = pd.DataFrame({"mol_id": list("abcdef"), "smiles": SMILES, "inchikey": keys})
    problems = Problems(strict=False)
    tables.check_keys(frame, where="t", problems=problems)
    assert problems.errors == []
    shifted = frame.assign(inchikey=[*keys[1:], keys[0]])
    tables.check_keys(shifted, where="t", problems=problems)
    assert "contradicts the SMILES in 6 of 6 rows: row 1: a is CCO" in problems.errors[0]
