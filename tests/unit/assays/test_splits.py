from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits import (
    FOLDS,
    divided_molecules,
    folds_from_column,
    kfold,
    kfold_of_blocks,
    read_split,
    rotation,
    split,
    splitters,
)
from cytomol.errors import ConfigError, InputError, InputNote

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "c1ccc2ccccc2c1", "C1CCNCC1", "c1ccoc1", "c1ccsc1", "C1CC1"]
TAILS = ["", "C", "CC", "CCO", "N", "C(=O)O", "OC", "Cl", "CCN", "N#C"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS] + ["CCO", "CCCC", "OCCO"]


def scaffold(smiles: str) -> str:
    return MurckoScaffoldSmiles(mol=Chem.MolFromSmiles(smiles), includeChirality=True)


RULES = [name for name in splitters.names() if name != "time"]  # which needs dates


@pytest.mark.parametrize("name", RULES)
def test_every_molecule_has_one_fold_and_shares_are_kept(name: str) -> None:
    folds = split(SMILES, name, fractions=(0.6, 0.2, 0.2))
    assert set(folds) == set(FOLDS)
    assert len(folds) == len(SMILES)
    # scaffolds stay whole, so shares are approximate
    assert abs((folds == "train").mean() - 0.6) < 0.13


@pytest.mark.parametrize("name", RULES)
def test_splits_are_deterministic(name: str) -> None:
    np.testing.assert_array_equal(split(SMILES, name, seed=4), split(SMILES, name, seed=4))


@pytest.mark.parametrize("name", ["random", "scaffold-infoalign"])
def test_seed_changes_splits_that_shuffle(name: str) -> None:
    assert (split(SMILES, name, seed=1) != split(SMILES, name, seed=2)).any()


def test_few_molecules_leave_no_fold_empty() -> None:
    smiles = [text for text in ("CCO", "CCN", "CCC", "c1ccccc1", "CCF", "CCCN") for _ in range(3)]
    for name in ("random", "scaffold", "cluster"):
        assert np.unique(split(smiles, name)).tolist() == ["test", "train", "valid"]
    assert sorted(split(["CCO", "CCN", "CCC"], "random")) == ["test", "train", "valid"]
    assert set(split(["CCO", "CCN"], "random", fractions=(0.9, 0.1, 0.0))) == {"train", "valid"}


def test_random_split_has_exact_sizes() -> None:
    _, counts = np.unique(split(["C" * (length + 1) for length in range(50)], "random"), return_counts=True)
    assert counts.tolist() == [5, 40, 5]


def test_scaffold_split_divides_no_scaffold_and_takes_the_largest_for_training() -> None:
    smiles = [*SMILES, *(f"{tail}c1ccc2ccccc2c1" for tail in TAILS[1:6])]
    folds = split(smiles, "scaffold")
    table = pd.DataFrame({"scaffold": [scaffold(s) for s in smiles], "fold": folds})
    per_scaffold = table.groupby("scaffold")["fold"].agg(["first", "nunique", "size"])
    assert (per_scaffold["nunique"] == 1).all()
    assert per_scaffold.sort_values("size")["first"].iloc[-1] == "train"


def test_scaffolds_that_differ_in_chirality_alone_are_two_as_published_and_one_of_ours() -> None:
    """Six of ten molecules have one enantiomer of a scaffold, which fill the train fold by themselves."""
    right = [f"O=C1N[C@H](c2ccc({tail})cc2)CO1" for tail in ("C", "CC", "N", "O", "F", "Cl")]
    left = [f"O=C1N[C@@H](c2ccc({tail})cc2)CO1" for tail in ("Br", "OC", "CCC", "C#N")]
    assert len({scaffold(text) for text in right}) == len({scaffold(text) for text in left}) == 1
    assert scaffold(right[0]) != scaffold(left[0])
    smiles = [*right[:2], *left[:3], *right[2:], left[3]]
    folds = split(smiles, "scaffold-ogb", fractions=(0.6, 0.2, 0.2))
    assert [fold == "train" for fold in folds] == [text in right for text in smiles]
    # enantiomers are one molecule to the rule that no molecule stands in two folds
    assert len(set(split(smiles, "scaffold", fractions=(0.6, 0.2, 0.2)))) == 1


