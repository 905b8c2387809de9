"""Profiles kept on disk for a long input are those that the whole join holds in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytomol.assays.same_molecule import molecule_key
from cytomol.chem.keys import inchikey
from cytomol.chem.parse import parse_smiles
from cytomol.errors import InputError
from cytomol.predict import kept_profiles
from cytomol.predict.kept_profiles import KeptProfiles, keep_profiles
from cytomol.predict.profile_block import ProfileBlock
from cytomol.predict.profile_source import read_profile_blocks
from cytomol.tables import read_molecules
from cytomol.tables.streaming import open_source

SMILES = ["CCO", "OCC", "CCN", "c1ccccc1", "CCCl", "C1CC", "CC(=O)O", "CCCC"]
FEATURES = ("Cells_Area", "Nuclei_Area")
KNOWN = [ProfileBlock("painting", FEATURES, np.zeros((0, 2), np.float32))]
NUMBER = st.one_of(st.floats(-9, 9, width=32), st.just(float("nan")), st.just(float("inf")))
ROW = st.tuples(st.sampled_from(["smiles", "inchikey", "id", "none"]), st.integers(0, 9), NUMBER, NUMBER)


def table_of(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Return a table whose profiles say in one way or another whose they are."""
    found = []
    for kind, which, first, second in rows:
        smiles = SMILES[which % len(SMILES)] if which < 8 else "CCCCCCCC"
        mol = parse_smiles(smiles).mol
        found.append(
            {
                "Metadata_SMILES": smiles if kind == "smiles" else "",
                "Metadata_InChIKey": inchikey(mol) if kind == "inchikey" and mol is not None else "",
                "Metadata_broad_sample": f"id-{which % 7}" if kind == "id" else "",
                FEATURES[1]: second,
                FEATURES[0]: first,
            }
        )
    return pd.DataFrame(found)


def molecules(path: Path) -> Path:
    """Write molecules, with an id that two of them share."""
    ids = [f"id-{row % 6}" for row in range(len(SMILES))]
    pd.DataFrame({"smiles": SMILES, "broad_sample": ids}).to_csv(path, index=False)
    return path


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, min_size=1, max_size=14), size=st.integers(1, 5), parquet=st.booleans())
def test_what_is_kept_is_what_is_joined_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], size: int, *, parquet: bool
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    place, table = molecules(folder / "in.csv"), table_of(rows)
    profiles = folder / ("profiles.parquet" if parquet else "profiles.csv")
    if parquet:
        table.to_parquet(profiles, index=False)
    else:
        table.to_csv(profiles, index=False)
    try:
        whole = read_profile_blocks([str(profiles)], read_molecules(place), known=KNOWN)[0]
    except InputError as error:
        with pytest.raises(InputError) as found:
            keep_profiles([str(profiles)], open_source(place), folder / "k", known=KNOWN)
        assert found.value.what == error.what  # noqa: PT017
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_profiles, "_ROWS", size)
        kept = keep_profiles([str(profiles)], open_source(place), folder / "k", known=KNOWN)[0]
    block = kept.block()
    assert (block.name, block.columns) == (whole.name, whole.columns)
    np.testing.assert_array_equal(block.of(SMILES), whole.of(SMILES))


def test_only_rows_of_a_part_are_read(tmp_path: Path) -> None:
    table = table_of([("smiles", row % 8, float(row), 1.0) for row in range(80)])
    table.to_csv(tmp_path / "profiles.csv", index=False)
    said: list[str] = []
    kept = keep_profiles(
        [f"painting={tmp_path / 'profiles.csv'}"],
        open_source(molecules(tmp_path / "in.csv")),
        tmp_path / "k",
        known=KNOWN,
        say=said.append,
    )[0]
    block = kept.block()
    assert isinstance(block.values, np.memmap)
    assert block.aligned(KNOWN[0], where="").values is block.values  # noqa: PD011
    assert said == ["profiles painting: 6 molecules have one (2 features)"]
    assert isinstance(kept, KeptProfiles)
    assert set(block.place) == {molecule_key(text) for text in SMILES if molecule_key(text)}
