"""Row i answers SMILES i, in one process or several, from the cache or not."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.chem import chunk
from cytomol.chem import featurize as module
from cytomol.chem.featurize import FeatureOptions, featurize, featurize_several
from cytomol.chem.fingerprints import maccs, morgan_bits, morgan_counts
from cytomol.chem.parse import parse_smiles
from cytomol.errors import ConfigError, CytomolError, InputError

ALL = FeatureOptions(counts=True, descriptors=True)


def same(a, b) -> None:
    assert a.smiles == b.smiles
    assert a.errors == b.errors
    for name in ("atoms", "atom_offsets", "edges", "edge_features", "edge_offsets"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.widths == b.widths
    for name in a.blocks:
        np.testing.assert_array_equal(a.blocks[name], b.blocks[name])


def test_every_row_is_its_molecules_features(
    hard_smiles: list[str], invalid_values: list[object], ogb_graph
) -> None:
    rows = [*invalid_values[:5], *hard_smiles, *invalid_values[5:]]
    store = featurize(rows, FeatureOptions(counts=True, chirality="as_written"), workers=1, cache=None)
    assert len(store) == len(rows)
    morgan, keys, counts = (store.dense(name) for name in ("morgan", "maccs", "counts"))
    for i, smiles in enumerate(rows):
        mol = parse_smiles(smiles).mol
        assert store.valid[i] == (mol is not None)
        assert store.errors[i] == parse_smiles(smiles).reason
        if mol is None:
            assert not morgan[i].any()
            assert not keys[i].any()
            assert store.atom_counts[i] == 0
            continue
        expected = ogb_graph(mol)
        a, b = store.atom_offsets[i : i + 2]
        c, d = store.edge_offsets[i : i + 2]
        np.testing.assert_array_equal(store.atoms[a:b], expected.atoms)
        np.testing.assert_array_equal(store.edges[:, c:d], expected.edges)
        np.testing.assert_array_equal(store.edge_features[c:d], expected.edge_features)
        np.testing.assert_array_equal(morgan[i], morgan_bits(mol))
        np.testing.assert_array_equal(keys[i], maccs(mol))
        np.testing.assert_array_equal(counts[i], morgan_counts(mol))


def test_peptide(peptide: str) -> None:
    store = featurize([peptide], cache=None)
    assert store.valid.all()
    assert store.atom_counts[0] > 500


@pytest.mark.real_data
def test_two_thousand_real_molecules_equal_ogb(real_data: Path, ogb_graph) -> None:
    import pandas as pd

    smiles = pd.read_parquet(real_data / "corpus" / "molecules.parquet")["smiles"].sample(
        2000, random_state=9
    )
    options = FeatureOptions(maccs=False, chirality="as_written")
    store = featurize(smiles.tolist(), options, workers=1, cache=None)
    for i, text in enumerate(smiles):
        mol = parse_smiles(text).mol
        assert store.valid[i] == (mol is not None)
        if mol is None:
            continue
        expected = ogb_graph(mol)
        a, b = store.atom_offsets[i : i + 2]
        c, d = store.edge_offsets[i : i + 2]
        np.testing.assert_array_equal(store.atoms[a:b], expected.atoms)
        np.testing.assert_array_equal(store.edges[:, c:d], expected.edges)
        np.testing.assert_array_equal(store.edge_features[c:d], expected.edge_features)


@pytest.mark.real_data
def test_hiv_rows_that_no_longer_parse_stay_in_place(real_data: Path) -> None:
    import pandas as pd

    smiles = pd.read_csv(real_data / "benchmarks" / "hiv" / "assays.csv.gz")["smiles"].tolist()
    known = [137, 987, 12882, 18293, 30784, 30785, 35728]
    picked = sorted({*known, *(k + 1 for k in known), 0, len(smiles) - 1})
    store = featurize([smiles[i] for i in picked], FeatureOptions(maccs=False), cache=None)
    assert [i for i, ok in zip(picked, store.valid, strict=True) if not ok] == known
    assert all(bool(e) != ok for e, ok in zip(store.errors, store.valid, strict=True))


def test_several_processes_keep_the_order(hard_smiles: list[str], invalid_values: list[object]) -> None:
    rows = [v for i, s in enumerate(hard_smiles * 3) for v in (s, invalid_values[i % len(invalid_values)])]
    calls: list[tuple[int, int]] = []
    several = featurize(rows, workers=2, cache=None, progress=lambda done, total: calls.append((done, total)))
    same(several, featurize(rows, workers=1, cache=None))
    assert calls[-1] == (len(rows), len(rows))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert len(calls) > 2


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    smiles = ["C" * (i % 7) for i in range(30)]
    whole = featurize(smiles, workers=1, cache=None)
    monkeypatch.setattr(module, "_CHUNK", 4)
    same(featurize(smiles, workers=1, cache=None), whole)


def test_cache_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smiles = ["C" * (i % 40) for i in range(100)]
    first = featurize(smiles, ALL, workers=1, cache=tmp_path)
    monkeypatch.setattr(module, "_compute", None)
    same(featurize(smiles, ALL, cache=tmp_path), first)
    same(featurize(tuple(smiles), ALL, cache=tmp_path), first)


def test_cache_tells_options_and_kinds_of_rows_apart(tmp_path: Path) -> None:
    smiles: list[object] = ["C" * (1 + i % 40) for i in range(100)]
    assert featurize(smiles, cache=tmp_path, workers=1).widths["morgan"] == 1024
    assert (
        featurize(smiles, FeatureOptions(morgan_bits=512), cache=tmp_path, workers=1).widths["morgan"] == 512
    )
    number, text = [*smiles, 12.5], [*smiles, "12.5"]
    assert "not text" in featurize(number, cache=tmp_path, workers=1).errors[-1]
    assert "syntax error" in featurize(text, cache=tmp_path, workers=1).errors[-1]


def test_blocks_follow_the_options() -> None:
    assert featurize(["C"], FeatureOptions(), cache=None).widths == {"morgan": 1024, "maccs": 167}
    bare = featurize(["CC"], FeatureOptions(graph=False, morgan_bits=0, maccs=False), cache=None)
    assert bare.widths == {}
    assert bare.atoms.shape == (0, 9)
    assert bare.valid.all()
    many = featurize(["CC"], ALL, cache=None)
    assert list(many.widths) == ["morgan", "maccs", "counts", "descriptors"]
    assert many.blocks["descriptors"].dtype == np.float32


def test_no_molecules() -> None:
    store = featurize([], ALL, cache=None)
    assert len(store) == 0
    assert store.dense("morgan").shape == (0, 1024)
    assert store.atom_offsets.tolist() == [0]


def test_pandas_and_numpy_columns() -> None:
    import pandas as pd

    column = pd.Series(["CCO", None, pd.NA, "c1ccccc1"], index=[7, 3, 9, 1])
    assert featurize(column, cache=None).valid.tolist() == [True, False, False, True]
    assert featurize(np.array(["CCO", "x"]), cache=None).valid.tolist() == [True, False]


@pytest.mark.parametrize(
    "options",
    [
        {"morgan_radius": -1},
        {"morgan_bits": -8},
        {"geometry_timeout": 0.0},
        {"counts": True, "morgan_bits": 0},
        {"max_atoms": 0},
        {"molecule_timeout": 0.0},
    ],
)
def test_impossible_options(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="feature options"):
        FeatureOptions(**options)


def test_impossible_arguments() -> None:
    with pytest.raises(InputError, match="put it in a list"):
        featurize("CCO")
    with pytest.raises(ConfigError, match="0 workers"):
        featurize(["C"], workers=0, cache=None)


def test_a_dying_process_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ignore_interrupt", sys.exit)
    with pytest.raises(CytomolError, match="died"):
        featurize(["C"] * 200, workers=2, cache=None)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], invalid_values: list[object]) -> None:
    featurize([*invalid_values, "[H]", *["C1CC"] * 150], ALL, workers=1, cache=None)
    featurize([*invalid_values * 4], workers=2, cache=None)
    captured = capfd.readouterr()
    assert captured.err == ""
    assert captured.out == ""


def test_geometry_is_added_and_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def geometry_features(smiles, provider, *, timeout, workers, cache, progress):
        asked.update(smiles=list(smiles), provider=provider, timeout=timeout, cache=cache)
        return np.ones((len(smiles), 6), np.float32), np.array([True, False, True, True])

    fake = types.ModuleType("cytomol.chem.geometry")
    fake.geometry_features = geometry_features
    monkeypatch.setitem(sys.modules, "cytomol.chem.geometry", fake)
    options = FeatureOptions(geometry="rdkit", geometry_timeout=3.0)
    store = featurize(["C", "CC", "bad", "CCC"], options, cache=None)
    assert asked == {"smiles": ["C", "CC", "", "CCC"], "provider": "rdkit", "timeout": 3.0, "cache": None}
    assert np.isnan(store.dense("geometry")).all(axis=1).tolist() == [False, True, True, False]
    assert store.widths["geometry"] == 6


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["C", "CCO", "c1ccccc1"])), max_size=12
    )
)
@settings(max_examples=50, deadline=None)
def test_rows_do_not_influence_each_other(rows: list[str | None]) -> None:
    together = featurize(rows, cache=None)
    for i, row in enumerate(rows):
        same(together.take([i]), featurize([row], cache=None))


WAYS = [
    ALL,
    ALL.fingerprint(2, 128, counts=True),
    ALL.fingerprint(3, 64),
    FeatureOptions(chirality="as_written", descriptors=True),
    FeatureOptions(standardize="parent", max_atoms=10),
]


@given(
    st.lists(st.one_of(st.none(), st.sampled_from(["CCO", "C[C@H](F)Cl.Cl", "bad", "C" * 20])), max_size=8),
    st.lists(st.sampled_from(WAYS), min_size=1, max_size=4),
)
@settings(max_examples=40, deadline=None)
def test_several_ways_at_once_are_each_way_alone(rows: list[str | None], ways: list[FeatureOptions]) -> None:
    for way, store in zip(ways, featurize_several(rows, ways), strict=True):
        same(store, featurize(rows, way, cache=None))


def test_a_molecule_is_read_once_for_ways_that_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    read, asked = chunk.read_molecule, []

    def counted(text, options, *, alone):
        asked.append(text)
        return read(text, options, alone=alone)

    monkeypatch.setattr(chunk, "read_molecule", counted)
    featurize_several(["C", "CC"], WAYS[:3], workers=1)
    assert asked == ["C", "CC"]
    featurize_several(["C"], WAYS, workers=1)
    assert asked == ["C", "CC", "C", "C", "C"]


def test_several_ways_in_several_processes_with_a_molecule_that_could_stall() -> None:
    rows = ["C1CC1", "C" * 250, "bad", *["CCN"] * 70]
    done: list[tuple[int, int]] = []
    stores = featurize_several(rows, WAYS[1:3], workers=2, progress=lambda *at: done.append(at))
    assert done[-1] == (73, 73)
    for way, store in zip(WAYS[1:3], stores, strict=True):
        same(store, chunk.featurize_chunk(rows, way, alone=True))


def test_several_ways_are_kept_each_for_itself(tmp_path: Path) -> None:
    rows = ["CCN"] * 70
    stores = featurize_several(rows, WAYS[1:3], cache=tmp_path)
    assert len([place for place in tmp_path.iterdir() if place.is_dir()]) == 2
    for way, store in zip(WAYS[1:3], stores, strict=True):
        same(store, featurize(rows, way, cache=None))


_NO_GUARD = """
import sys
from pathlib import Path
from cytomol.chem.featurize import FeatureOptions, featurize

featurize(["CCO" + "C" * n for n in range(100)], FeatureOptions(), workers=2, cache=Path(sys.argv[1]))
"""


def test_script_without_guard_ends_with_an_error(tmp_path: Path) -> None:
    """Its workers run the script again; they must not wait for the lock that their parent holds."""
    script = tmp_path / "script.py"
    script.write_text(_NO_GUARD)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "__main__" in done.stderr
