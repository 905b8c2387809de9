"""The cards of a hierarchy and of a fitted tree."""

from __future__ import annotations

from typing import Any

from cytomol.cells.tree.tree_card import hierarchy_card, tree_card

LEVEL = {"of": "molecules", "level": 1, "nodes": 2, "used": 2, "perplexity": 1.94}
BEST = {"label": "a|b", "path": "0", "hits": 4, "members": 6, "q": 0.0004}
SUMMARY: dict[str, Any] = {
    "model": "infoalign", "digest": "ab" * 32, "tree": "fitted", "places": "decoded", "modality": "a b",
    "source": "molecules", "rows": 1200, "molecules": 1100, "tested": 1000,
    "levels": [LEVEL, {**LEVEL, "of": "morphology", "used": 1}], "agreement": [],
    "enrichment": [
        {"kind": "moa", "tests": 1500, "significant": 3, "nodes": 2, "surest": [BEST]},
        {"kind": "scaffold", "tests": 10, "significant": 0, "nodes": 0, "surest": []},
    ],
}  # fmt: skip


def test_the_card_says_what_was_found_and_how_to_make_it_again() -> None:
    text = hierarchy_card(SUMMARY)
    assert text.count("| 1 | 2 | 2 | 1.9 |") == 1
    assert "| 1 | 2 | 1 |" not in text  # the use by profiles is in the table alone
    assert (
        "- moa: 3 of 1,500 tests with q below 0.05, in 2 nodes; surest: a\\|b in 0, 4 of 6 members (q 4e-04)"
        in text
    )
    assert "- scaffold: 0 of 10 tests with q below 0.05, in 0 nodes\n" in text
    assert (
        "cytomol hierarchy MODEL --molecules TABLE --tree fitted --depth 1 --places decoded --modality 'a b'"
        in text
    )
    assert "`tree`" in text
    assert "agreement.csv" not in text


def test_a_hierarchy_without_labels_says_so() -> None:
    text = hierarchy_card({**SUMMARY, "enrichment": [], "tree": "trained", "source": "corpus"})
    assert "Nothing was tested." in text
    assert "cytomol hierarchy MODEL --corpus CORPUS -o DIR" in text


def test_the_card_of_a_tree_has_its_model_and_its_command() -> None:
    text = tree_card(model="chmr", digest="cd" * 32, levels=4, places="anchor")
    assert "SHA-256 " + "cd" * 32 in text
    assert "cytomol hierarchy MODEL --corpus CORPUS --tree fitted --depth 4 -o tree" in text
