"""One molecule has one set of features, however it is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase
from tests.unit.chem.spellings import STEREO, spellings

from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.chem.store import MoleculeStore

ALL = FeatureOptions(counts=True, descriptors=True)


@pytest.fixture(autouse=True)
def _quiet():
    block = rdBase.BlockLogs()
    yield
    del block


def environments(store: MoleculeStore, row: int) -> list[tuple[int, ...]]:
    """Return the atoms of a molecule with all that a graph network sees of their neighbourhood, sorted."""
    a, b = store.atom_offsets[row : row + 2]
    c, d = store.edge_offsets[row : row + 2]
    seen = [hash(tuple(atom)) for atom in store.atoms[a:b].tolist()]
    edges = list(
        zip(*store.edges[:, c:d].tolist(), map(tuple, store.edge_features[c:d].tolist()), strict=True)
    )
    for _ in range(8):
        around: list[list[tuple[int, tuple[int, ...]]]] = [[] for _ in seen]
        for source, target, bond in edges:
            around[target].append((seen[source], bond))
        seen = [hash((own, tuple(sorted(near)))) for own, near in zip(seen, around, strict=True)]
    return sorted(zip(map(tuple, store.atoms[a:b].tolist()), seen, strict=True))


def assert_one_molecule(rows: list[str], options: FeatureOptions = ALL) -> None:
    store = featurize(rows, options, workers=1, cache=None)
    assert store.valid.all(), store.errors
    first = environments(store, 0)
    for row, text in enumerate(rows):
        assert environments(store, row) == first, text
        for name, block in store.blocks.items():
            np.testing.assert_allclose(
                block[row].astype(float),
                block[0].astype(float),
                rtol=1e-6,
                atol=1e-6,
                err_msg=f"{name} {text}",
            )


@pytest.mark.parametrize("name", STEREO)
def test_a_hundred_spellings_have_one_set_of_features(name: str) -> None:
    rows = spellings(STEREO[name], 100)
    assert len(set(rows)) >= 8
    assert_one_molecule(rows, FeatureOptions(counts=True))
    assert_one_molecule(rows[:12])  # few: the plain path, and descriptors


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"),
        (STEREO["cis ring"], STEREO["trans ring"]),
        ("C/C=C/C", "C/C=C\\C"),
        ("CC[S@](=O)C", "CC[S@@](=O)C"),
        ("O=C(O)[C@H](O)[C@@H](O)C(=O)O", "O=C(O)[C@H](O)[C@H](O)C(=O)O"),
    ],
)
def test_stereoisomers_differ(one: str, other: str) -> None:
    store = featurize([one, other], cache=None)
    assert environments(store, 0) != environments(store, 1)


def test_enantiomers_have_opposite_tags_and_as_written_takes_the_spellings() -> None:
    rows = ["C[C@H](N)C(=O)O", "OC(=O)[C@@H](N)C", "C[C@@H](N)C(=O)O"]
    options = {"canonical": FeatureOptions(), "as_written": FeatureOptions(chirality="as_written")}
    tags = {
        name: [max(atoms[:, 1]) for atoms in np.split(store.atoms, store.atom_offsets[1:-1])]
        for name, chosen in options.items()
        for store in [featurize(rows, chosen, cache=None)]
    }
    assert tags == {"canonical": [2, 2, 1], "as_written": [2, 1, 1]}, "S, S, R"


def test_atom_maps_make_no_stereocentre() -> None:
    store = featurize(["[CH3:1][C@H](F)[CH3:2]", "CC(F)C"], cache=None)
    assert environments(store, 0) == environments(store, 1)


def test_the_3d_view_is_of_the_molecule(tmp_path: Path) -> None:
    rows = spellings(STEREO["salt"], 8)
    store = featurize(rows, FeatureOptions(graph=False, geometry="rdkit"), cache=tmp_path, workers=2)
    geometry = store.dense("geometry")
    assert np.isfinite(geometry).all()
    np.testing.assert_allclose(geometry, np.broadcast_to(geometry[0], geometry.shape), atol=1e-6)


@pytest.mark.parametrize("name", [name for name, smiles in STEREO.items() if "1" in smiles])
def test_scaffolds_are_of_the_molecule(name: str) -> None:
    assert len({murcko_scaffold(text, chirality=True) for text in spellings(STEREO[name], 24)}) == 1


SIDES = ["C", "O", "N", "F", "Cl", "CC", "C(=O)O", "c1ccccc1", "C#N", "[13CH3]", "[O-]", "C(C)C", "S"]
SIDES += ["/C=C/C", "/C=C\\C"]


@st.composite
def molecules(draw: st.DrawFn) -> str:
    """Draw a chain or ring of up to four stereocentres with two side groups each, any of them alike."""
    units = []
    for _ in range(draw(st.integers(1, 4))):
        side = draw(st.sampled_from(SIDES))
        units.append(f"[C{draw(st.sampled_from(['@', '@@']))}]({draw(st.sampled_from(SIDES[:6]))})({side})")
    chain = "".join(units)
    if draw(st.booleans()):
        return f"C7{chain}CC7" if "7" not in chain else chain
    return f"{draw(st.sampled_from(['C', 'N', 'c1cccnc1']))}{chain}{draw(st.sampled_from(['C', 'CC', 'O']))}"


@given(molecules(), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_drawn_molecules_have_one_set_of_features(smiles: str, seed: int) -> None:
    if Chem.MolFromSmiles(smiles) is not None:
        assert_one_molecule(spellings(smiles, 14, seed), FeatureOptions(counts=True))


@pytest.mark.real_data
def test_real_molecules_have_one_set_of_features(real_data: Path) -> None:
    import pandas as pd

    table = pd.read_parquet(real_data / "corpus" / "molecules.parquet")["smiles"]
    stereo = table[table.str.contains("@|/", regex=True)].sample(150, random_state=3)
    for smiles in stereo:
        if Chem.MolFromSmiles(smiles) is not None:
            assert_one_molecule(spellings(smiles, 10), FeatureOptions(counts=True))
