"""Enrichment against Fisher's exact test of SciPy and the correction by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from cytomol.cells.tree.enrichment import Labels, enrich


def _drawn(seed: int = 0, molecules: int = 120) -> tuple[np.ndarray, Labels, np.ndarray]:
    draw = np.random.default_rng(seed)
    leaf = draw.integers(0, 4, molecules)
    path = np.stack([leaf >> 1, leaf], axis=1)
    path[:3] = -1  # without place
    said = pd.DataFrame(
        {"molecule": draw.integers(0, molecules, 90), "label": draw.choice(["a", "b", "c"], 90)}
    )
    said.loc[len(said)] = [50, "rare"]
    planted = np.flatnonzero(leaf == 2)[:20]
    said = pd.concat([said, pd.DataFrame({"molecule": planted, "label": "gathered"})], ignore_index=True)
    return path, Labels.of_statements("moa", said, molecules), draw.integers(0, 9, molecules)


@pytest.mark.parametrize("seed", range(3))
def test_p_values_are_those_of_fisher(seed: int) -> None:
    path, labels, scaffold = _drawn(seed)
    found = enrich(path, (2, 4), labels, scaffold)
    known = labels.known & (path[:, 0] >= 0)
    assert found.molecules == known.sum()
    assert len(found.table) > 10
    for row in found.table.itertuples():
        has = np.zeros(len(path), bool)
        has[labels.molecule[labels.label == labels.names.index(row.label)]] = True
        inside = path[:, row.level - 1] == row.node
        has, inside = has[known], inside[known]
        table = [
            [(has & inside).sum(), (has & ~inside).sum()],
            [(~has & inside).sum(), (~has & ~inside).sum()],
        ]
        assert row.p == pytest.approx(fisher_exact(table, "greater").pvalue)
        assert (row.hits, row.members, row.labelled, row.known) == (
            table[0][0], inside.sum(), has.sum(), known.sum(),
        )  # fmt: skip
        assert row.fold == pytest.approx(has[inside].mean() / has.mean())
        assert row.scaffolds == len(set(scaffold[known][has & inside]))
    assert found.table.iloc[0]["label"] == "gathered"
    assert "rare" not in set(found.table["label"])


def test_correction_counts_all_tests() -> None:
    """q of the surest is the least p x tests / rank, over tests with and without hits."""
    path, labels, scaffold = _drawn()
    found = enrich(path, (2, 4), labels, scaffold)
    assert found.tests == 6 * 4  # six nodes, four labels with five molecules or more
    p = np.sort(found.table["p"].to_numpy())
    by_hand = np.minimum.accumulate((p * found.tests / np.arange(1, len(p) + 1))[::-1])[::-1]
    assert found.table["q"].to_numpy()[0] == pytest.approx(by_hand[0])
    assert (found.table["q"] >= found.table["p"] - 1e-12).all()
    assert found.table["q"].is_monotonic_increasing


def test_chance_is_rarely_significant() -> None:
    draw = np.random.default_rng(1)
    sure = 0
    for _ in range(20):
        leaf = draw.integers(0, 8, 400)
        path = np.stack([leaf >> 2, leaf >> 1, leaf], axis=1)
        said = pd.DataFrame({"molecule": np.arange(400), "label": draw.choice(list("abcdefgh"), 400)})
        labels = Labels.of_statements("x", said, 400)
        sure += len(enrich(path, (2, 4, 8), labels, np.zeros(400, np.int64)).significant()) > 0
    assert sure <= 4  # false discovery at 0.05, in 20 tries


def test_an_assay_counts_the_molecules_measured_in_it() -> None:
    leaf = np.repeat([0, 1], 20)
    known = np.zeros((40, 2), bool)
    known[:, 0], known[:30, 1] = True, True
    active = np.flatnonzero(leaf == 0)[:10]
    labels = Labels("tox", ("first", "second"), np.tile(active, 2), np.repeat([0, 1], 10), known)
    table = enrich(leaf[:, None], (2,), labels, np.arange(40)).table.set_index("label")
    assert table["known"].to_dict() == {"first": 40, "second": 30}
    assert table["members"].to_dict() == {"first": 20, "second": 20}


def test_no_label_with_enough_molecules_is_no_test() -> None:
    said = pd.DataFrame({"molecule": [0, 1], "label": ["a", "b"]})
    found = enrich(
        np.zeros((9, 1), np.int64), (2,), Labels.of_statements("x", said, 9), np.zeros(9, np.int64)
    )
    assert (found.tests, len(found.table), len(found.significant())) == (0, 0, 0)