def test_infoalign_split_divides_at_most_the_scaffolds_on_the_two_cuts() -> None:
    folds = split(SMILES, "scaffold-infoalign")
    table = pd.DataFrame({"scaffold": [scaffold(s) for s in SMILES], "fold": folds})
    assert table.groupby("scaffold")["fold"].nunique().gt(1).sum() <= 2
    assert (folds == "train").sum() == int(0.6 * len(SMILES))


@pytest.mark.parametrize(
    "fractions", [(0.5, 0.5), (0.5, 0.2, 0.2), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1)], ids=str
)
def test_fractions_that_do_not_work(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="sum to 1"):
        split(SMILES, "random", fractions=fractions)


def test_unknown_split_lists_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match="cluster, random, scaffold, scaffold-infoalign, scaffold-ogb, time"
    ):
        split(SMILES, "murcko")


REPEATED = [smiles for text in SMILES for smiles in (text, text)]
STEREO = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC(N)C(=O)O", "[CH3:1][C@H](N)C(=O)O", "OC(=O)C(C)N"]


def test_molecules_are_told_by_connectivity() -> None:
    groups = molecule_groups([*STEREO, "CCO", "bad", "", "OCC", "C([2H])CO"])
    assert groups.tolist() == [0, 0, 0, 0, 0, 1, -1, -1, 1, 1]


def test_groups_are_numbered_by_first_appearance_around_invalid_ones() -> None:
    assert molecule_groups(["bad", "CCO", "CCN", "", "CCO", "CCC"]).tolist() == [-1, 0, 1, -1, 0, 2]


@pytest.mark.parametrize("name", ["random", "scaffold", "cluster"])
def test_no_molecule_is_in_two_folds_however_it_is_written(name: str) -> None:
    generator = np.random.default_rng(0)
    smiles = []
    for text in SMILES:
        mol = Chem.MolFromSmiles(text)
        smiles += [Chem.MolToSmiles(mol, doRandom=True) for _ in range(int(generator.integers(1, 5)))]
    smiles = [smiles[row] for row in generator.permutation(len(smiles))]
    folds = split(smiles, name, fractions=(0.6, 0.2, 0.2), seed=3)
    assert divided_molecules(folds, molecule_groups(smiles)) == 0
    # the shares are those of rows, not of molecules
    assert abs((folds == "train").mean() - 0.6) < 0.05
    assert abs((folds == "test").mean() - 0.2) < 0.05


def test_published_rules_say_which_molecules_they_divide() -> None:
    with pytest.warns(InputNote, match=r"scaffold-infoalign split: 1 molecule\(s\) stand in two folds"):
        folds = split(["c1ccccc1C"] * 10, "scaffold-infoalign", fractions=(0.6, 0.4, 0.0))
    assert (folds == "train").sum() == 6


def test_molecules_without_rings_do_not_fill_the_test_fold() -> None:
    chains = ["C" * length + end for length in range(3, 13) for end in ("N", "O", "Cl", "(C)C", "C=O")]
    folds = split([*chains, *SMILES[:10]], "scaffold")
    shares = [(folds == fold).mean() for fold in FOLDS]
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.05)
    assert (
        split(["CCCCN", "CCCCO", "CCCCC"], "scaffold", fractions=(0.4, 0.3, 0.3)).tolist().count("train") == 3
    )


def test_a_scaffold_larger_than_the_training_fold_trains_and_is_said() -> None:
    smiles = [f"{'C' * length}c1ccccc1" for length in range(1, 18)] + ["C1CCCCC1", "c1ccncc1", "c1ccoc1"]
    with pytest.warns(InputNote) as caught:
        folds = split(smiles, "scaffold", fractions=(0.6, 0.2, 0.2))
    assert set(folds[:17]) == {"train"}
    said = " ".join(str(line.message) for line in caught)
    assert "the test fold" in said or "the valid fold" in said
    assert "the largest block that stays together has 17 of 20 rows" in said


