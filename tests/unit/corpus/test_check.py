"""The check: what it counts, warns of and rejects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus import Corpus, Modality, read_corpus
from cytomol.corpus.check import check_corpus
from cytomol.corpus.facts import column_facts


def modality(values: np.ndarray) -> Modality:
    values = values.astype(np.float32)
    names = tuple(f"c{i}" for i in range(values.shape[1]))
    return Modality("x", "morphology", "molecule", np.arange(len(values)), values, names)


def test_column_facts() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 6))
    values[:, 1] = 3.0
    values[:, 2] = values[:, 0]
    values[:, 3] = np.nan
    values[7, 4] = 500.0
    values[3, 5] = np.nan
    facts = column_facts(modality(values))
    assert facts.missing == 51
    assert facts.empty == ("c3",)
    assert facts.constant == ("c1",)
    assert facts.duplicated == ("c2",)
    assert facts.heavy == ("c4",)
    assert facts.farthest[0] == "c4"
    assert facts.high == 500
    assert facts.middle == pytest.approx(np.nanmedian(values), abs=1e-6)


def test_facts_of_nothing() -> None:
    facts = column_facts(modality(np.full((2, 1), np.nan)))
    assert np.isnan(facts.low)
    assert facts.empty == ("c0",)


def test_zero_signs_and_nan_do_not_hide_duplicates() -> None:
    values = np.array([[0.0, -0.0], [np.nan, np.nan], [1, 1]])
    assert column_facts(modality(values)).duplicated == ("c1",)


def test_report_of_a_small_corpus(own: Path) -> None:
    corpus = read_corpus(own)
    report = check_corpus(corpus)
    assert report.ok
    tables = {table.title.split(" (")[0]: table for table in report.tables}
    counts = dict(tables["Corpus"].rows)
    assert counts == {
        "molecules": "5",
        "genes": "3",
        "modalities": "2",
        "relations": "2",
        "molecules with a profile": "2",
        "molecules with a target": "3",
    }
    overlap = tables["Molecules that modalities share"].rows
    # gene_crispr covers m0 (TP53, KRAS) and m2 (KRAS); morphology_test covers m1 and m3
    assert overlap == [["1 gene_crispr", "2", ""], ["2 morphology_test", "0", "2"]]
    assert any("1 NaN" in warning for warning in report.warnings)
    text = report.text()
    assert "0 errors, 1 warning" in text
    assert "\x1b" not in text
    assert "| morphology_test | morphology   | molecule |        3 |     2 |" in text


def test_structures(own: Path) -> None:
    corpus = read_corpus(own)
    molecules = corpus.molecules.copy()
    molecules["smiles"] = ["CCO", "C1CC", "OCC", "", "CN"]
    report = check_corpus(replace(corpus, molecules=molecules))
    text = "\n".join(report.warnings)
    assert "2 SMILES do not parse: row 2 (m1): " in text
    assert "row 4 (m3): empty SMILES" in text
    assert "1 repeat the structure of an earlier one: row 3 (m2) = row 1 (m0)" in text
    assert report.ok


def test_errors() -> None:
    molecules = pd.DataFrame({"mol_id": ["a", "b"], "smiles": ["((", "X"]})
    infinite = modality(np.array([[1.0], [np.inf]]))
    empty = replace(infinite, name="none", rows=np.zeros(0, np.int64), values=np.zeros((0, 1), np.float32))
    blank = replace(modality(np.full((2, 1), np.nan)), name="blank")
    corpus = Corpus(molecules, pd.DataFrame({"gene_id": []}), {"x": infinite, "none": empty, "blank": blank})
    text = "\n".join(check_corpus(corpus).errors)
    assert "no SMILES parses" in text
    assert "modality x: 1 infinite value" in text
    assert "modality none: no profile joined" in text
    assert "modality blank: holds no value at all" in text


def test_relations(own: Path) -> None:
    (own / "relations" / "regulates.parquet").unlink()
    (own / "relations" / "regulates.csv").write_text(
        "source,target,weight\nTP53,EGFR,1\nTP53,EGFR,1\nKRAS,KRAS,0\n"
    )
    text = "\n".join(check_corpus(read_corpus(own)).warnings)
    assert "relation regulates: 1 link stands there more than once" in text
    assert "relation regulates: 1 link leads back to its source" in text
    assert "relation regulates: 1 link has weight 0" in text


def test_corpus_without_profiles() -> None:
    corpus = Corpus(pd.DataFrame({"mol_id": ["a"], "smiles": ["C"]}), pd.DataFrame({"gene_id": []}))
    report = check_corpus(corpus)
    assert report.ok
    assert "molecules" in report.text()
