"""What the cards of all model directories share: the table in front, data licence and citation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["cell", "citation", "code", "front_matter", "licence_lines"]


def front_matter(fields: Mapping[str, Any]) -> list[str]:
    """Return the YAML between two lines of dashes that model hubs read, without fields that are empty.

    Examples
    --------
    >>> front_matter({"library_name": "cytomol", "tags": ["chemistry"], "datasets": []})
    ['---', 'library_name: cytomol', 'tags:', '- chemistry', '---', '']
    """
    import yaml

    told = {name: value for name, value in fields.items() if value not in ("", None, [], {})}
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=1000)
    return ["---", *text.splitlines(), "---", ""]


def cell(text: object) -> str:
    r"""Return a text as a cell of a Markdown table, whatever is in it.

    Examples
    --------
    >>> cell("a|b")
    'a\\|b'
    """
    return " ".join(str(text).replace("\\", "\\\\").replace("|", "\\|").split())


def code(lines: Iterable[str]) -> list[str]:
    """Return lines of commands as a block of Markdown."""
    return ["```sh", *lines, "```", ""]


def citation(*names: str) -> list[str]:
    """Return the section that says what to cite: cytomol, and the papers of the methods named."""
    from cytomol.methods import methods

    papers = [methods[name].paper for name in names if name in methods.names()]
    papers = [f"- {paper}" for paper in papers if paper]
    return ["## How to cite", "", "- cytomol (CITATION.cff of its repository)", *papers, ""]


def licence_lines(licences: Mapping[str, str] | None) -> list[str]:
    """Return the section on the licence of the data; who gave none is told so.

    Parameters
    ----------
    licences
        Licence of each source of the data, by name; None where nobody said.
    """
    lines = ["## Licence of the data", ""]
    if licences:
        lines += ["| data | licence |", "|---|---|"]
        lines += [f"| {cell(name)} | {cell(licence)} |" for name, licence in licences.items()]
    else:
        lines.append("Not told. Who passes the model on asks those whose data it has learnt from.")
    return [*lines, ""]