@pytest.mark.parametrize("name", ["scaffold", "cluster"])
def test_atom_maps_and_spelling_do_not_matter(name: str) -> None:
    mapped = [
        text.replace("C", "[CH2:7]", 1) if text[0] == "C" and "1" in text[:2] else text for text in SMILES
    ]
    assert mapped != SMILES
    np.testing.assert_array_equal(split(mapped, name), split(SMILES, name))
    written = [Chem.MolToSmiles(Chem.MolFromSmiles(text), doRandom=True) for text in SMILES]
    np.testing.assert_array_equal(split(written, name), split(SMILES, name))


def test_clusters_keep_the_like_together() -> None:
    series = [f"{'C' * length}c1ccc2[nH]c(C(=O)NC3CC3)cc2c1" for length in range(1, 7)]
    smiles = [*SMILES, *series]
    folds = split(smiles, "cluster")
    assert len(set(folds[-6:])) == 1
    assert len(set(folds[: len(SMILES)])) == 3


def test_time_tests_what_came_last_and_leaves_the_undated_out() -> None:
    dates = np.datetime64("2024-01-01") + np.arange(len(SMILES)).astype("timedelta64[D]")
    order = np.random.default_rng(1).permutation(len(SMILES))
    dates = dates[order]
    dates[5] = np.datetime64("NaT")
    with pytest.warns(InputNote, match="1 of 83 rows has no date"):
        folds = split(SMILES, "time", dates=dates)
    assert folds[5] == ""
    assert dates[folds == "train"].max() < dates[folds == "valid"].min()
    assert dates[folds == "valid"].max() < dates[folds == "test"].min()
    assert abs((folds == "train").sum() - 66) <= 1
    with pytest.raises(ConfigError, match="needs dates"):
        split(SMILES, "time")


def test_a_molecule_has_its_earliest_date() -> None:
    dates = np.array(["2020-01-01", "2024-06-01", *["2021-01-01"] * 9], "datetime64[D]")
    folds = split(["CCO", "OCC", *SMILES[:9]], "time", dates=dates, fractions=(0.2, 0.4, 0.4))
    assert folds[:2].tolist() == ["train", "train"]


@pytest.mark.parametrize("name", RULES)
def test_cross_validation_tests_every_row_once_and_divides_no_molecule(name: str) -> None:
    tested = kfold(REPEATED, name, folds=4, repeats=2, seed=5)
    assert tested.shape == (2, len(REPEATED))
    for division in tested:
        sizes = np.bincount(division, minlength=4)
        assert sizes.sum() == len(REPEATED)
        assert sizes.max() - sizes.min() <= 0.2 * len(REPEATED)
        assert (division[::2] == division[1::2]).all()
    assert (tested[0] != tested[1]).any()
    np.testing.assert_array_equal(tested, kfold(REPEATED, name, folds=4, repeats=2, seed=5))


def test_cross_validation_by_scaffold_divides_no_scaffold() -> None:
    division = kfold(SMILES[:80], "scaffold", folds=3)[0]
    table = pd.DataFrame({"scaffold": [scaffold(s) for s in SMILES[:80]], "fold": division})
    assert table.groupby("scaffold")["fold"].agg(set).map(len).max() == 1


def test_cross_validation_by_time_goes_by_periods() -> None:
    dates = np.datetime64("2024-01-01") + np.arange(len(SMILES)).astype("timedelta64[D]")
    division = kfold(SMILES, "time", folds=4, dates=dates)[0]
    assert (np.diff(division) >= 0).all()
    assert np.ptp(np.bincount(division)) <= 1
    with pytest.raises(ConfigError, match="time has one order"):
        kfold(SMILES, "time", repeats=2, dates=dates)


