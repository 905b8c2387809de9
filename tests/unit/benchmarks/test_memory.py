from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks.memory.page import page
from benchmarks.memory.rows import Run, add, done, forget
from benchmarks.memory.sample import sample
from benchmarks.memory.worker import config_of

from cytomol.corpus.planted import generate_planted

HEAPS = pd.DataFrame(
    {"version": "before", "method": "infoalign", "precision": "bf16-mixed", "molecules": 64, "batch_size": 8}
    | {"epoch": [1, 2], "kernels": [97, 48], "used_mb": [335.0, 499.0], "free_mb": [1005.0, 2326.0]}
)
RUN = Run("now", "infoalign", "bf16-mixed", "none", 1000, 128, 2)


def measured(epoch: int, resident: float, peak: float) -> dict[str, float]:
    return {
        "epoch": epoch, "resident_mb": resident, "peak_mb": peak, "molecules_per_second": 1, "cpu_seconds": 1
    }  # fmt: skip


def test_a_run_that_was_cut_begins_anew_and_others_stay(tmp_path):
    table, other = tmp_path / "memory.csv", replace(RUN, version="before")
    for run, epochs in ((RUN, 2), (other, 3)):
        forget(table, run)
        for epoch in range(1, epochs + 1):
            add(table, run, **measured(epoch, 1000, 1000))
    assert (done(table, RUN), done(table, other)) == (2, 3)
    forget(table, RUN)
    assert (done(table, RUN), done(table, other)) == (0, 3)


@pytest.mark.parametrize(
    ("resident", "peak", "verdict"),
    [(1040, 1040, "| yes |"), (1060, 1060, "| **no** |"), (1000, 1060, "**no**")],
)
def test_the_page_says_whether_memory_was_flat(tmp_path, resident, peak, verdict):
    table = tmp_path / "memory.csv"
    forget(table, RUN)
    add(table, RUN, **measured(3, 1000, 1000))
    add(table, RUN, **measured(50, resident, peak))
    text = page(pd.read_csv(table), HEAPS)
    assert verdict in text
    assert "| before | infoalign | bf16-mixed | kernels compiled | 97 | 48 |" in text
    assert "| before | infoalign | bf16-mixed | free | 1,005 | 2,326 |" in text


def test_a_sample_keeps_what_is_known_of_its_molecules():
    corpus = generate_planted(300, seed=1).corpus
    part = sample(corpus, 50)
    assert len(part) == 50
    place = {smiles: row for row, smiles in enumerate(corpus.smiles)}
    rows = np.array([place[smiles] for smiles in part.smiles])
    for name, modality in part.modalities.items():
        if modality.entity == "molecule":
            whole = corpus.modalities[name]
            whole = whole.take(np.isin(whole.rows, rows))
            np.testing.assert_array_equal(rows[modality.rows], whole.rows)
            np.testing.assert_array_equal(modality.values, whole.values)
    for name, relation in part.relations.items():
        if relation.source_entity == "molecule":
            whole = corpus.relations[name]
            np.testing.assert_array_equal(rows[relation.source], whole.source[np.isin(whole.source, rows)])


def test_without_cell_data_only_molecules_tell():
    config = config_of(RUN, 5)
    assert (config.modalities, config.walk_length, config.epochs, config.batch_size) == ((), 0, 5, 128)
    assert config_of(replace(RUN, cells="all", method="chmr"), 5).modalities is None
