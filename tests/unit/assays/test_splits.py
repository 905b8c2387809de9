from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

from cytomol.assays.splits import FOLDS, folds_from_column, read_split, split, splitters
from cytomol.errors import ConfigError, InputError

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "c1ccc2ccccc2c1", "C1CCNCC1", "c1ccoc1", "c1ccsc1", "C1CC1"]
TAILS = ["", "C", "CC", "CCO", "N", "C(=O)O", "OC", "Cl", "CCN", "N#C"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS] + ["CCO", "CCCC", "OCCO"]


def scaffold(smiles: str) -> str:
    return MurckoScaffoldSmiles(mol=Chem.MolFromSmiles(smiles), includeChirality=True)


@pytest.mark.parametrize("name", splitters.names())
def test_every_molecule_has_one_fold_and_shares_are_kept(name: str) -> None:
    folds = split(SMILES, name, fractions=(0.6, 0.2, 0.2))
    assert set(folds) == set(FOLDS)
    assert len(folds) == len(SMILES)
    # a scaffold split keeps scaffolds whole, so its shares are approximate
    assert abs((folds == "train").mean() - 0.6) < 0.13


@pytest.mark.parametrize("name", splitters.names())
def test_splits_are_deterministic(name: str) -> None:
    np.testing.assert_array_equal(split(SMILES, name, seed=4), split(SMILES, name, seed=4))


@pytest.mark.parametrize("name", ["random", "scaffold-infoalign"])
def test_seed_changes_splits_that_shuffle(name: str) -> None:
    assert (split(SMILES, name, seed=1) != split(SMILES, name, seed=2)).any()


def test_random_split_has_exact_sizes() -> None:
    _, counts = np.unique(split(["C"] * 50, "random"), return_counts=True)
    assert counts.tolist() == [5, 40, 5]


def test_scaffold_split_divides_no_scaffold_and_takes_the_largest_for_training() -> None:
    smiles = [*SMILES, *(f"{tail}c1ccc2ccccc2c1" for tail in TAILS[1:6])]
    folds = split(smiles, "scaffold")
    table = pd.DataFrame({"scaffold": [scaffold(s) for s in smiles], "fold": folds})
    per_scaffold = table.groupby("scaffold")["fold"].agg(["first", "nunique", "size"])
    assert (per_scaffold["nunique"] == 1).all()
    assert per_scaffold.sort_values("size")["first"].iloc[-1] == "train"


def test_scaffolds_that_differ_in_chirality_alone_may_be_divided() -> None:
    """Six of ten molecules have one enantiomer of a scaffold, which fill the train fold by themselves."""
    right = [f"O=C1N[C@H](c2ccc({tail})cc2)CO1" for tail in ("C", "CC", "N", "O", "F", "Cl")]
    left = [f"O=C1N[C@@H](c2ccc({tail})cc2)CO1" for tail in ("Br", "OC", "CCC", "C#N")]
    assert len({scaffold(text) for text in right}) == len({scaffold(text) for text in left}) == 1
    assert scaffold(right[0]) != scaffold(left[0])
    smiles = [*right[:2], *left[:3], *right[2:], left[3]]
    folds = split(smiles, "scaffold", fractions=(0.6, 0.2, 0.2))
    assert [fold == "train" for fold in folds] == [text in right for text in smiles]


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
    with pytest.raises(ConfigError, match="random, scaffold, scaffold-infoalign"):
        split(SMILES, "murcko")


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