def test_random_blocks_make_folds_of_near_equal_size() -> None:
    sizes = np.random.default_rng(0).integers(1, 9, size=60)
    blocks = np.repeat(np.arange(60), sizes)
    division = kfold_of_blocks(blocks, folds=5, repeats=1)[0]
    assert np.ptp(np.bincount(division)) <= 1
    with pytest.raises(InputError, match=r"2 block\(s\).*cannot fill 3 folds"):
        kfold_of_blocks(np.array([0, 0, 1]), folds=3)
    with pytest.raises(ConfigError, match="into 1 fold"):
        kfold_of_blocks(blocks, folds=1)


def test_rotation_takes_the_next_fold_to_validate() -> None:
    tested = np.array([0, 1, 2, 2, -1])
    assert rotation(tested, 0).tolist() == ["test", "valid", "train", "train", ""]
    assert rotation(tested, 2).tolist() == ["valid", "train", "test", "test", ""]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_split_file_may_leave_rows_out_and_come_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "split.csv", "index,fold\n3,test\n0,train\n1,val\n")
    assert read_split(path, 5).tolist() == ["train", "valid", "", "test", ""]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index,fold\n0,train\n9,test\n", r"row 9 is not in the table, which has rows 0 to 4"),
        ("index,fold\n0,train\n-1,test\n", r"row -1 is not in the table"),
        ("index,fold\n0,train\n0,test\n", r"row 0 has 2 folds"),
        ("index,fold\n0,train\n1,holdout\n", r"row 2, column 'fold'.*'holdout' is unknown"),
        ("index,fold\n0,train\n1,\n", r"fold '' is unknown"),
        ("index,fold\nx,train\n", r"row 1, column 'index'.*'x' is not a row number"),
        ("index,fold\n1.5,train\n", r"'1.5' is not a row number"),
        ("index,folds\n0,train\n", r"no column 'fold'.*did you mean 'folds'"),
        ("row,fold\n0,train\n", r"no column 'index'"),
    ],
)
def test_wrong_split_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_split(write(tmp_path / "split.csv", text), 5)


def test_fold_column() -> None:
    cells = pd.Series(["Train", "validation", "TEST", "", None])
    folds = folds_from_column(cells, where="t.csv", column="fold")
    assert folds.tolist() == ["train", "valid", "test", "", ""]
    with pytest.raises(InputError, match="row 2, column 'fold'"):
        folds_from_column(pd.Series(["train", "x"]), where="t.csv", column="fold")


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["chembl2k", "biogenadme"])
def test_infoalign_split_is_the_published_one(real_data: Path, name: str) -> None:
    folder = real_data / "benchmarks" / name
    table = pd.read_csv(folder / "assays.csv.gz", usecols=["smiles"])
    given = read_split(folder / "split.csv.gz", len(table))
    np.testing.assert_array_equal(split(table["smiles"].tolist(), "scaffold-infoalign"), given)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["clintox", "bace"])
def test_scaffold_split_is_ogbs(real_data: Path, name: str) -> None:
    folder = real_data / "benchmarks" / name
    table = pd.read_csv(folder / "assays.csv.gz", usecols=["smiles"])
    given = read_split(folder / "split.csv.gz", len(table))
    np.testing.assert_array_equal(split(table["smiles"].tolist(), "scaffold-ogb"), given)


def test_what_two_spellings_share_is_found_though_their_bonds_or_charges_differ() -> None:
    pairs = [
        ("C[NH3+]", "CN"),
        ("O=C1C=CNC=C1", "Oc1ccncc1"),
        ("CC(=O)O[Na]", "CC(=O)[O-].[Na+]"),
        ("[2H]C([2H])([2H])O", "CO"),
        ("C[C@H](F)Cl", "CC(F)Cl"),
    ]
    groups = molecule_groups([text for pair in pairs for text in pair])
    for first, second in zip(groups[::2], groups[1::2], strict=True):
        assert first == second
    assert len(set(groups.tolist())) == len(pairs)
    assert len(set(molecule_groups(["CCO", "CC=O", "COC", "CCN", "CCCO"]).tolist())) == 5
