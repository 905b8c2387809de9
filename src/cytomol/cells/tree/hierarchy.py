"""A tree one can read: how its levels are used, who sits in each node, what its members have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.tree.code_tree import Codes, CodeTree
from cytomol.cells.tree.enrichment import Enrichment
from cytomol.cells.tree.tree_card import hierarchy_card
from cytomol.cells.tree.tree_paths import beside, names_beside

__all__ = ["Hierarchy", "level_use", "path_agreement"]

_BEST = 3  # enriched labels that a node's line names
SURE = 0.05


def level_use(tree: CodeTree, codes: Codes, of: str) -> pd.DataFrame:
    """Return how many nodes of each level are used, and how evenly.

    Returns
    -------
    A row for each level: ``of``, ``level``, ``nodes``, ``used``, ``dead``, ``dead_share``, ``perplexity``
    (the number of evenly used nodes with the same entropy) and ``largest`` (share of the fullest node).

    Examples
    --------
    >>> import numpy as np
    >>> from cytomol.cells.tree.code_tree import fit_tree
    >>> rows = np.array([[1, 0.1], [1, -0.1], [-1, 0.1]], np.float32)
    >>> tree = fit_tree(rows, depth=1)
    >>> level_use(tree, tree.codes(rows), "molecules")["perplexity"].round(2).tolist()
    [1.89]
    """
    path = codes.path[codes.path[:, 0] >= 0]
    lines = []
    for level, size in enumerate(tree.level_sizes):
        counts = np.bincount(path[:, level], minlength=size)
        share = counts / max(counts.sum(), 1)
        entropy = -(share[share > 0] * np.log(share[share > 0])).sum()
        dead = int((counts == 0).sum())
        lines.append(
            (of, level + 1, size, size - dead, dead, dead / size, float(np.exp(entropy)), share.max())
        )
    names = ["of", "level", "nodes", "used", "dead", "dead_share", "perplexity", "largest"]
    return pd.DataFrame(lines, columns=names)


def path_agreement(of: str, profiles: NDArray[np.int64], molecules: NDArray[np.int64]) -> pd.DataFrame:
    """Return how often a profile is in the node of its molecule, and how often by chance.

    Parameters
    ----------
    of
        The modality.
    profiles, molecules
        Paths of profiles and of their molecules, int64, shape (n, levels); -1 without place.

    Returns
    -------
    A row for each level: ``of``, ``level``, ``profiles``, ``same`` (share in the same node; None without
    any) and ``chance`` (the same for profiles dealt out anew).
    """
    both = (profiles[:, 0] >= 0) & (molecules[:, 0] >= 0)
    lines = []
    for level in range(profiles.shape[1]):
        one, other = profiles[both, level], molecules[both, level]
        size = int(max(one.max(initial=0), other.max(initial=0))) + 1
        shares = [np.bincount(nodes, minlength=size) / max(len(nodes), 1) for nodes in (one, other)]
        same = float((one == other).mean()) if both.any() else None
        lines.append((of, level + 1, int(both.sum()), same, float(shares[0] @ shares[1])))
    return pd.DataFrame(lines, columns=["of", "level", "profiles", "same", "chance"])


@dataclass(frozen=True)
class Hierarchy:
    """Molecules in a tree, with all that is told of its nodes.

    Attributes
    ----------
    tree
        The tree.
    molecules
        A row for each molecule: its columns as given, among them ``smiles``.
    codes
        Paths of the molecules.
    structure
        First molecule with the same connectivity, int64, shape (molecules,).
    uses
        Tables of :func:`level_use`, of the molecules first.
    agreements
        Tables of :func:`path_agreement`.
    enrichments
        Tests of each kind of labels.
    about
        Further facts for the summary.
    """

    tree: CodeTree
    molecules: pd.DataFrame
    codes: Codes
    structure: NDArray[np.int64]
    uses: Sequence[pd.DataFrame]
    agreements: Sequence[pd.DataFrame] = ()
    enrichments: Sequence[Enrichment] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def nodes(self) -> pd.DataFrame:
        """Return a row for each node: members, and what it is enriched for."""
        lines = []
        found = self.enrichment()
        told = found[found["q"] < SURE] if len(found) else found
        best: dict[Any, pd.DataFrame] = dict(iter(told.groupby(["level", "node"]))) if len(told) else {}
        for level, size in enumerate(self.tree.level_sizes, start=1):
            for node in range(size):
                members = int((self.codes.path[:, level - 1] == node).sum())
                text = _sentence(best.get((level, node)))
                lines.append((level, node, self.tree.text(level, node), members, text))
        return pd.DataFrame(lines, columns=["level", "node", "path", "members", "enriched"])

    def members(self) -> pd.DataFrame:
        """Return the molecules with their paths, in their order."""
        own = {"path": self.tree.texts(self.codes.path), "distance": self.codes.distance}
        return beside(self.molecules, pd.DataFrame(own))

    def typical(self, places: NDArray[np.float32], number: int) -> pd.DataFrame:
        """Return the members of each node that lie nearest to its code, one of each connectivity.

        Parameters
        ----------
        places
            Places of the molecules, shape (molecules, width).
        number
            How many to a node.
        """
        codes = self._unit_codes()
        length = np.linalg.norm(places, axis=1, keepdims=True)
        unit = places / np.maximum(length, 1e-12)
        parts, start = [], 0
        for level, size in enumerate(self.tree.level_sizes, start=1):
            nodes = self.codes.path[:, level - 1]
            rows = np.flatnonzero(nodes >= 0)
            distance = 1 - (unit[rows] * codes[start + nodes[rows]]).sum(axis=1)
            table = pd.DataFrame({"node": nodes[rows], "distance": distance, "row": rows})
            table["structure"] = self.structure[rows]
            table = table.sort_values(["node", "distance", "row"], kind="stable")
            table = table.drop_duplicates(["node", "structure"]).drop(columns="structure")
            table["rank"] = table.groupby("node").cumcount() + 1
            table = table[table["rank"] <= number]
            table.insert(0, "level", level)
            table.insert(2, "path", [self.tree.text(level, int(node)) for node in table["node"]])
            parts.append(table)
            start += size
        chosen = pd.concat(parts, ignore_index=True)
        about = self.molecules.iloc[chosen.pop("row").to_numpy()].reset_index(drop=True)
        chosen = chosen[["level", "node", "path", "rank", "distance"]]
        return pd.concat([chosen.rename(columns=names_beside(about, chosen)), about], axis=1)

    def enrichment(self) -> pd.DataFrame:
        """Return the tests of all kinds of labels, each kind corrected by itself."""
        parts = [one.table.assign(kind=one.kind) for one in self.enrichments if len(one.table)]
        if not parts:
            return pd.DataFrame(columns=["kind", "level", "node", "path", "label", "q"])
        table = pd.concat(parts, ignore_index=True)
        paths = [
            self.tree.text(int(level), int(node))
            for level, node in zip(table["level"], table["node"], strict=True)
        ]
        table.insert(0, "path", paths)
        order = ["kind", "label", "level", "node", "path"]
        return table[[*order, *(name for name in table.columns if name not in order)]]

    def summary(self) -> dict[str, Any]:
        """Return what the tree is and what was found, for JSON."""
        return {
            **self.about,
            "tree": self.tree.form,
            "levels": pd.concat(self.uses).to_dict("records"),
            "agreement": [line for one in self.agreements for line in one.astype(object).to_dict("records")],
            "enrichment": [_told(one, self.tree) for one in self.enrichments],
        }

    def write(self, directory: Path, places: NDArray[np.float32], *, typical: int = 5) -> None:
        """Write the tables, ``hierarchy.json`` and the card into a directory that exists."""
        tables = {
            "levels": pd.concat(self.uses),
            "nodes": self.nodes(),
            "members": self.members(),
            "typical": self.typical(places, typical),
            "enrichment": self.enrichment(),
        }
        if self.agreements:
            tables["agreement"] = pd.concat(self.agreements)
        for name, table in tables.items():
            table.to_csv(directory / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")
        text = json.dumps(self.summary(), indent=2, default=float)
        (directory / "hierarchy.json").write_text(text + "\n", encoding="utf-8")
        (directory / "README.md").write_text(hierarchy_card(self.summary()), encoding="utf-8")

    def _unit_codes(self) -> NDArray[np.float32]:
        codes: NDArray[np.float32] = self.tree.book.unit_codes().detach().numpy()
        return codes


def _sentence(tests: pd.DataFrame | None) -> str:
    """Name the surest labels of a node, such as "moa: tubulin inhibitor (6 of 40, q 1e-04)"."""
    if tests is None:
        return ""
    best = tests.sort_values("q", kind="stable").head(_BEST)
    told = [
        f"{kind}: {label} ({hits} of {members}, q {q:.0e})"
        for kind, label, hits, members, q in best[["kind", "label", "hits", "members", "q"]].itertuples(
            index=False
        )
    ]
    return "; ".join(told)


def _told(one: Enrichment, tree: CodeTree) -> dict[str, Any]:
    sure = one.significant(SURE)
    top = sure.head(20).copy()
    top["path"] = [
        tree.text(int(level), int(node)) for level, node in zip(top["level"], top["node"], strict=True)
    ]
    return {
        "kind": one.kind,
        "tests": one.tests,
        "molecules": one.molecules,
        "significant": len(sure),
        "labels": int(sure["label"].nunique()),
        "nodes": len(sure[["level", "node"]].drop_duplicates()),
        "surest": top.to_dict("records"),
    }
