"""No molecule stalls a run: limits of text, atoms and time; the row has its reason, the others go on."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from cytomol.chem import chunk, heavy
from cytomol.chem import featurize as module
from cytomol.chem.chunk import HEAVY, is_light
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.geometry.pool import Outcome
from cytomol.chem.parse import parse_smiles

ALL = FeatureOptions(counts=True, descriptors=True)


def grid(side: int) -> str:
    """Return a square net of carbons."""
    mol = Chem.RWMol()
    for _ in range(side * side):
        mol.AddAtom(Chem.Atom(6))
    for i in range(side):
        for j in range(side):
            if j + 1 < side:
                mol.AddBond(i * side + j, i * side + j + 1, Chem.BondType.SINGLE)
            if i + 1 < side:
                mol.AddBond(i * side + j, (i + 1) * side + j, Chem.BondType.SINGLE)
    return Chem.MolToSmiles(mol, canonical=False)


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("C" + "(" * 100_000, "text of 100,001 characters"),
        ("C" * 60_000, "text of 60,000 characters"),
        ("C" + "(" * 2000 + "C" + ")" * 2000, "branches nested 2,000 deep"),
        ("(" * 3000, "branches nested 3,000 deep"),
    ],
)
def test_text_that_is_no_molecule_is_refused_at_once(smiles: str, reason: str) -> None:
    started = time.process_time()
    assert reason in parse_smiles(smiles).reason
    assert reason in featurize([smiles], cache=None).errors[0]
    assert time.process_time() - started < 1


def test_long_text_of_a_small_molecule_is_read() -> None:
    text = Chem.MolToSmiles(Chem.AddHs(Chem.MolFromSmiles("CCO" * 150)), allHsExplicit=True)
    assert len(text) > 3000
    store = featurize([text, "CCO" * 150], cache=None)
    assert store.errors == ["", ""]
    np.testing.assert_array_equal(store.blocks["morgan"][0], store.blocks["morgan"][1])


def test_atoms_are_limited_by_an_option() -> None:
    rows = ["C" * 30, "C" * 20, "CCO", "[H]" + "C" * 20 + "[H]"]
    store = featurize(rows, FeatureOptions(max_atoms=20), cache=None)
    assert store.errors == ["30 atoms, more than max_atoms 20", "", "", ""]
    assert featurize(["C" * 1001], cache=None).errors == ["1,001 atoms, more than max_atoms 1,000"]
    assert featurize(["C" * 1001], FeatureOptions(max_atoms=2000), cache=None).valid.all()


def test_a_molecule_that_takes_too_long_has_its_reason_and_the_others_go_on() -> None:
    rows = ["CCO", grid(12), "c1ccccc1", "C" * 600]
    store = featurize(rows, FeatureOptions(counts=True, descriptors=True, molecule_timeout=0.2), cache=None)
    late = "not finished after 0.2 s"
    assert store.errors == ["", late, "", late]
    assert store.smiles == rows
    assert np.isnan(store.dense("descriptors")).all(axis=1).tolist() == [False, True, False, True]
    assert store.atom_counts.tolist() == [3, 0, 6, 0]


def test_heavy_molecules_have_the_features_that_this_process_would_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = ["CCO", "N[C@@H](C)C(=O)" * 45 + "O", "bad", "C[C@H](F)" + "C" * 220, None, grid(6)]
    assert [is_light(Chem.MolFromSmiles(rows[i])) for i in (0, 1, 3, 5)] == [True, False, False, False]
    calls: list[tuple[int, int]] = []
    apart = featurize(rows, ALL, cache=None, workers=1, progress=lambda *counts: calls.append(counts))
    monkeypatch.setattr(chunk, "is_light", lambda _: True)
    here = featurize(rows, ALL, cache=None, workers=1)
    assert calls[-1] == (6, 6)
    assert apart.errors == here.errors
    assert HEAVY not in apart.errors
    for name in ("atoms", "atom_offsets", "edges", "edge_features", "edge_offsets"):
        np.testing.assert_array_equal(getattr(apart, name), getattr(here, name))
    for name, block in here.blocks.items():
        np.testing.assert_array_equal(apart.blocks[name], block)


def test_rows_that_a_busy_machine_lost_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["CCO"] * 80 + ["C" * 260]
    real = heavy.run_workers

    def busy(requests, entry, *, timeout, workers):
        for i in range(len(requests)):
            yield Outcome(i, "lost", reason="not finished after 200 s by the clock")

    monkeypatch.setattr(heavy, "run_workers", busy)
    store = featurize(rows, cache=tmp_path)
    assert store.errors[-1] == "given up, may succeed another time: not finished after 200 s by the clock"
    assert store.valid[:-1].all()
    monkeypatch.setattr(heavy, "run_workers", real)
    assert featurize(rows, cache=tmp_path).valid.all()
    monkeypatch.setattr(module, "_compute", None)
    assert featurize(rows, cache=tmp_path).valid.all(), "now it is kept"


def test_a_molecule_that_used_up_its_time_is_kept_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["CCO"] * 80 + ["C" * 260]
    options = FeatureOptions(descriptors=True, molecule_timeout=0.01)
    first = featurize(rows, options, cache=tmp_path, workers=1)
    assert first.errors[-1] == "not finished after 0.01 s"
    monkeypatch.setattr(module, "_compute", None)
    assert featurize(rows, options, cache=tmp_path).errors == first.errors


def test_molecules_at_the_limit_of_light_ones_take_a_second() -> None:
    for smiles in ("C" * 200, grid(5)):
        assert is_light(Chem.MolFromSmiles(smiles))
        started = time.process_time()
        store = featurize([smiles], ALL, workers=1, cache=None)
        assert store.valid.all()
        assert time.process_time() - started < 3
    assert not is_light(Chem.MolFromSmiles("C" * 201))
    assert not is_light(Chem.MolFromSmiles(grid(6)))
