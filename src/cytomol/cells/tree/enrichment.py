"""Which labels gather in which nodes of a tree: hypergeometric tests, corrected for their number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Enrichment", "Labels", "enrich"]


@dataclass(frozen=True)
class Labels:
    """What is said of molecules: each label of a kind, and who has it.

    Attributes
    ----------
    kind
        What the labels are: "moa", "targets", "scaffolds", or the name of an assay table.
    names
        The labels.
    molecule, label
        Molecule and label (a place in ``names``) of each statement, int64, shape (statements,); none twice.
    known
        Molecules of which something is said at all, bool, shape (molecules,): the others count nowhere.
        Shape (molecules, labels) where that differs from label to label, as in assays.
    """

    kind: str
    names: tuple[str, ...]
    molecule: NDArray[np.int64]
    label: NDArray[np.int64]
    known: NDArray[np.bool_]

    @classmethod
    def of_statements(cls, kind: str, statements: pd.DataFrame, molecules: int) -> Labels:
        """Gather statements with the columns ``molecule`` (row) and ``label`` (text).

        Examples
        --------
        >>> import pandas as pd
        >>> said = pd.DataFrame({"molecule": [0, 2, 2], "label": ["kinase", "kinase", "kinase"]})
        >>> labels = Labels.of_statements("moa", said, 3)
        >>> labels.names, labels.molecule.tolist(), labels.known.tolist()
        (('kinase',), [0, 2], [True, False, True])
        """
        statements = statements.drop_duplicates(["molecule", "label"])
        codes, names = pd.factorize(statements["label"], sort=True)
        rows = statements["molecule"].to_numpy(np.int64)
        known = np.zeros(molecules, np.bool_)
        known[rows] = True
        return cls(kind, tuple(map(str, names)), rows, codes.astype(np.int64), known)


@dataclass(frozen=True)
class Enrichment:
    """Tests of one kind of labels in all nodes of a tree.

    Attributes
    ----------
    kind
        What the labels are.
    table
        Tests with at least two hits, the surest first: ``level``, ``node``, ``label``, ``hits``, ``members``
        (of the node, of which something is known), ``labelled`` (molecules with the label), ``known``,
        ``fold`` (how many times as often as among all known ones), ``p``, ``q`` (corrected), ``scaffolds``
        (distinct ones among the hits).
    tests
        How many tests were made.
    molecules
        How many molecules have a label of this kind, or are known not to have it.
    """

    kind: str
    table: pd.DataFrame
    tests: int
    molecules: int

    def significant(self, below: float = 0.05) -> pd.DataFrame:
        """Return the tests whose corrected p-value is below a limit."""
        return self.table[self.table["q"] < below]


def enrich(
    path: NDArray[np.int64],
    level_sizes: tuple[int, ...],
    labels: Labels,
    scaffold: NDArray[np.int64],
    *,
    fewest: int = 5,
) -> Enrichment:
    """Test every node of a tree for every label that at least ``fewest`` molecules have.

    The p-value of a pair is the hypergeometric chance of as many hits or more among as many members drawn
    from all molecules of which something is known (Fisher's exact test, one-sided). It is corrected by
    Benjamini and Hochberg over all pairs of a node and a label that have enough molecules, also those
    without a hit.

    Parameters
    ----------
    path
        Node of each level, int64, shape (molecules, levels); -1 for a molecule without place.
    level_sizes
        Nodes of each level.
    labels
        The labels.
    scaffold
        Number of each molecule's scaffold, int64, shape (molecules,).
    fewest
        Fewest molecules that a label, and a node, must have to be tested.
    """
    from scipy.stats import false_discovery_control, hypergeom

    placed = path[:, 0] >= 0
    each = _known(labels, placed)
    stated = placed[labels.molecule]
    molecule, label = labels.molecule[stated], labels.label[stated]
    parts = []
    for level, size in enumerate(level_sizes):
        node = path[:, level]
        hits = np.zeros((size, len(labels.names)), np.int64)
        np.add.at(hits, (node[molecule], label), 1)
        members = np.stack([np.bincount(node[known], minlength=size) for known in each], axis=1)
        total = np.array([known.sum() for known in each])
        parts.append(_counts(hits, members, total, fewest))
        parts[-1].insert(0, "level", level + 1)
    tests = pd.concat(parts, ignore_index=True)
    tests["fold"] = (tests["hits"] / tests["members"]) / (tests["labelled"] / tests["known"])
    tests["p"] = hypergeom.sf(tests["hits"] - 1, tests["known"], tests["labelled"], tests["members"])
    tests["q"] = false_discovery_control(np.clip(tests["p"], 0, 1)) if len(tests) else tests["p"]
    table = tests[tests["hits"] >= 2].sort_values(["q", "p", "level", "node", "label"], kind="stable")
    table = table.reset_index(drop=True)
    table["scaffolds"] = _scaffolds(table, path, molecule, label, scaffold)
    table["label"] = np.array(labels.names, object)[table["label"].to_numpy(np.int64)]
    return Enrichment(labels.kind, table, len(tests), int(np.any(each, axis=0).sum()))


def _counts(
    hits: NDArray[np.int64], members: NDArray[np.int64], total: NDArray[np.int64], fewest: int
) -> pd.DataFrame:
    """Return the counts of the pairs of a node and a label that have enough molecules.

    Parameters
    ----------
    hits
        Members with the label, shape (nodes, labels).
    members, total
        Molecules of which the label is known, of each node, shape (nodes, labels or 1), and in all, shape
        (labels or 1,).
    fewest
        Fewest that a label, and a node, must have.
    """
    members = np.broadcast_to(members, hits.shape)
    labelled = hits.sum(axis=0)
    tested = (members >= fewest) & (labelled >= fewest)
    nodes, columns = np.nonzero(tested)
    return pd.DataFrame(
        {
            "node": nodes,
            "label": columns,
            "hits": hits[tested],
            "members": members[tested],
            "labelled": labelled[columns],
            "known": np.broadcast_to(total, len(labelled))[columns],
        }
    )


def _known(labels: Labels, placed: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return the molecules of which a label is known: once for all labels, or for each."""
    if labels.known.ndim == 1:
        return [labels.known & placed]
    return [labels.known[:, column] & placed for column in range(labels.known.shape[1])]


def _scaffolds(
    table: pd.DataFrame,
    path: NDArray[np.int64],
    molecule: NDArray[np.int64],
    label: NDArray[np.int64],
    scaffold: NDArray[np.int64],
) -> list[int]:
    """Count the distinct scaffolds among the hits of each test."""
    of_label: dict[int, NDArray[np.int64]] = {}
    counts = []
    for level, node, column in zip(table["level"], table["node"], table["label"], strict=True):
        if column not in of_label:
            of_label[column] = molecule[label == column]
        rows = of_label[column]
        counts.append(len(np.unique(scaffold[rows[path[rows, level - 1] == node]])))
    return counts
