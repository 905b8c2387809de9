"""The card of a matcher: the README of its directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cytomol.artifact.card_parts import cell, citation, code, front_matter, licence_lines
from cytomol.counted import counted
from cytomol.version import __version__

__all__ = ["matcher_card"]

_USE = """\
It places molecules and cell profiles in one space: which molecules do this to a cell, and which profiles a
molecule gives.
"""
_LIMITS = """\
A match is a hint for choosing experiments, no measurement, and no ground for a decision about a patient. How
often it is right on molecules that it has not seen, `cytomol evaluate matching` measures.
"""


def matcher_card(name: str, features: int, facts: Mapping[str, Any]) -> str:
    """Return what the matcher is, what it learnt from and how it is used, as Markdown.

    Parameters
    ----------
    name, features
        The modality, and how many features it has.
    facts
        What it was fitted on and how, as its ``config.json`` has it.

    Examples
    --------
    >>> "of 30 molecules" in matcher_card("morphology", 8, {"profiles": 40, "molecules": 30})
    True
    """
    backbone = facts.get("backbone") or {}
    data = facts.get("data") or {}
    profiles, molecules = facts.get("profiles", 0), facts.get("molecules", 0)
    learnt = f"{counted(profiles, 'profile')} ({counted(features, 'feature')})"
    learnt += f" of {counted(molecules, 'molecule')}"
    lines = [
        *front_matter(
            {
                "library_name": "cytomol",
                "tags": ["cytomol", "chemistry", "molecules", "cell profiles", "matching"],
            }
        ),
        f"# Matcher of molecules and {cell(name)}",
        "",
        f"Fitted by cytomol {__version__} on {learnt}.",
        "",
        *([f"- corpus: SHA-256 {data['corpus']}"] if data.get("corpus") else []),
        *(
            [f"- left out: what is known of molecules in files with SHA-256 {', '.join(data['exclude'])}"]
            if data.get("exclude")
            else []
        ),
        *([f"- with a {backbone['method']} backbone, SHA-256 {backbone['digest']}"] if backbone else []),
        "",
        "## Intended use",
        "",
        *_USE.splitlines(),
        "",
        *code(("cytomol match DIR profiles.parquet --in library.csv -o matches.csv",)),
        "## Limits",
        "",
        *_LIMITS.splitlines(),
        "",
        *licence_lines(data.get("licences")),
        *citation(*([backbone["method"]] if backbone else [])),
        "## How to run it again",
        "",
        *code([f"cytomol matcher CORPUS -m {name}{' --backbone BACKBONE' if backbone else ''} -o matcher"]),
        "`config.json` has every option, `manifest.json` each file's SHA-256.",
    ]
    return "\n".join(lines) + "\n"
