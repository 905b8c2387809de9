"""Profiles of listed molecules leave, whatever form the list has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.chem.keys import connectivity_block, inchikey
from cytomol.chem.parse import parse_smiles
from cytomol.corpus.schema import Corpus, Modality, Relation
from cytomol.errors import InputError
from cytomol.training.dataset.exclude import (
    as_paths,
    connectivity_blocks,
    exclude_profiles_of,
    listed_blocks,
    molecule_groups,
)

SMILES = ["CCO", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "c1ccccc1", "nonsense("]


def _key(smiles: str) -> str:
    mol = parse_smiles(smiles).mol
    assert mol is not None
    return inchikey(mol)


def _corpus(**columns: list[str | None]) -> Corpus:
    def modality(name: str, entity: str, rows: list[int]) -> Modality:
        values = np.arange(len(rows), dtype=np.float32)[:, None]
        return Modality(name, "x", entity, np.array(rows), values, ("a",))  # type: ignore[arg-type]

    def relation(name: str, ends: str, source: list[int], target: list[int]) -> Relation:
        left, right = ends.split("-")
        weight = np.linspace(0.1, 1, len(source), dtype=np.float32)
        return Relation(name, left, right, np.array(source), np.array(target), weight)  # type: ignore[arg-type]

    return Corpus(
        molecules=pd.DataFrame({"mol_id": list("abcde"), "smiles": SMILES, **columns}),
        genes=pd.DataFrame({"gene_id": ["g", "h"]}),
        modalities={"m": modality("m", "molecule", [0, 1, 2, 2, 3]), "g": modality("g", "gene", [0, 1])},
        relations={
            "targets": relation("targets", "molecule-gene", [0, 1, 3, 2], [0, 0, 1, 1]),
            "of": relation("of", "gene-molecule", [1, 0], [2, 3]),
            "like": relation("like", "molecule-molecule", [0, 0, 1], [1, 3, 4]),
            "genes": relation("genes", "gene-gene", [0, 1], [1, 0]),
        },
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
    found = exclude_profiles_of(_corpus(), path)
    reduced = found.corpus
    assert found.counts == {"molecules": 2, "profiles": 3, "relations": 5}
    assert reduced.modalities["m"].rows.tolist() == [0, 3]
    assert np.ravel(reduced.modalities["m"].values).tolist() == [0, 4]
    assert len(reduced.modalities["g"]) == 2
    assert len(reduced) == 5


def test_relations_of_listed_molecules_leave_whichever_end_they_are(tmp_path: Path) -> None:
    path = tmp_path / "l.smi"
    path.write_text("NC(C)C(O)=O alanine\n")
    before, after = _corpus().relations, exclude_profiles_of(_corpus(), path).corpus.relations
    links = {name: list(zip(r.source.tolist(), r.target.tolist(), strict=True)) for name, r in after.items()}
    assert links == {
        "targets": [(0, 0), (3, 1)],
        "of": [(0, 3)],
        "like": [(0, 3)],
        "genes": [(0, 1), (1, 0)],
    }
    assert after["targets"].weight.tolist() == before["targets"].weight[[0, 2]].tolist()


def test_relations_stay_when_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "l.smi"
    path.write_text("NC(C)C(O)=O alanine\n")
    found = exclude_profiles_of(_corpus(), path, relations=False)
    assert (found.profiles, found.relations) == (3, 0)
    assert [len(r) for r in found.corpus.relations.values()] == [4, 2, 3, 2]


def test_several_files_count_together(tmp_path: Path) -> None:
    (one := tmp_path / "a.smi").write_text("NC(C)C(O)=O alanine\n")
    (two := tmp_path / "b.txt").write_text(_key("c1ccccc1") + "\n")
    found = exclude_profiles_of(_corpus(), [one, str(two)])
    assert found.counts == {"molecules": 3, "profiles": 4, "relations": 8}
    assert found.corpus.modalities["m"].rows.tolist() == [0]
    assert exclude_profiles_of(_corpus(), [one, one]).counts == exclude_profiles_of(_corpus(), one).counts


def test_paths_one_several_none() -> None:
    assert as_paths("a") == as_paths(Path("a")) == as_paths(["a"]) == (Path("a"),)
    assert as_paths(None) == as_paths([]) == ()


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


def test_a_list_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "l.smi"
    path.write_text("CCO ethanol\n")
    assert listed_blocks(path) == listed_blocks(path) == {connectivity_block(_key("CCO"))}
    listed_blocks(path).clear()  # the caller's own
    path.write_text("CCN ethylamine\n")
    assert listed_blocks(path) == {connectivity_block(_key("CCN"))}
