"""Tables of contents: comments in the pages, which the site reads and other readers do not see."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["with_contents", "without_gaps"]

_COMMENT = re.compile(r'^<!-- pages(?: "(?P<caption>[^"]+)")?: (?P<pages>.+?) -->$', re.MULTILINE | re.DOTALL)


def with_contents(text: str, folder: Path) -> str:
    """Return the text of a page with its comments of contents as Sphinx's directives.

    Parameters
    ----------
    text
        Markdown; ``<!-- pages "Caption": one, folder/*, Short title <other> -->`` names the pages that stand
        below this one. The caption may be left out, and a pattern may match nothing.
    folder
        Where the page stands.

    Examples
    --------
    >>> print(with_contents('<!-- pages "Start": install, none/* -->', Path()))
    ```{toctree}
    :hidden:
    :glob:
    :caption: Start
    <BLANKLINE>
    install
    ```
    """

    def directive(found: re.Match[str]) -> str:
        caption = [f":caption: {found['caption']}"] if found["caption"] else []
        named = [page.strip() for page in re.split(r",\s*", found["pages"])]
        there = [page for page in named if "*" not in page or any(folder.glob(f"{page}.*"))]
        return "\n".join(["```{toctree}", ":hidden:", ":glob:", *caption, "", *there, "```"]) if there else ""

    return _COMMENT.sub(directive, text)


def without_gaps(text: str) -> str:
    r"""Return the text of a page whose headings go from the first level to the third one level higher.

    Examples
    --------
    >>> without_gaps("# Figures\n### Set a")
    '# Figures\n## Set a'
    """
    if re.search("^## ", text, re.MULTILINE):
        return text
    return re.sub("^#(##+ )", r"\1", text, flags=re.MULTILINE)
