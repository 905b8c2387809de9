"""Everything a corpus directory can get wrong: one clear message each, and all of them in one report."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus import read_corpus, write_corpus
from cytomol.corpus.check import check_corpus
from cytomol.corpus.problems import Problems
from cytomol.errors import InputError, OutputError

CSV = "modalities/morphology_test.csv"
PARQUET = "modalities/gene_crispr.parquet"


def _write(text: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(text) and None


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _halved(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _infinite(path: Path) -> None:
    pd.DataFrame({"gene_id": ["TP53", "KRAS"], "a": [0.0, 1.0], "b": [0.0, -np.inf]}).to_parquet(path)


CASES = [
    (CSV, _empty, r"morphology_test.csv: table is empty"),
    (CSV, _write("mol_id,f\n"), r"morphology_test.csv: holds no rows"),
    (CSV, _write("mol_id,f,f\nm0,1,2\n"), r"column 'f' stands 2 times"),
    (CSV, _write("mol_id,f\nm0,1,2\n"), r"line 2: has 3 cells|is malformed"),
    (CSV, _write("mol_id;f\nm0;1\n"), r"semicolons"),
    (CSV, _write("mol_id,f,g\nm0,1,2\nm1,1,many\n"), r"row 2, column g: 'many' is not a number"),
    (
        CSV,
        _write("mol_id,f\nx,1\ny,2\n"),
        r"column mol_id: none of 2 rows joins by mol_id \(for instance x, y\)",
    ),
    (CSV, _write("well,f\n1,1\n"), r"has no column of ids"),
    (CSV, _directory, r"morphology_test.csv: is a directory where a table belongs"),
    (PARQUET, _halved, r"gene_crispr.parquet: is not a readable Parquet file"),
    ("relations/targets.csv", _write("source,target,weight\nm0,TP53,999\n"), r"row 1, column weight: .*999"),
    (
        "relations/targets.csv",
        _write("source,target,weight\nm0,TP53,\n"),
        r"column weight: 1 weight is not a number",
    ),
    ("relations/targets.csv", _write("a,b\nm0,TP53\n"), r"has no column 'source'"),
    ("relations/targets.csv", _write("source,target\n"), r"targets.csv: holds no rows"),
    ("relations/targets.csv", _write("source,target\nx,TP53\n"), r"column source: none of 1 rows joins"),
    ("relations/targets.csv", _write("source,target\nm0,x\ny,TP53\n"), r"no link has both its ends"),
]


@pytest.mark.parametrize(("file", "spoil", "message"), CASES)
def test_one_clear_error(own: Path, file: str, spoil: Callable[[Path], None], message: str) -> None:
    spoil(own / file)
    with pytest.raises(InputError, match=message):
        read_corpus(own)
    # the same is one error of the check, which goes on to look at the other tables
    problems = Problems(strict=False)
    corpus = read_corpus(own, problems=problems)
    report = check_corpus(corpus, problems=problems)
    assert not report.ok
    import re

    assert re.search(message, "\n".join(report.errors))
    assert set(corpus.modalities) | set(corpus.relations) >= {"regulates"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no corpus|no known corpus format"),
        ("", "table is empty"),
        ("mol_id,smiles\n", "holds no molecules"),
        ("mol_id,name\nm0,x\n", "has no column of SMILES"),
        ("mol_id,smiles\nm0,C\nm0,CC\n", r"row 2: mol_id 'm0' stands twice"),
        ("mol_id,smiles\nm0,C\n,CC\n", r"row 2: 1 row has no mol_id"),
    ],
)
def test_molecules(own: Path, content: str | None, message: str) -> None:
    (own / "molecules.parquet").unlink()
    if content is not None:
        (own / "molecules.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_corpus(own)


def test_corrupt_gzip(own: Path) -> None:
    path = own / "modalities" / "morphology_two.csv.gz"
    pd.DataFrame({"mol_id": ["m0"] * 500, "f": np.random.default_rng(0).normal(size=500)}).to_csv(
        path, index=False
    )
    _halved(path)
    with pytest.raises(InputError, match=r"morphology_two.csv.gz: is not a whole gzip file"):
        read_corpus(own)


def test_genes(own: Path) -> None:
    (own / "genes.parquet").unlink()
    (own / "genes.csv").write_text("gene_id,entrez_id\nTP53,x\n")
    with pytest.raises(InputError, match=r"row 1, column entrez_id: 'x' is not an Entrez id"):
        read_corpus(own)
    (own / "genes.csv").write_text("name\nTP53\n")
    with pytest.raises(InputError, match="no column of gene ids"):
        read_corpus(own)


@pytest.mark.parametrize(
    ("file", "spoil", "note", "missing"),
    [
        (
            CSV,
            _write("mol_id,f,g\nm0,inf,1\nm1,2,3\n"),
            r"1 infinite value .* in 1 column \(f\), first in row 1",
            1,
        ),
        (CSV, _write("mol_id,f,g\nm0,1,1e300\nm1,2,3\n"), r"\(or beyond float32\) in 1 column \(g\)", 1),
        (PARQUET, _infinite, r"gene_crispr.parquet: 1 infinite value .* \(b\), first in row 2", 1),
    ],
)
def test_infinite_is_not_measured(
    own: Path, file: str, spoil: Callable[[Path], None], note: str, missing: int
) -> None:
    spoil(own / file)
    corpus = read_corpus(own)
    assert any(re.search(note, said) for said in corpus.notes)
    values = corpus.modalities[Path(file).name.split(".")[0]].values  # noqa: PD011
    assert np.isnan(values).sum() == missing
    assert not np.isinf(values).any()


def test_nan_is_no_error(own: Path) -> None:
    assert np.isnan(read_corpus(own).modalities["morphology_test"].values).sum() == 1


def test_output_exists(own: Path, tmp_path: Path) -> None:
    corpus = read_corpus(own)
    target = tmp_path / "out"
    write_corpus(corpus, target)
    with pytest.raises(OutputError, match="output exists"):
        write_corpus(corpus, target)
    write_corpus(corpus, target, force=True)
    assert not [p for p in tmp_path.iterdir() if p.name.startswith((".tmp", ".old"))]


def test_names_that_collide_on_disk(own: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    corpus = read_corpus(own)
    twin = replace(corpus.modalities["gene_crispr"], name="GENE_crispr")
    with pytest.raises(InputError, match="two tables are called"):
        write_corpus(replace(corpus, modalities={**corpus.modalities, "GENE_crispr": twin}), tmp_path / "out")
    odd = replace(corpus.modalities["gene_crispr"], columns=("gene_id", "b"))
    with pytest.raises(InputError, match="feature 'gene_id' has the name of an id"):
        write_corpus(replace(corpus, modalities={"gene_crispr": odd}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_odd_names_are_written_and_read(own: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    corpus = read_corpus(own)
    odd = replace(corpus.modalities["gene_crispr"], name='up/../"x"', columns=("id", "smiles"))
    write_corpus(replace(corpus, modalities={odd.name: odd}), tmp_path / "out")
    again = read_corpus(tmp_path / "out").modalities
    assert list(again) == ['up/../"x"']
    assert again[odd.name].columns == ("id", "smiles")
