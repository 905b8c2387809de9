"""The tables of `cytomol hierarchy` as a tree to walk: a node, its molecules, what they have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from cytomol.artifact.backbone import Backbone
from cytomol.cells.tree.code_tree import CodeTree, load_tree, trained_tree
from cytomol.errors import InputError
from cytomol.tables.number_texts import read_csv_text

__all__ = ["ExploredTree"]

_SURE = 0.05
_LISTED = 60  # molecules and labels of a node
_TABLES = ("levels", "nodes", "members", "typical", "enrichment")


@dataclass(frozen=True)
class ExploredTree:
    """The tree of a hierarchy.

    Attributes
    ----------
    about
        ``hierarchy.json``.
    nodes, members, typical, enrichment
        The tables, paths as text.
    """

    about: dict[str, Any]
    nodes: pd.DataFrame
    members: pd.DataFrame
    typical: pd.DataFrame
    enrichment: pd.DataFrame

    @classmethod
    def read(cls, directory: str | Path) -> Self:
        """Read a directory that ``cytomol hierarchy`` wrote.

        Raises
        ------
        InputError
            If a table is missing or cannot be read.
        """
        folder = Path(directory)
        tables = {}
        try:
            about = json.loads((folder / "hierarchy.json").read_text(encoding="utf-8"))
            for name in _TABLES:
                tables[name] = read_csv_text(
                    (folder / f"{name}.csv").read_text(encoding="utf-8"),
                    dtype={"path": str, "path_of_tree": str},
                    keep_default_na=False,
                )
        except (OSError, ValueError) as error:
            raise InputError(
                f"is not what cytomol hierarchy writes: {error}",
                where=str(directory),
                hint="give the directory that cytomol hierarchy -o DIR made",
            ) from None
        del tables["levels"]
        return cls(about, **tables)

    @property
    def path_column(self) -> str:
        """Column of the members that holds their path."""
        return "path_of_tree" if "path_of_tree" in self.members else "path"

    @property
    def binary(self) -> bool:
        """Whether each node has two children; else there is one level of codes."""
        return bool((self.nodes["path"].str.len() == self.nodes["level"]).all())

    def tree_of(self, directory: str | Path, backbone: Backbone | None) -> CodeTree | None:
        """Return the tree in which new molecules find their path; None where it is of another model."""
        if backbone is None or self.about.get("digest") != backbone.digest:
            return None
        inside = Path(directory) / "tree"
        if inside.is_dir():
            return load_tree(inside, backbone)
        return trained_tree(backbone) if self.about.get("tree") == "trained" else None

    def node(self, path: str) -> dict[str, Any]:
        """Return what the page says of a node: "" is the root.

        Raises
        ------
        InputError
            If there is no such node.
        """
        own = self.nodes[self.nodes["path"] == path]
        if path and own.empty:
            raise InputError(f"the tree has no node {path[:80]!r}")
        level = int(own["level"].iloc[0]) if path else 0
        below = self.nodes[self.nodes["level"] == level + 1]
        if self.binary:
            below = below[below["path"].str.startswith(path)]
        elif path:
            below = below.iloc[:0]
        inside = (
            self.members[self.path_column].str.startswith(path)
            if self.binary or not path
            else (self.members[self.path_column] == path)
        )
        there = self.members[inside & (self.members[self.path_column] != "")]
        return {
            "path": path,
            "level": level,
            "levels": int(self.nodes["level"].max()),
            "members": len(there),
            "children": [
                {"path": child, "members": int(count), "enriched": text}
                for child, count, text in below[["path", "members", "enriched"]].itertuples(index=False)
                if count
            ],
            "enriched": self._labels(path),
            "molecules": self._molecules(path, there),
        }

    def _labels(self, path: str) -> list[dict[str, Any]]:
        """Return what the members of a node have in common, the surest first."""
        if self.enrichment.empty or not path:
            return []
        own = self.enrichment[
            (self.enrichment["path"] == path) & (self.enrichment["q"].astype(float) < _SURE)
        ]
        own = own.assign(q=own["q"].astype(float)).sort_values("q", kind="stable").head(_LISTED)
        columns = ["kind", "label", "hits", "members", "fold", "q"]
        return [
            dict(zip(columns, row, strict=True))
            for row in own[columns].astype(object).itertuples(index=False)
        ]

    def _molecules(self, path: str, there: pd.DataFrame) -> list[dict[str, Any]]:
        """Return molecules of a node, the most typical first."""
        typical = self.typical[self.typical["path"] == path] if path else self.typical.iloc[:0]
        first = list(dict.fromkeys(typical["smiles"].astype(str)))
        rest = [text for text in there["smiles"].astype(str) if text not in set(first)]
        chosen = [*first, *rest][:_LISTED]
        return [{"smiles": text, "typical": place < len(first)} for place, text in enumerate(chosen)]
