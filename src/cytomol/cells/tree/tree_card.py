"""The cards of a hierarchy and of a fitted tree: the README of their directories."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from cytomol.artifact.card_parts import cell, citation, code, front_matter
from cytomol.counted import counted
from cytomol.version import __version__

__all__ = ["hierarchy_card", "tree_card"]

_FILES = {
    "levels.csv": "how each level is used",
    "nodes.csv": "members of each node, and what it is enriched for",
    "members.csv": "the path of every molecule",
    "typical.csv": "members nearest to the code of their node",
    "enrichment.csv": "labels that gather in a node, with corrected p-values",
    "agreement.csv": "profiles beside their molecules",
    "hierarchy.json": "the sum of it",
    "tree": "the fitted tree, for --tree of codes and hierarchy",
}
_LIMITS = """\
What gathers in a node says what its members have in common, not how any one of them acts. A low q says that
it is no chance among these molecules, not that another library would show it too.
"""
_FRONT = {"library_name": "cytomol", "tags": ["cytomol", "chemistry", "molecules", "hierarchy"]}


def hierarchy_card(summary: Mapping[str, Any]) -> str:
    """Return what a tree divides, how its levels are used and what its nodes have in common, as Markdown.

    Parameters
    ----------
    summary
        What ``hierarchy.json`` holds.

    Examples
    --------
    >>> level = {"of": "molecules", "level": 1, "nodes": 2, "used": 2, "perplexity": 1.9}
    >>> about = {"model": "chmr", "digest": "ab", "tree": "trained", "places": "anchor", "modality": None}
    >>> counts = {"rows": 9, "molecules": 8, "tested": 7, "source": "corpus"}
    >>> found = {"levels": [level], "agreement": [], "enrichment": []}
    >>> "| 1 | 2 | 2 | 1.9 |" in hierarchy_card({**about, **counts, **found})
    True
    """
    fitted = summary["tree"] == "fitted"
    own = [line for line in summary["levels"] if line["of"] == "molecules"]
    written = {
        name: words
        for name, words in _FILES.items()
        if (name != "tree" or fitted) and (name != "agreement.csv" or summary["agreement"])
    }
    lines = [
        *front_matter(_FRONT),
        "# Molecules in a tree",
        "",
        f"Made by cytomol {__version__}.",
        "",
        f"- molecules with a path: {summary['molecules']:,} of {summary['rows']:,} rows",
        f"- distinct: {summary['tested']:,}; these were tested",
        f"- model: {cell(summary['model'])}, SHA-256 {summary['digest']}",
        f"- tree: {'trained with the model' if not fitted else _fitted_to(summary['places'])}",
        "",
        "| level | nodes | used | perplexity |",
        "|---|---|---|---|",
        *(f"| {one['level']} | {one['nodes']} | {one['used']} | {one['perplexity']:.1f} |" for one in own),
        "",
        "## What nodes have in common",
        "",
        *_common(summary),
        "",
        "## Files",
        "",
        *(f"- `{name}`: {words}" for name, words in written.items()),
        "",
        "## Limits",
        "",
        *_LIMITS.splitlines(),
        "",
        *citation(str(summary["model"])),
        "## How to run it again",
        "",
        *code([_command(summary, len(own))]),
        "With the same labels, by `--labels`; the other options are in the help.",
    ]
    return "\n".join(lines) + "\n"


def tree_card(*, model: str, digest: str, levels: int, places: str, modality: str | None = None) -> str:
    """Return what a fitted tree is and how it is used, as Markdown.

    Parameters
    ----------
    model, digest
        Method and SHA-256 of the model whose places it divides.
    levels, places
        How many levels it has, and what it was fitted to.
    modality
        Of decoded places.

    Examples
    --------
    >>> "# Tree of 4 levels" in tree_card(model="chmr", digest="ab", levels=4, places="anchor")
    True
    """
    lines = [
        *front_matter(_FRONT),
        f"# Tree of {counted(levels, 'level')}",
        "",
        f"Made by cytomol {__version__}; it goes with this model alone.",
        "",
        f"- model: {cell(model)}, SHA-256 {digest}",
        f"- tree: {_fitted_to(places)}",
        "",
        *code(("cytomol codes MODEL molecules.csv --tree DIR -o codes.csv",)),
        *citation(model),
        "## How to run it again",
        "",
        *code([f"cytomol hierarchy MODEL --corpus CORPUS {_fitted(levels, places, modality)} -o tree"]),
        "`manifest.json` has the SHA-256 of each file.",
    ]
    return "\n".join(lines) + "\n"


def _fitted_to(places: str) -> str:
    known = {"anchor": "where the method places molecules", "decoded": "the profiles expected of molecules"}
    return f"fitted to {known[places]}"


def _fitted(levels: int, places: str, modality: str | None) -> str:
    """Return the options that fit such a tree."""
    of = "" if places == "anchor" else f" --places {places} --modality {shlex.quote(str(modality))}"
    return f"--tree fitted --depth {levels}{of}"


def _command(summary: Mapping[str, Any], levels: int) -> str:
    """Return the command with names in the place of files."""
    of = "--corpus CORPUS" if summary["source"] == "corpus" else "--molecules TABLE"
    own = (levels, summary["places"], summary["modality"])
    tree = f" {_fitted(*own)}" if summary["tree"] == "fitted" else ""
    return f"cytomol hierarchy MODEL {of}{tree} -o DIR"


def _common(summary: Mapping[str, Any]) -> list[str]:
    """Return a line for each kind of labels."""
    lines = []
    for one in summary["enrichment"]:
        line = (
            f"- {cell(one['kind'])}: {one['significant']:,} of {one['tests']:,} tests with q below 0.05, in "
            f"{counted(one['nodes'], 'node')}"
        )
        if one["surest"]:
            best = one["surest"][0]
            line += (
                f"; surest: {cell(best['label'])} in {best['path']}, {best['hits']} of {best['members']} "
                f"members (q {best['q']:.0e})"
            )
        lines.append(line)
    return lines or ["Nothing was tested."]
