"""Profiles of listed molecules leave, whatever form the list has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.chem.keys import connectivity_block, inchikey
from cytomol.chem.parse import parse_smiles
from cytomol.corpus.schema import Corpus, Modality
from cytomol.errors import InputError
from cytomol.training.exclude import connectivity_blocks, exclude_profiles_of, listed_blocks, molecule_groups

SMILES = ["CCO", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "c1ccccc1", "nonsense("]


def _key(smiles: str) -> str:
    mol = parse_smiles(smiles).mol
    assert mol is not None
    return inchikey(mol)


def _corpus(**columns: list[str | None]) -> Corpus:
    def modality(name: str, entity: str, rows: list[int]) -> Modality:
        values = np.arange(len(rows), dtype=np.float32)[:, None]
        return Modality(name, "x", entity, np.array(rows), values, ("a",))  # type: ignore[arg-type]

    return Corpus(
        molecules=pd.DataFrame({"mol_id": list("abcde"), "smiles": SMILES, **columns}),
        genes=pd.DataFrame({"gene_id": ["g", "h"]}),
        modalities={"m": modality("m", "molecule", [0, 1, 2, 2, 3]), "g": modality("g", "gene", [0, 1])},
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "name,smiles\nala,C[C@H](N)C(=O)O\n"),
        ("l.smi", "NC(C)C(O)=O alanine\n"),
        ("l.csv", "id,InChIKey\n1,KEY\n"),
        ("l.csv", "KEY\n"),
        ("l.txt", "KEY\n"),
        ("l.txt", "inchikey\nBLOCK\n"),
        ("l.tsv", "inchikey\tx\nBLOCK\t1\n"),
    ],
)
def test_both_stereoisomers_lose_their_profiles(tmp_path: Path, name: str, text: str) -> None:
    key = _key("NC(C)C(O)=O")
    path = tmp_path / name
    path.write_text(text.replace("KEY", key).replace("BLOCK", connectivity_block(key)))
    reduced, molecules, profiles = exclude_profiles_of(_corpus(), path)
    assert (molecules, profiles) == (2, 3)
    assert reduced.modalities["m"].rows.tolist() == [0, 3]
    assert np.ravel(reduced.modalities["m"].values).tolist() == [0, 4]
    assert len(reduced.modalities["g"]) == 2
    assert len(reduced) == 5


def test_keys_of_the_corpus_are_used_and_missing_ones_computed() -> None:
    known = ["AAAAAAAAAAAAAA-AAAAAAAAAA-N", None, "", "not a key", None]
    assert connectivity_blocks(_corpus(inchikey=known)) == [
        "AAAAAAAAAAAAAA",
        *(connectivity_block(_key(smiles)) for smiles in SMILES[1:4]),
        "",
    ]


def test_groups_join_stereoisomers_alone() -> None:
    groups = molecule_groups(_corpus()).tolist()
    assert groups[1] == groups[2]
    assert len(set(groups)) == 4


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.csv", "smiles\nnonsense(\n", "no molecule that can be identified"),
        ("l.csv", "name,x\na,1\n", "no column"),
        ("l.csv", "", "empty"),
    ],
)
def test_a_list_that_names_nothing(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        listed_blocks(path)
    with pytest.raises(InputError, match="not found"):
        listed_blocks(tmp_path / "absent.csv")
