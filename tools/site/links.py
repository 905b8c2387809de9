"""Links that lead out of docs/ are fitted to the site."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from posixpath import normpath, relpath

from tools.architecture import ROOT

__all__ = ["fitted", "moved"]

# Pages of the repository's root, and where the site has them.
_PLACES = {
    "README.md": "docs/index.md",
    "CONTRIBUTING.md": "docs/project/contributing.md",
    "CHANGELOG.md": "docs/project/changes.md",
}
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\[]*)\]\((?P<to>[^()\s#]+)(?P<anchor>#[^()\s]*)?\)")
_FENCE = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)


def fitted(text: str, page: str) -> str:
    """Return the text of a page with its links out of docs/ fitted to the site.

    A page of the repository's root becomes the site's page; a file is left for Sphinx, which offers it as a
    download; of a folder only the words are left, since a site has no page for it.

    Parameters
    ----------
    text
        Markdown.
    page
        The page's place in the repository, such as "docs/method.md".

    Examples
    --------
    >>> fitted("[how](../CONTRIBUTING.md#habits) and [`corpus/`](../src/cytomol/corpus)", "docs/guide.md")
    '[how](project/contributing.md#habits) and `corpus/`'
    """
    here = PurePosixPath(page).parent

    def change(found: re.Match[str]) -> str:
        to = normpath(str(here / found["to"]))
        anchor = found["anchor"] or ""
        if to in _PLACES:
            return f"[{found['text']}]({relpath(_PLACES[to], here)}{anchor})"
        return found["text"] if (ROOT / to).is_dir() else found[0]

    return _outside_of_code(text, change)


def moved(text: str, page: str, target: str) -> str:
    """Return the text of a page of the repository with the relative links that it needs elsewhere.

    Parameters
    ----------
    text
        Markdown.
    page
        Where it stands in the repository: "CONTRIBUTING.md".
    target
        Where it shall stand below docs/: "project/contributing.md".

    Examples
    --------
    >>> moved("[guide](docs/guide.md#python)", "CONTRIBUTING.md", "project/contributing.md")
    '[guide](../guide.md#python)'
    """
    here, there = PurePosixPath(page).parent, PurePosixPath("docs", target).parent

    def change(found: re.Match[str]) -> str:
        to = normpath(str(here / found["to"]))
        return f"[{found['text']}]({relpath(to, there)}{found['anchor'] or ''})"

    return _outside_of_code(text, change)


def _outside_of_code(text: str, change: Callable[[re.Match[str]], str]) -> str:
    """Apply a change to the links of a text, but for those in blocks of code and to the web."""

    def one(found: re.Match[str]) -> str:
        return found[0] if re.match(r"[a-z]+:", found["to"]) else change(found)

    parts = _FENCE.split(text)
    return "".join(part if part.startswith("```") else _LINK.sub(one, part) for part in parts)
